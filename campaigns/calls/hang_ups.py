"""When a person's ending of a call counts as hanging up on it."""

from datetime import timedelta

HANG_UP_WITHIN = timedelta(seconds=30)
"""As long as states give a caller to say who calls and why (New Jersey, Texas, Washington: 30 s). Who ends the call
before has hung up on it; who ends it later has said goodbye."""


def is_hang_up(*, ended_by_customer: bool, duration: timedelta | None) -> bool:
    """Whether a law on calling back those who hung up applies; a call of unknown length counts as a short one."""
    return ended_by_customer and (duration is None or duration < HANG_UP_WITHIN)
