"""The provider's clock: ours plus an offset, in milliseconds, never going back."""

import time
from datetime import UTC, datetime


class ProviderClock:
    """`createdAt` has milliseconds and must not go back, or pages of the list would overlap or leave gaps."""

    def __init__(self, *, offset: float = 0.0) -> None:
        self.offset = offset
        self._latest_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        self._latest_ms = max(self._latest_ms, int((time.time() + self.offset) * 1000))
        return self._latest_ms


def iso(at_ms: int) -> str:
    """`2026-12-01T08:00:00.123Z`."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
