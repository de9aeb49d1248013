"""When the rehearsal begins: early on an ordinary afternoon, with an ordinary day after it for the second tries."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = "America/New_York"
START_LOCAL = time(13, 0)
"""One in the afternoon in New York is ten in the morning in California: most of the country may be called."""

SATURDAY = 5


def next_ordinary_start(after: datetime, *, is_holiday: Callable[[date], bool]) -> datetime:
    """The next 13:00 in New York, in UTC, on a working day that is followed by another one."""
    zone = ZoneInfo(NEW_YORK)
    day = after.astimezone(zone).date()
    while True:
        day += timedelta(days=1)
        if all(_is_ordinary(each, is_holiday=is_holiday) for each in (day, day + timedelta(days=1))):
            return datetime.combine(day, START_LOCAL, tzinfo=zone).astimezone(UTC)


def _is_ordinary(day: date, *, is_holiday: Callable[[date], bool]) -> bool:
    return day.weekday() < SATURDAY and not is_holiday(day)
