"""`POST /call`: validation, limits, faults, and the call, or the calls of a batch."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import WhenFull
from campaigns.simulator.draws import Draws
from campaigns.simulator.intake import BEFORE_ACCEPTING, Order
from campaigns.simulator.vapi.answers import OVER_RATE, problem, refused
from campaigns.simulator.vapi.bodies import created_body
from campaigns.simulator.vapi.limits import OVER_CONCURRENCY, line_refusal, subscription_limits
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.scheduling import latest_ms, schedule_problems, start_ms
from campaigns.simulator.vapi.validation import customer_problems, problems_of

NO_CREDITS = "Your wallet has insufficient credits. Add credits to continue."


class Creator:
    """The creates of one organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._simulation = organisation.simulation
        self._intake = organisation.simulation.intake

    async def create(self, request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
        """The whole of it. `body` is the decoded request."""
        refusal = self._refusal(body)
        if refusal is not None:
            return self._counted(str(refusal.status), refusal, body=body)
        customers = body["customers"] if "customers" in body else [body["customer"]]
        fault = self._intake.draw_fault(_number(customers[0]))
        if fault in BEFORE_ACCEPTING:
            failure = self._intake.fail(fault, request, dialect=self._organisation.dialect)
            return self._counted(fault, failure, body=body)
        if (full := self._when_full(body)) is not None:
            return self._counted(f"{full.status}_full", full, body=body)
        if "customers" in body:
            return await self._create_batch(request, body, customers=customers, fault=fault)
        return await self._create_one(request, body, customer=customers[0], fault=fault)

    async def _create_one(
        self, request: web.Request, body: Mapping[str, Any], *, customer: Mapping[str, Any], fault: str | None
    ) -> web.StreamResponse:
        call = self._accept(body, customer=customer, attempt=body.get("name"), fault=fault)
        answer = ok(created_body(call, view=self._organisation.view, limits=self._limits()), status=201)
        self._counted(call.answer, answer, body=body, call=call)
        return await self._intake.answer(request, answer, call=call, fault=fault)

    async def _create_batch(
        self, request: web.Request, body: Mapping[str, Any], *, customers: Sequence[Any], fault: str | None
    ) -> web.StreamResponse:
        """One result or one error a customer; the status is 201 all the same. A fault befalls the batch as a whole."""
        calls: list[SimulatedCall] = []
        errors: list[dict[str, Any]] = []
        for customer in customers:
            error = self._customer_error(body, customer=customer)
            if error is None:
                calls.append(self._accept_of_batch(body, customer=customer, fault=fault))
            elif error:
                errors.append({"customer": customer, "error": error})
        answer = ok(self._batch_body(calls, errors=errors), status=201)
        self._counted(fault or "201", answer, body=body)
        return await self._intake.answer(request, answer, call=calls[0], fault=fault) if calls else answer

    def _refusal(self, body: Mapping[str, Any]) -> web.Response | None:
        """A create that fails before anything is drawn."""
        config, now_ms = self._organisation.config, self._simulation.clock.now_ms()
        problems = problems_of(body, config=config, owned=self._organisation)
        if "customer" in body:
            problems.extend(customer_problems(body["customer"]))
        problems.extend(self._customers_problems(body))
        problems.extend(schedule_problems(body.get("schedulePlan"), now_ms=now_ms, config=config.vapi))
        if problems:
            return refused(problems)
        if self._intake.over_rate(self._organisation.dialect):
            wait = config.vapi.rate_limit_retry_after
            return problem(429, OVER_RATE, headers=None if wait is None else {"Retry-After": str(wait)})
        if config.vapi.credits == "refuse":
            return problem(402, NO_CREDITS)
        error = line_refusal(body, number=_number(body["customer"]), organisation=self._organisation) \
            if "customer" in body else None  # fmt: skip
        return None if error is None else problem(400, error)

    def _customers_problems(self, body: Mapping[str, Any]) -> list[str]:
        if "customers" not in body:
            return []
        customers, most = body["customers"], self._organisation.config.vapi.customers_most
        if not isinstance(customers, list) or not customers:
            return ["customers must be an array with at least 1 element"]
        too_many = most is not None and len(customers) > most
        return [f"customers must contain no more than {most} elements"] if too_many else []

    def _customer_error(self, body: Mapping[str, Any], *, customer: Any) -> str | None:
        """None: the call can be made. An empty text: it is left out without a word, as in a blocked account."""
        if complaints := list(customer_problems(customer)):
            return complaints[0]
        refusal = line_refusal(body, number=_number(customer), organisation=self._organisation)
        if refusal is not None or self._when_full(body) is None:
            return refusal
        return OVER_CONCURRENCY if self._organisation.config.when_full is WhenFull.REFUSE else ""

    def _when_full(self, body: Mapping[str, Any]) -> web.Response | None:
        """Only where no call is made; the two other ways accept it. A scheduled call needs no slot yet."""
        if "schedulePlan" in body or not self._simulation.telephony.is_full(self._organisation.dialect):
            return None
        config = self._organisation.config
        match config.when_full:
            case WhenFull.REFUSE:
                return problem(config.vapi.full_status, OVER_CONCURRENCY)
            case WhenFull.BLOCK:
                return ok({"subscriptionLimits": self._limits()}, status=201)
            case _:
                return None

    def _accept_of_batch(
        self, body: Mapping[str, Any], *, customer: Mapping[str, Any], fault: str | None
    ) -> SimulatedCall:
        """Calls of a batch share its name, so their own key is `customer.externalId`."""
        call = self._accept(body, customer=customer, attempt=customer.get("externalId"), fault=fault)
        about = {"provider": call.dialect.name, "attempt": call.attempt, "id": call.id, "number": call.number}
        self._simulation.log("create", {**about, "answer": call.answer, "batch": True})
        return call

    def _accept(
        self, body: Mapping[str, Any], *, customer: Mapping[str, Any], attempt: str | None, fault: str | None
    ) -> SimulatedCall:
        number, config = _number(customer), self._organisation.config
        draws = Draws(config.seed, number, 0)
        order = Order(
            dialect=self._organisation.dialect,
            number=number,
            line=_line(body),
            attempt=attempt,
            name=body.get("name"),
            request=body,
            customer=customer,
            fault=fault,
            scheduled_ms=start_ms(body, draws=draws, config=config.vapi),
            shape=partial(self._organisation.shaped, request=body, customer=customer),
        )
        call = self._intake.accept(order)
        self._expire_in_time(call)
        return call

    def _expire_in_time(self, call: SimulatedCall) -> None:
        """A call behind the concurrency limit must not wait beyond its `latestAt`."""
        latest = latest_ms(call.request)
        if latest is not None and call.status != "ended":
            seconds = max(0, latest + 1 - self._simulation.clock.now_ms()) / 1000
            asyncio.get_running_loop().call_later(seconds, self._simulation.telephony.recheck, call)

    def _batch_body(self, calls: Sequence[SimulatedCall], *, errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        limits, view = self._limits(), self._organisation.view
        results = [created_body(call, view=view, limits=limits) for call in calls]
        return {"subscriptionLimits": limits, "results": results, "errors": list(errors)}

    def _limits(self) -> dict[str, Any]:
        return subscription_limits(self._organisation)

    def _counted(
        self, result: str, answer: web.Response, *, body: Mapping[str, Any], call: SimulatedCall | None = None
    ) -> web.Response:
        self._intake.count(result, dialect=self._organisation.dialect, attempt=body.get("name"), call=call)
        return answer


def _number(customer: Any) -> str:
    given = customer if isinstance(customer, Mapping) else {}
    return str(given.get("number") or given.get("sipUri") or "")


def _line(body: Mapping[str, Any]) -> str:
    return str(body.get("phoneNumberId") or "inline")
