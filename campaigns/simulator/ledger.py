"""What the simulator counts. It is the witness that nobody was called twice by a fault."""

import time
from collections import Counter, deque
from typing import Any


class Ledger:
    """Counts of requests, dials and deliveries.

    A *double dial* is a create that made a call although
    - the same attempt (the client's own key of it) had made one before, or
    - another call to the same number was still live.
    A call to a person who answered an earlier one is counted apart (`redials_after_answer`): two campaigns may do that.
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        """Creates by what they were answered: a status, or the name of a fault."""
        self.by_number: Counter[str] = Counter()
        self.by_attempt: Counter[str] = Counter()
        self.by_outcome: Counter[str] = Counter()
        self.webhooks: Counter[str] = Counter()
        self.live_by_number: Counter[str] = Counter()
        self.double_dials = 0
        self.same_attempt = 0
        self.live_number = 0
        self.redials_after_answer = 0
        self.in_flight = 0
        self.in_flight_by_provider: Counter[str] = Counter()
        self.dials_by_provider: Counter[str] = Counter()
        self.in_flight_max = 0
        self.dials_in_any_second_max = 0
        self._answered: set[str] = set()
        self._last_second: deque[float] = deque()

    def count_created(self, number: str, *, attempt: str | None) -> None:
        """A create was accepted, whether its call may start at once or not."""
        same_attempt = attempt is not None and self.by_attempt[attempt] > 0
        live_number = self.live_by_number[number] > 0
        self.same_attempt += same_attempt
        self.live_number += live_number
        self.double_dials += same_attempt or live_number
        self.redials_after_answer += number in self._answered
        self.live_by_number[number] += 1
        if attempt is not None:
            self.by_attempt[attempt] += 1

    def count_dial(self, number: str, *, provider: str) -> None:
        """A call takes a slot of its provider's account, and the phone will ring."""
        self.by_number[number] += 1
        self.dials_by_provider[provider] += 1
        self.in_flight_by_provider[provider] += 1
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self._count_second(time.monotonic())

    def count_received(self, *, provider: str) -> None:
        """A call that nobody dialed takes a slot."""
        self.in_flight_by_provider[provider] += 1
        self.in_flight += 1

    def count_free_slot(self, *, provider: str) -> None:
        """A call that had a slot is over."""
        self.in_flight_by_provider[provider] -= 1
        self.in_flight -= 1

    def count_over(self, number: str, *, outcome: str) -> None:
        """A call is over, whether it had a slot or not."""
        self.by_outcome[outcome] += 1
        self.live_by_number[number] -= 1
        if not self.live_by_number[number]:
            del self.live_by_number[number]
        if outcome == "answered":
            self._answered.add(number)

    def _count_second(self, now: float) -> None:
        self._last_second.append(now)
        while self._last_second[0] <= now - 1.0:
            self._last_second.popleft()
        self.dials_in_any_second_max = max(self.dials_in_any_second_max, len(self._last_second))

    def snapshot(self) -> dict[str, Any]:
        """The body of `GET /simulator/stats`."""
        return {
            "creates": self.requests.total(),
            "creates_by_answer": dict(self.requests),
            "dials": self.by_number.total(),
            "dials_by_provider": dict(self.dials_by_provider),
            "numbers": len(self.by_number),
            "by_number_max": max(self.by_number.values(), default=0),
            "by_attempt_max": max(self.by_attempt.values(), default=0),
            "double_dials": self.double_dials,
            "double_dials_same_attempt": self.same_attempt,
            "double_dials_live_number": self.live_number,
            "redials_after_answer": self.redials_after_answer,
            "calls_in_flight": self.in_flight,
            "calls_in_flight_max": self.in_flight_max,
            "dials_max_in_any_second": self.dials_in_any_second_max,
            "by_outcome": dict(self.by_outcome),
            "webhooks": dict(self.webhooks),
        }
