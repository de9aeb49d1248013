"""Durations as a campaign file writes them: `90s`, `10m`, `2h`, `15d`, `1h30m`."""

import re
from datetime import timedelta

_DURATION = re.compile(r"(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)

LONGEST_DURATION = timedelta(days=366)
"""No rung or run of a campaign is longer than a year; the bound also keeps every later sum of instants in range."""


class DurationError(ValueError):
    """The text is no duration. The message says what one looks like."""


def parse_duration(text: str) -> timedelta:
    """Read `1h30m` and the like: whole days, hours, minutes, seconds, in this order, each at most once.

    Raises `DurationError` for anything else and for more than 366 days.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise DurationError("a duration is a number with a unit, such as 90s, 10m, 2h, 15d or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if duration > LONGEST_DURATION:
        raise DurationError("a duration is at most 366d")
    return duration


def format_duration(duration: timedelta) -> str:
    """The text that `parse_duration` reads back to the same whole seconds; `0s` for none.

    Days only for whole days: people say 27h of a ladder's rung, not 1d3h.
    """
    total = int(duration.total_seconds())
    if total and total % 86_400 == 0:
        return f"{total // 86_400}d"
    minutes, seconds = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount) or "0s"
