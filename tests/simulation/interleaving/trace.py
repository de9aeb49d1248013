"""What happened in a schedule, step by step, for a person to read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 12, 2, 0, 0, tzinfo=UTC)
"""Virtual time 0 of every schedule."""


class Trace:
    """Numbered lines: virtual time, who, what."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.clock: Callable[[], float] = lambda: 0.0

    def note(self, who: str, what: str) -> None:
        """Write one line."""
        self.lines.append(f"{len(self.lines) + 1:5}  {self._time()}  {who:<18} {what}")

    def _time(self) -> str:
        instant = BEGINNING + timedelta(seconds=self.clock())
        return f"{instant:%d %H:%M:%S}.{instant.microsecond // 1000:03}"
