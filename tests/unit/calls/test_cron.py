"""Cron slots: plain five-field cron in the campaign's zone, each slot once, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from campaigns.calls.cron import CronSchedule, cron_problem

NEW_YORK = ZoneInfo("America/New_York")
SPRING_EVE = datetime(2027, 3, 13, 12, tzinfo=NEW_YORK)
AUTUMN_EVE = datetime(2027, 11, 6, 12, tzinfo=NEW_YORK)


def local_slots(expression: str, *, after: datetime, count: int, zone: ZoneInfo = NEW_YORK) -> list[str]:
    schedule = CronSchedule(expression, zone)
    slots = []
    for _ in range(count):
        after = schedule.next_slot(after)
        slots.append(after.astimezone(zone).strftime("%a %H:%M %Z"))
    return slots


def test_weekday_mornings_skip_the_weekend() -> None:
    friday = datetime(2026, 12, 4, 12, tzinfo=NEW_YORK)
    assert local_slots("0 9 * * 1-5", after=friday, count=2) == ["Mon 09:00 EST", "Tue 09:00 EST"]


def test_slots_are_aware_utc() -> None:
    slot = CronSchedule("0 9 * * *", NEW_YORK).next_slot(datetime(2026, 7, 1, tzinfo=UTC))
    assert slot == datetime(2026, 7, 1, 13, tzinfo=UTC)
    assert slot.tzinfo is UTC


def test_a_time_that_the_spring_change_leaves_out_fires_once_after_the_gap() -> None:
    assert local_slots("30 2 * * *", after=SPRING_EVE, count=2) == ["Sun 03:00 EDT", "Mon 02:30 EDT"]


def test_a_fixed_time_that_the_autumn_change_repeats_fires_once() -> None:
    assert local_slots("30 1 * * *", after=AUTUMN_EVE, count=2) == ["Sun 01:30 EDT", "Mon 01:30 EST"]


def test_a_fixed_time_stays_once_even_when_asked_in_between() -> None:
    between = datetime(2027, 11, 7, 5, 45, tzinfo=UTC)
    assert local_slots("30 1 * * *", after=between, count=1) == ["Mon 01:30 EST"]


def test_an_hourly_schedule_runs_in_both_repeated_hours() -> None:
    assert local_slots("30 * * * *", after=AUTUMN_EVE + timedelta(hours=12), count=4) == [
        "Sun 00:30 EDT",
        "Sun 01:30 EDT",
        "Sun 01:30 EST",
        "Sun 02:30 EST",
    ]


def test_a_day_of_month_and_a_weekday_mean_either() -> None:
    after = datetime(2027, 8, 10, tzinfo=NEW_YORK)
    assert local_slots("0 9 20 * 5", after=after, count=3) == ["Fri 09:00 EDT"] * 3


def test_the_next_slot_is_strictly_later_and_the_first_may_be_now() -> None:
    schedule = CronSchedule("0 9 * * *", UTC)
    nine = datetime(2027, 1, 5, 9, tzinfo=UTC)
    assert schedule.next_slot(nine) == nine + timedelta(days=1)
    assert schedule.first_slot(at_or_after=nine) == nine
    assert schedule.first_slot(at_or_after=nine + timedelta(microseconds=1)) == nine + timedelta(days=1)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        CronSchedule("0 9 * * *", UTC).next_slot(datetime(2027, 1, 5, 9))  # noqa: DTZ001, the point of the test


@pytest.mark.parametrize(
    "expression",
    ["0 9 * * 1-5", "*/15 9-20 * * mon-fri", "0 0 29 2 *", "5,35 8 1,15 * *", "0 9 * Jan-Mar SUN", "0 9 * * sat-sun"],
)
def test_plain_cron_is_accepted(expression: str) -> None:
    assert cron_problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 9 * *", "exactly 5 fields"),
        ("0 9 * * * 0", "this one has 6"),
        ("0 9 * * * 0 2027", "this one has 7"),
        ("", "this one has 0"),
        ("@daily", "only digits"),
        ("0 9 * * 5#2", "only digits"),
        ("0 9 ? * *", "only digits"),
        ("٣ 9 * * *", "only digits"),
        ("R R * * *", "out of range"),
        ("H 9 * * *", "out of range"),
        ("0 9 L * *", "out of range"),
        ("60 9 * * *", "0 to 59"),
        ("0 24 * * *", "0 to 23"),
        ("0 9 0 * *", "1 to 31"),
        ("0 9 * 13 *", "jan … dec"),
        ("0 9 * * 8", "sun … sat"),
        ("0 9 * * jan", "out of range"),
        ("59/15 * * * *", "write */15"),
        ("*/0 * * * *", "1 to 59"),
        ("*/90 * * * *", "1 to 59"),
        ("0 17-9 * * *", "backwards"),
        ("1,,2 * * * *", "not cron"),
        ("1- * * * *", "not cron"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 31 4,6 *", "never comes"),
    ],
)
def test_what_is_no_plain_cron_is_refused_with_a_reason(expression: str, said: str) -> None:
    assert said in (cron_problem(expression) or "accepted")
    with pytest.raises(ValueError, match=r"\w"):
        CronSchedule(expression, UTC)


ZONES = st.sampled_from(
    ["America/New_York", "America/Phoenix", "Pacific/Honolulu", "Australia/Lord_Howe", "Africa/Cairo", "Europe/Berlin"]
).map(ZoneInfo)
INSTANTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FIXED_MINUTES = st.integers(0, 59).map(str)
FIXED_HOURS = st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True).map(
    lambda hours: ",".join(str(hour) for hour in sorted(hours))
)
WEEKDAYS = st.sampled_from(["*", "1-5", "6,0", "2"])
ORDINARY = st.builds("{} {} * * {}".format, FIXED_MINUTES, FIXED_HOURS | st.just("*"), WEEKDAYS)
"""What people write: one minute, some hours or all, some weekdays."""


@given(expression=ORDINARY, zone=ZONES, start=INSTANTS)
def test_ordinary_schedules_agree_with_an_independent_cron(expression: str, zone: ZoneInfo, start: datetime) -> None:
    noon = start.astimezone(zone).replace(hour=12, minute=0, second=0, microsecond=0)
    schedule, oracle = CronSchedule(expression, zone), CronSim(expression, noon)
    after = noon
    for _ in range(10):
        after = schedule.next_slot(after)
        assert after == next(oracle).astimezone(UTC)


@given(expression=ORDINARY, zone=ZONES, start=INSTANTS, offset=st.timedeltas(timedelta(), timedelta(days=3)))
def test_the_next_slot_does_not_depend_on_where_one_asks(
    expression: str, zone: ZoneInfo, start: datetime, offset: timedelta
) -> None:
    schedule = CronSchedule(expression, zone)
    asked_at, walked = start + offset, schedule.next_slot(start)
    while walked <= asked_at:
        walked = schedule.next_slot(walked)
    assert schedule.next_slot(asked_at) == walked
