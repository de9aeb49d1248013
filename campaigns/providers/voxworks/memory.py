"""What one process has noticed of calls, and what their own answers do not say."""

from datetime import datetime, timedelta

FORGOTTEN_AFTER = timedelta(hours=1)
"""No call goes on for so long after it was noticed, and the memory must not grow."""


class Memory:
    """When something was first noticed of a call."""

    def __init__(self) -> None:
        self._noticed: dict[str, datetime] = {}

    def notice(self, provider_call_id: str, *, now: datetime) -> datetime:
        """Keep it; returns since when it is known."""
        self._noticed = {call: at for call, at in self._noticed.items() if now - at < FORGOTTEN_AFTER}
        return self._noticed.setdefault(provider_call_id, now)

    def forget(self, provider_call_id: str) -> None:
        """It is no longer of use."""
        self._noticed.pop(provider_call_id, None)

    def holds(self, provider_call_id: str) -> bool:
        """Whether it was noticed of this call."""
        return provider_call_id in self._noticed
