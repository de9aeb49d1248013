"""The database's clock as this process knows it: every dial instant is a reading of it; every send waits on ours."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from campaigns.calls.clock_bounds import ClockBounds
from campaigns.calls.pacing import LATENESS
from campaigns.services.machine_clock import Monotonic

log = logging.getLogger(__name__)

MOST_READINGS = 5
"""A machine so busy that none of them is quick has to do without turns for a moment."""
STEP = LATENESS / 2
"""Seconds: a smaller step is within what dials may slip, along with all by which one may leave late. And a clock that
is slewed must not look like one that is set."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The database's clock just now, and how it maps to ours."""

    now: float
    """Seconds since the epoch."""
    bounds: ClockBounds
    steps: int
    """How often the clock was seen to be set."""

    @property
    def is_precise(self) -> bool:
        """Whether a dial can still be sent in time by it."""
        return self.bounds.uncertainty < LATENESS / 2

    def soonest(self, instant: float) -> float:
        """Our clock when the database's surely shows `instant`."""
        return instant - self.bounds.low

    def latest(self, instant: float) -> float:
        """Our clock when the database's is surely not past `instant`."""
        return instant - self.bounds.high


class DatabaseClock:
    """One a process; used by all of its threads."""

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: ClockBounds | None = None
        self._steps = 0
        self._is_unclear = False

    def read(self, ask: Callable[[], float]) -> Reading:
        """Look at the database's clock; `ask` is one short statement. Again if its answer took long."""
        for _ in range(MOST_READINGS):
            before = self._clock()
            now = ask()
            reading = self._learn(now, ClockBounds.of_reading(now, before=before, after=self._clock()))
            if reading.is_precise:
                break
        self._tell(reading)
        return reading

    def _tell(self, reading: Reading) -> None:
        """Once, and once when it is over: meanwhile nothing is dialed, and nobody would know why."""
        was_unclear, self._is_unclear = self._is_unclear, not reading.is_precise
        if self._is_unclear and not was_unclear:
            log.warning("database_answers_too_slowly nothing_is_dialed by_seconds=%.3f", reading.bounds.uncertainty)
        elif was_unclear and not self._is_unclear:
            log.warning("database_answers_in_time_again")

    def _learn(self, now: float, bounds: ClockBounds) -> Reading:
        with self._lock:
            if self._known is not None:
                step = self._known.step_to(bounds)
                if abs(step) > STEP:
                    self._steps += 1
                    log.warning("database_clock_was_set by_seconds=%.3f", step)
                bounds = self._known.joined(bounds)
            self._known = bounds
            return Reading(now, bounds, self._steps)
