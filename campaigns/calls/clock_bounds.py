"""What one process knows of another clock: bounds, narrowed by every reading, widened by time."""

from dataclasses import dataclass

DRIFT = 0.001
"""Seconds a second: clocks of machines that are kept in step differ by less than half of it."""


@dataclass(frozen=True, slots=True)
class ClockBounds:
    """The other clock is ahead of ours by something between `low` and `high` seconds, as known at `read_at` of ours."""

    low: float
    high: float
    read_at: float

    @classmethod
    def of_reading(cls, reading: float, *, before: float, after: float) -> "ClockBounds":
        """The other clock showed `reading` at some time between `before` and `after` of ours."""
        return cls(reading - after, reading - before, after)

    @property
    def uncertainty(self) -> float:
        return self.high - self.low

    def at(self, now: float) -> "ClockBounds":
        """What is left of the knowledge at a later time."""
        slack = DRIFT * max(0.0, now - self.read_at)
        return ClockBounds(self.low - slack, self.high + slack, max(now, self.read_at))

    def step_to(self, later: "ClockBounds") -> float:
        """Seconds by which the other clock must have been set since; 0 if both readings fit one clock."""
        known = self.at(later.read_at)
        return max(later.low - known.high, 0.0) or min(later.high - known.low, 0.0)

    def joined(self, later: "ClockBounds") -> "ClockBounds":
        """Both readings together; the later one alone where they contradict each other."""
        known = self.at(later.read_at)
        low, high = max(known.low, later.low), min(known.high, later.high)
        return ClockBounds(low, high, known.read_at) if low <= high else later
