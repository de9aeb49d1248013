from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from campaigns.cli.demo.clock import next_ordinary_start

NEW_YORK = ZoneInfo("America/New_York")


def start_after(*day: int, holidays: frozenset[date] = frozenset()) -> datetime:
    after = datetime(*day, 12, 0, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day
    return next_ordinary_start(after, is_holiday=lambda each: each in holidays).astimezone(NEW_YORK)


def test_the_rehearsal_begins_on_the_next_day_at_one_in_new_york() -> None:
    assert start_after(2026, 11, 23) == datetime(2026, 11, 24, 13, 0, tzinfo=NEW_YORK)


def test_a_weekend_is_passed_over() -> None:
    assert start_after(2026, 11, 20).date() == date(2026, 11, 23)


def test_a_friday_is_no_start_because_no_working_day_follows() -> None:
    assert start_after(2026, 11, 5).date() == date(2026, 11, 9)


def test_a_holiday_and_the_day_before_it_are_passed_over() -> None:
    thanksgiving = frozenset({date(2026, 11, 26)})
    assert start_after(2026, 11, 24, holidays=thanksgiving).date() == date(2026, 11, 30)
