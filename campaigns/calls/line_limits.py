"""Limits of a line: most dials in a UTC day, and in any sixty minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LineLimits:
    """What a campaign asks of each of its lines, over all campaigns; None: no limit."""

    daily: int | None = None
    hourly: int | None = None

    @property
    def any(self) -> bool:
        return self.daily is not None or self.hourly is not None

    def left(self, *, day: int, hour: int) -> int | None:
        """Dials that the limits leave a line that has made so many; None: as many as you like. Not below 0."""
        left = [most - used for most, used in ((self.daily, day), (self.hourly, hour)) if most is not None]
        return max(0, min(left)) if left else None


@dataclass(frozen=True, slots=True)
class LineSpans:
    """Since when attempts of a line count, by the campaign clock of their claims."""

    day_from: datetime
    hour_from: datetime

    @classmethod
    def at(cls, now: datetime, *, late: timedelta) -> "LineSpans":
        """`late`: how long after its claim a dial may leave. One that was claimed before midnight may ring after it."""
        return cls(day_start(now) - late, now - HOUR - late)


def day_start(instant: datetime) -> datetime:
    """Daily limits are per UTC day, as the providers reset theirs."""
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
