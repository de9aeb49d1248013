"""`POST /call`: validation, limits, faults, and the call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import WhenFull
from campaigns.simulator.intake import BEFORE_ACCEPTING, Order
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.answers import OVER_RATE, problem
from campaigns.simulator.vapi.bodies import created_body
from campaigns.simulator.vapi.dialect import VAPI
from campaigns.simulator.vapi.validation import customer_problems, problems_of

DAILY_LIMIT = "Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import your own number to call more."
OVER_CONCURRENCY = "Over Concurrency Limit"


class Creator:
    """The creates of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._intake = simulation.intake

    async def create(self, request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
        """The whole of it. `body` is the decoded request."""
        refusal = self._refusal(body)
        if refusal is not None:
            return self._counted(str(refusal.status), refusal, body=body)
        customers = body.get("customers") or [body["customer"]]
        fault = self._intake.draw_fault(_number(customers[0]))
        if fault in BEFORE_ACCEPTING:
            return self._counted(fault, self._intake.fail(fault, request, dialect=VAPI), body=body)
        if (full := self._when_full()) is not None:
            return self._counted(f"{full.status}_full", full, body=body)
        if "customers" in body:
            return self._counted("201", self._batch(body, customers=customers), body=body)
        call = self._accept(body, customer=customers[0], fault=fault)
        answer = ok(created_body(call, base_url=self._simulation.base_url, limits=self._limits()), status=201)
        self._counted(call.answer, answer, body=body, call=call)
        return await self._intake.answer(request, answer, call=call, fault=fault)

    def _refusal(self, body: Mapping[str, Any]) -> web.Response | None:
        config = self._simulation.config
        problems = problems_of(body, config=config)
        if "customer" in body:
            problems.extend(customer_problems(body["customer"]))
        if "customers" in body and not (isinstance(body["customers"], list) and body["customers"]):
            problems.append("customers must be an array with at least 1 element")
        if "customerId" in body:
            problems.append("Couldn't Get Customer. The simulator keeps none; give `customer`.")
        problems.extend(_schedule_problems(body.get("schedulePlan"), now_ms=self._simulation.clock.now_ms()))
        if problems:
            return problem(400, problems[0] if len(problems) == 1 else problems)
        if self._intake.over_rate(VAPI):
            return problem(429, OVER_RATE)
        if self._line_is_spent(_line(body)):
            return problem(400, DAILY_LIMIT)
        return None

    def _line_is_spent(self, line: str) -> bool:
        limit = self._simulation.config.line_daily_limit
        return limit is not None and self._intake.calls_today(line) >= limit

    def _when_full(self) -> web.Response | None:
        """Only where no call is made; the two other ways accept it."""
        if not self._simulation.telephony.is_full(VAPI):
            return None
        match self._simulation.config.when_full:
            case WhenFull.REFUSE:
                return problem(400, OVER_CONCURRENCY)
            case WhenFull.BLOCK:
                return ok({"subscriptionLimits": self._limits()}, status=201)
            case _:
                return None

    def _limits(self) -> dict[str, Any]:
        limit = self._simulation.config.concurrency_limit
        if limit is None:
            return {"concurrencyBlocked": False}
        left = limit - self._simulation.ledger.in_flight_by_provider[VAPI.name]
        return {"concurrencyBlocked": left <= 0, "concurrencyLimit": limit, "remainingConcurrentCalls": max(0, left)}

    def _batch(self, body: Mapping[str, Any], *, customers: list[Any]) -> web.Response:
        """One result or one error a customer; the status is 201 all the same."""
        results, errors = [], []
        for customer in customers:
            if complaints := list(customer_problems(customer)):
                errors.append({"customer": customer, "error": complaints[0]})
                continue
            call = self._accept({**body, "name": None}, customer=customer, fault=None)
            results.append(created_body(call, base_url=self._simulation.base_url, limits=self._limits()))
        return ok({"subscriptionLimits": self._limits(), "results": results, "errors": errors}, status=201)

    def _accept(self, body: Mapping[str, Any], *, customer: Mapping[str, Any], fault: str | None) -> SimulatedCall:
        order = Order(
            dialect=VAPI,
            number=_number(customer),
            line=_line(body),
            attempt=body.get("name"),
            name=body.get("name"),
            request=body,
            customer=customer,
            fault=fault,
            scheduled_ms=_earliest_ms(body),
        )
        return self._intake.accept(order)

    def _counted(
        self, result: str, answer: web.Response, *, body: Mapping[str, Any], call: SimulatedCall | None = None
    ) -> web.Response:
        self._intake.count(result, dialect=VAPI, attempt=body.get("name"), call=call)
        return answer


def _number(customer: Mapping[str, Any]) -> str:
    return str(customer.get("number") or customer.get("sipUri") or "")


def _line(body: Mapping[str, Any]) -> str:
    return str(body.get("phoneNumberId") or "inline")


def _earliest_ms(body: Mapping[str, Any]) -> int | None:
    plan = body.get("schedulePlan")
    return None if plan is None else _instant_ms(plan["earliestAt"])


def _schedule_problems(plan: object, *, now_ms: int) -> list[str]:
    if not isinstance(plan, Mapping) or "earliestAt" not in plan:
        return []
    earliest, latest = _instant_ms(plan["earliestAt"]), _instant_ms(plan.get("latestAt"))
    if earliest is None or ("latestAt" in plan and latest is None):
        return ["schedulePlan.earliestAt and latestAt must be valid ISO 8601 date strings"]
    if latest is not None and latest < max(earliest, now_ms):
        return ["schedulePlan.latestAt must lie after earliestAt and in the future"]
    return []


def _instant_ms(text: object) -> int | None:
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except ValueError:
        return None
