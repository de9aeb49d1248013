"""`POST /call`: validation, limits, faults, and the call."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from campaigns.simulator.calls import SimulatedCall, new_call_id
from campaigns.simulator.config import FAULTS, WhenFull
from campaigns.simulator.draws import Draws
from campaigns.simulator.fates import draw_fate
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.answers import never, ok, problem, reset
from campaigns.simulator.vapi.bodies import created_body
from campaigns.simulator.vapi.validation import customer_problems, problems_of

DAILY_LIMIT = "Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import your own number to call more."
OVER_CONCURRENCY = "Over Concurrency Limit"
OVER_RATE = "Rate limit exceeded"

BEFORE_ACCEPTING = frozenset({"reset_before_accept", "error_before_accept", "rate_limited"})
DAY_MS = 86_400_000
MINUTE_MS = 60_000


class Creator:
    """Counts creates by number, so that chance repeats, and by minute and line, for the limits."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._creates_by_number: Counter[str] = Counter()
        self._calls_by_number: Counter[str] = Counter()
        self._calls_by_line_day: Counter[tuple[str, int]] = Counter()
        self._minute = 0
        self._creates_in_minute = 0

    async def create(self, request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
        """The whole of it. `body` is the decoded request."""
        refusal = self._refusal(body)
        if refusal is not None:
            return self._counted(str(refusal.status), refusal, body=body)
        customers = body.get("customers") or [body["customer"]]
        fault = self._draw_fault(_number(customers[0]))
        if fault in BEFORE_ACCEPTING:
            return self._counted(fault, self._fail(fault, request), body=body)
        if (full := self._when_full()) is not None:
            return self._counted(f"{full.status}_full", full, body=body)
        if "customers" in body:
            return self._counted("201", self._batch(body, customers=customers), body=body)
        call = self._accept(body, customer=customers[0], fault=fault)
        answer = ok(created_body(call, base_url=self._simulation.base_url, limits=self._limits()), status=201)
        call.answer = fault or "201"
        self._counted(call.answer, answer, body=body, call=call)
        return await self._answer(request, answer, call=call, fault=fault)

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
        if self._over_rate():
            return problem(429, OVER_RATE)
        if self._line_is_spent(_line(body)):
            return problem(400, DAILY_LIMIT)
        return None

    def _over_rate(self) -> bool:
        limit = self._simulation.config.requests_per_minute
        minute = self._simulation.clock.now_ms() // MINUTE_MS
        if minute != self._minute:
            self._minute, self._creates_in_minute = minute, 0
        self._creates_in_minute += 1
        return limit is not None and self._creates_in_minute > limit

    def _line_is_spent(self, line: str) -> bool:
        limit = self._simulation.config.line_daily_limit
        return limit is not None and self._calls_by_line_day[line, self._today()] >= limit

    def _today(self) -> int:
        return self._simulation.clock.now_ms() // DAY_MS

    def _draw_fault(self, number: str) -> str | None:
        """By the number's how-manyth create, accepted or not: a retry after a fault draws anew."""
        self._creates_by_number[number] += 1
        faults = self._simulation.config.faults
        draws = Draws(self._simulation.config.seed, number, self._creates_by_number[number])
        return draws.pick_or_none("fault", shares={name: getattr(faults, name) for name in FAULTS})

    def _fail(self, fault: str, request: web.Request) -> web.Response:
        if fault == "reset_before_accept":
            return reset(request)
        if fault == "rate_limited":
            wait = str(self._simulation.config.faults.retry_after_seconds)
            return problem(429, OVER_RATE, headers={"Retry-After": wait})
        return problem(500, "Internal server error")

    def _when_full(self) -> web.Response | None:
        """Only where no call is made; the two other ways accept it."""
        if not self._simulation.telephony.is_full():
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
        left = limit - self._simulation.ledger.in_flight
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
        simulation, number, line = self._simulation, _number(customer), _line(body)
        self._calls_by_number[number] += 1
        self._calls_by_line_day[line, self._today()] += 1
        draws = Draws(simulation.config.seed, number, self._calls_by_number[number])
        now_ms = simulation.clock.now_ms()
        call = SimulatedCall(
            id=new_call_id(now_ms),
            number=number,
            name=body.get("name"),
            line=line,
            request=body,
            customer=customer,
            draws=draws,
            fate=draw_fate(draws, config=simulation.config, stuck=fault == "stuck"),
            created_ms=now_ms,
            updated_ms=now_ms,
            scheduled_ms=_earliest_ms(body),
        )
        simulation.telephony.accept(call)
        return call

    async def _answer(
        self, request: web.Request, answer: web.Response, *, call: SimulatedCall, fault: str | None
    ) -> web.StreamResponse:
        """The call exists; now the client may hear of it."""
        config = self._simulation.config
        if (latency := call.draws.seconds("latency", span=config.answer_latency)) > 0:
            await asyncio.sleep(latency)
        match fault:
            case "timeout_after_accept":
                return await never(request)
            case "late_answer":
                await asyncio.sleep(config.faults.late_answer_seconds)
                return answer
            case "reset_after_accept":
                return reset(request)
            case "error_after_accept":
                return problem(502, "Bad gateway")
            case "missing_id":
                return ok({"status": "queued"}, status=201)
            case _:
                return answer

    def _counted(
        self, result: str, answer: web.Response, *, body: Mapping[str, Any], call: SimulatedCall | None = None
    ) -> web.Response:
        self._simulation.ledger.requests[result] += 1
        fields = {"name": body.get("name"), "id": call and call.id, "number": call and call.number, "answer": result}
        self._simulation.log("create", fields)
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
