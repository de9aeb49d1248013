"""Plays calls out: queued, ringing, in progress, ended, reported, each on the event loop's timer."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from campaigns.simulator.calls import CallBook, CallKind, SimulatedCall
from campaigns.simulator.clock import ProviderClock
from campaigns.simulator.config import SimulatorConfig, WhenFull
from campaigns.simulator.dialect import Dialect, Happening
from campaigns.simulator.ledger import Ledger

LIVE_STATUSES = frozenset({"queued", "ringing", "in-progress", "forwarding"})

BULKY = frozenset({"assistant", "assistantOverrides", "squad", "squadOverrides", "workflow", "workflowOverrides"})
"""Forgotten once a call is reported, so that a million calls fit into memory."""


class Telephony:
    """Owns the life of every call. `config()` is read anew at each step, so it may change while calls are live."""

    def __init__(
        self,
        *,
        config: Callable[[], SimulatorConfig],
        clock: ProviderClock,
        ledger: Ledger,
        book: CallBook,
        announce: Callable[[Happening], None],
    ) -> None:
        self._config = config
        self._clock = clock
        self._ledger = ledger
        self._book = book
        self._announce = announce
        self._waiting: defaultdict[str, deque[SimulatedCall]] = defaultdict(deque)

    def is_full(self, dialect: Dialect) -> bool:
        """The concurrency limit of this provider's account is reached."""
        limit = self._config().concurrency_limit
        return limit is not None and self._ledger.in_flight_by_provider[dialect.name] >= limit

    def accept(self, call: SimulatedCall) -> None:
        """The create is accepted: from here on the call exists."""
        self._book.add(call)
        self._ledger.count_created(call.number, attempt=call.attempt)
        if call.scheduled_ms is not None and call.scheduled_ms > call.created_ms:
            self._set_status(call, "scheduled")
            self._start_on_time(call, at_ms=call.scheduled_ms)
            return
        self._start(call)

    def reschedule(self, call: SimulatedCall, *, at_ms: int) -> bool:
        """Move a call that is still scheduled; False: it is not."""
        if call.status != "scheduled":
            return False
        call.scheduled_ms, call.updated_ms = at_ms, self._clock.now_ms()
        self._start_on_time(call, at_ms=at_ms)
        return True

    def receive(self, call: SimulatedCall) -> None:
        """A call that somebody else began takes a slot and rings; one from a browser is there without ringing."""
        self._book.add(call)
        self._ledger.count_received(provider=call.dialect.name)
        if call.kind is CallKind.WEB:
            self._pick_up(call)
        else:
            self._ring(call)

    def recheck(self, call: SimulatedCall) -> None:
        """Ask anew whether a call that waits for a slot may still start."""
        if call.waiting and self._is_hindered(call):
            self._waiting[call.dialect.name].remove(call)
            call.waiting = False

    def hang_up(self, call: SimulatedCall, *, reason: str | None = None) -> bool:
        """End a live call at the caller's wish; False: it is over."""
        if call.status not in LIVE_STATUSES:
            return False
        self._end(call, reason or call.dialect.endings.stopped, outcome="cancelled")
        return True

    def unschedule(self, call: SimulatedCall) -> bool:
        """Cancel a call that is still scheduled; False: it is not."""
        if call.status != "scheduled":
            return False
        self._finish(call, call.dialect.endings.unscheduled, outcome="cancelled")
        return True

    def _start_on_time(self, call: SimulatedCall, *, at_ms: int) -> None:
        seconds = max(0, at_ms - self._clock.now_ms()) / 1000
        self._after(seconds, self._start_if_still_at, call, at_ms, scaled=False)

    def _start_if_still_at(self, call: SimulatedCall, at_ms: int) -> None:
        """It may have been moved or taken back since."""
        if call.status == "scheduled" and call.scheduled_ms == at_ms:
            self._start(call)

    def _start(self, call: SimulatedCall) -> None:
        if call.status != "ended" and not self._is_hindered(call):
            self._start_unhindered(call)

    def _is_hindered(self, call: SimulatedCall) -> bool:
        """A call that may not start ends here, and rings nobody's phone."""
        reason = call.dialect.hindrance(call)
        if reason is not None:
            self._finish(call, reason, outcome="hindered")
        return reason is not None

    def _start_unhindered(self, call: SimulatedCall) -> None:
        if self.is_full(call.dialect):
            self._start_over_limit(call)
        else:
            self._take_slot(call)

    def _start_over_limit(self, call: SimulatedCall) -> None:
        if call.dialect.when_full(self._config()) is WhenFull.END:
            self._finish(call, call.dialect.endings.over_limit, outcome="over_limit")
            return
        call.waiting = True
        self._waiting[call.dialect.name].append(call)
        self._set_status(call, "queued")

    def _take_slot(self, call: SimulatedCall) -> None:
        call.waiting = False
        self._ledger.count_dial(call.number, provider=call.dialect.name)
        self._set_status(call, "queued")
        self._unless_stuck(call, "queued", call.fate.queued, self._ring)

    def _ring(self, call: SimulatedCall) -> None:
        if call.fate.ring is None:
            self._end_as_fated(call)
            return
        self._set_status(call, "ringing")
        self._unless_stuck(call, "ringing", call.fate.ring, self._pick_up)

    def _pick_up(self, call: SimulatedCall) -> None:
        if call.fate.talk is None:
            self._end_as_fated(call)
            return
        call.started_ms = self._clock.now_ms()
        self._set_status(call, "in-progress")
        self._unless_stuck(call, "in-progress", call.fate.talk, self._end_as_fated)

    def _end_as_fated(self, call: SimulatedCall) -> None:
        reasons = call.dialect.endings.by_outcome[call.fate.outcome]
        reason = call.fate.reason or call.draws.pick("reason", weights=reasons)
        self._end(call, reason, outcome=call.fate.outcome)

    def _end(self, call: SimulatedCall, reason: str, *, outcome: str) -> None:
        if call.waiting:
            self._waiting[call.dialect.name].remove(call)
        else:
            self._ledger.count_free_slot(provider=call.dialect.name)
        self._finish(call, reason, outcome=outcome)
        self._start_waiting(call.dialect)

    def _start_waiting(self, dialect: Dialect) -> None:
        """The longest waiting calls of this provider's account first."""
        waiting = self._waiting[dialect.name]
        while waiting and not self.is_full(dialect):
            call = waiting.popleft()
            if not self._is_hindered(call):
                self._take_slot(call)

    def _finish(self, call: SimulatedCall, reason: str, *, outcome: str) -> None:
        if call.kind is CallKind.OUTBOUND:
            self._ledger.count_over(call.number, outcome=outcome)
        call.ended_ms = self._clock.now_ms()
        call.ended_reason = reason
        call.outcome = outcome
        self._set_status(call, "ended")
        self._after(call.fate.report_delay, self._report, call)

    def _report(self, call: SimulatedCall) -> None:
        call.reported = True
        call.updated_ms = self._clock.now_ms()
        self._announce(Happening("report", call, call.status, call.updated_ms))
        call.request = {key: value for key, value in call.request.items() if key not in BULKY}

    def _set_status(self, call: SimulatedCall, status: str) -> None:
        call.status = status
        call.updated_ms = self._clock.now_ms()
        self._announce(Happening("status", call, status, call.updated_ms))

    def _unless_stuck(self, call: SimulatedCall, status: str, seconds: float, step: "Step") -> None:
        if call.fate.stuck_at != status:
            self._after(seconds, self._if_still, call, status, step)

    def _if_still(self, call: SimulatedCall, status: str, step: "Step") -> None:
        """The call may have been hung up while it rang."""
        if call.status == status:
            step(call)

    def _after(self, seconds: float, step: Callable[..., None], *arguments: Any, scaled: bool = True) -> None:
        delay = seconds / self._config().speed if scaled else seconds
        asyncio.get_running_loop().call_later(delay, step, *arguments)


Step = Callable[[SimulatedCall], None]
