"""Takes creates in, for every provider alike: chance, limits, faults, and the call."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from campaigns.simulator.answers import never, reset
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import FAULTS
from campaigns.simulator.dialect import Dialect
from campaigns.simulator.draws import Draws
from campaigns.simulator.fates import Fate, draw_fate

if TYPE_CHECKING:
    from campaigns.simulator.simulation import Simulation

BEFORE_ACCEPTING = frozenset({"reset_before_accept", "error_before_accept", "rate_limited"})
"""With these faults no call is made."""

DAY_MS = 86_400_000
MINUTE_MS = 60_000


def as_drawn(fate: Fate) -> Fate:
    """No change."""
    return fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A create that was found sound, in the same terms for every provider."""

    dialect: Dialect
    number: str
    line: str
    attempt: str | None
    """The client's own key of this attempt, by which a call made twice is told."""
    name: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    customer: Mapping[str, Any] = field(default_factory=dict)
    fault: str | None = None
    scheduled_ms: int | None = None
    shape: Callable[[Fate], Fate] = as_drawn
    """What the request itself makes of the fate, such as a shorter ring time."""


class Intake:
    """One for all providers, so that the draws of a number go on whichever API it is called by."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._creates_by_number: Counter[str] = Counter()
        self._calls_by_number: Counter[str] = Counter()
        self._calls_by_line_day: Counter[tuple[str, int]] = Counter()
        self._minute_by_provider: dict[str, tuple[int, int]] = {}

    def over_rate(self, dialect: Dialect) -> bool:
        """Count a create, and say whether it is one too many in this UTC minute."""
        limit = self._simulation.config.requests_per_minute
        minute = self._simulation.clock.now_ms() // MINUTE_MS
        latest, creates = self._minute_by_provider.get(dialect.name, (minute, 0))
        creates = creates + 1 if latest == minute else 1
        self._minute_by_provider[dialect.name] = (minute, creates)
        return limit is not None and creates > limit

    def calls_today(self, line: str) -> int:
        """Calls made from this line since 00:00 UTC."""
        return self._calls_by_line_day[line, self._today()]

    def draw_fault(self, number: str) -> str | None:
        """By the number's how-manyth create, accepted or not: a retry after a fault draws anew."""
        self._creates_by_number[number] += 1
        faults = self._simulation.config.faults
        shares = {name: getattr(faults, name) for name in FAULTS}
        return self.draws_of_latest_create(number).pick_or_none("fault", shares=shares)

    def draws_of_latest_create(self, number: str) -> Draws:
        """For faults that only one provider has; the same draws until the number's next create."""
        return Draws(self._simulation.config.seed, number, self._creates_by_number[number])

    def fail(self, fault: str, request: web.Request, *, dialect: Dialect) -> web.Response:
        """The answer to a create that met one of `BEFORE_ACCEPTING`."""
        faults = self._simulation.config.faults
        match fault:
            case "reset_before_accept":
                return reset(request)
            case "rate_limited":
                return dialect.fault_answers.rate_limited(retry_after=faults.retry_after_seconds)
            case _:
                return dialect.fault_answers.server_error(status=faults.error_before_accept_status)

    def accept(self, order: Order) -> SimulatedCall:
        """From here on the call exists."""
        simulation, number = self._simulation, order.number
        self._calls_by_number[number] += 1
        self._calls_by_line_day[order.line, self._today()] += 1
        draws = Draws(simulation.config.seed, number, self._calls_by_number[number])
        now_ms = simulation.clock.now_ms()
        call = SimulatedCall(
            id=order.dialect.new_id(now_ms),
            dialect=order.dialect,
            number=number,
            attempt=order.attempt,
            name=order.name,
            line=order.line,
            request=order.request,
            customer=order.customer,
            draws=draws,
            fate=order.shape(draw_fate(draws, config=simulation.config, stuck=order.fault == "stuck")),
            created_ms=now_ms,
            updated_ms=now_ms,
            answer=order.fault or "201",
            scheduled_ms=order.scheduled_ms,
        )
        simulation.telephony.accept(call)
        return call

    async def answer(
        self, request: web.Request, answer: web.Response, *, call: SimulatedCall, fault: str | None
    ) -> web.StreamResponse:
        """The call exists; now the client may hear of it, or of the fault."""
        config, words = self._simulation.config, call.dialect.fault_answers
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
                return words.server_error(status=config.faults.error_after_accept_status)
            case "missing_id":
                return words.without_id()
            case _:
                return answer

    def count(self, result: str, *, dialect: Dialect, attempt: str | None, call: SimulatedCall | None = None) -> None:
        """One create and what it was answered: a status, or the name of a fault."""
        self._simulation.ledger.requests[result] += 1
        about = {"id": call.id, "number": call.number} if call else {"id": None, "number": None}
        fields = {"provider": dialect.name, "attempt": attempt, "name": attempt, **about, "answer": result}
        self._simulation.log("create", fields)

    def _today(self) -> int:
        return self._simulation.clock.now_ms() // DAY_MS
