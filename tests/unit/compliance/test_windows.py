from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Opening
from campaigns.compliance.facts import CallingHours, DayHours, Facts, PlaceEvidence, Purpose
from campaigns.compliance.law import campaign_window, law_for
from campaigns.compliance.places import Place, place_of
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.windows import Timeline, hours_on, next_opening, windows_for

NEW_YORK = ("America/New_York",)
MINUTE = timedelta(minutes=1)
ALL_DAY = DayHours(time(0), time.max)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.fixture
def opening(
    rules: RuleBook, area_codes: AreaCodeTable, build_facts: Callable[..., Facts]
) -> Callable[..., Opening | None]:
    def first(
        number: str, after: str, *, horizon: timedelta = timedelta(days=400), **changes: object
    ) -> Opening | None:
        plan = build_facts(**changes).plan
        place = place_of(number, PlaceEvidence(), area_codes=area_codes, rules=rules, at=utc(after))
        return next_opening(place, plan, rules=rules, after=utc(after), horizon=horizon)

    return first


def every_day(hours: DayHours | None) -> CallingHours:
    return CallingHours((hours,) * 7)


def test_a_call_outside_its_window_waits_for_the_next_opening(opening: Callable[..., Opening | None]) -> None:
    assert opening("+12125550123", "2026-11-24T04:00") == Opening(utc("2026-11-24T13:00"), utc("2026-11-25T02:00"))


def test_a_call_inside_its_window_opens_at_once(opening: Callable[..., Opening | None]) -> None:
    assert opening("+12125550123", "2026-11-23T16:00") == Opening(utc("2026-11-23T16:00"), utc("2026-11-24T02:00"))


def test_a_window_excludes_its_end_and_includes_its_start(opening: Callable[..., Opening | None]) -> None:
    at_end = opening("+12125550123", "2026-11-24T02:00")
    assert at_end is not None
    assert at_end.opens_at == utc("2026-11-24T13:00")
    at_start = opening("+12125550123", "2026-11-24T13:00")
    assert at_start is not None
    assert at_start.opens_at == utc("2026-11-24T13:00")


def test_two_zones_leave_what_both_have_open(opening: Callable[..., Opening | None]) -> None:
    # 423: 08:00 Central is 14:00 UTC, 21:00 Eastern is 02:00 UTC.
    assert opening("+14235550123", "2026-11-23T06:00") == Opening(utc("2026-11-23T14:00"), utc("2026-11-24T02:00"))


def test_the_end_guard_closes_early_and_a_call_inside_it_waits(opening: Callable[..., Opening | None]) -> None:
    guard = timedelta(seconds=60)
    before = opening("+12125550123", "2026-11-24T01:58", end_guard=guard)
    assert before == Opening(utc("2026-11-24T01:58"), utc("2026-11-24T01:59"))
    inside = opening("+12125550123", "2026-11-24T01:59", end_guard=guard)
    assert inside is not None
    assert inside.opens_at == utc("2026-11-24T13:00")


def test_sundays_and_holidays_are_skipped_where_sales_are_banned(opening: Callable[..., Opening | None]) -> None:
    # Alabama: Christmas 2026 is a Friday, so Saturday is next.
    assert opening("+12055550123", "2026-12-25T03:00") == Opening(utc("2026-12-26T14:00"), utc("2026-12-27T02:00"))
    # Maine: no automated sales on the weekend at all.
    monday = opening("+12075550123", "2026-11-28T15:00")
    assert monday == Opening(utc("2026-11-30T14:00"), utc("2026-11-30T22:00"))


def test_nebraska_opens_at_one_on_a_holiday(opening: Callable[..., Opening | None]) -> None:
    # Thanksgiving, both zones: 13:00 Mountain is 20:00 UTC; 21:00 Central is 03:00 UTC.
    assert opening("+13085550123", "2026-11-26T15:00") == Opening(utc("2026-11-26T20:00"), utc("2026-11-27T03:00"))


def test_past_the_last_listed_holiday_a_state_with_a_ban_never_opens(opening: Callable[..., Opening | None]) -> None:
    assert opening("+12055550123", "2027-12-31T03:00") is None
    # Where holidays only shorten the day, every day past the list is taken for one.
    assert opening("+14025550123", "2028-02-01T12:00") == Opening(utc("2028-02-01T20:00"), utc("2028-02-02T03:00"))


def test_informational_calls_keep_policy_hours_and_the_device_laws_but_no_sales_bans(
    opening: Callable[..., Opening | None],
) -> None:
    on_sunday = opening("+12055550123", "2026-11-22T18:00", purpose=Purpose.INFORMATIONAL)
    assert on_sunday == Opening(utc("2026-11-22T18:00"), utc("2026-11-23T03:00"))
    california = opening("+14155550123", "2026-11-23T16:30", purpose=Purpose.INFORMATIONAL)
    assert california == Opening(utc("2026-11-23T17:00"), utc("2026-11-24T05:00"))


def test_a_collector_keeps_the_federal_hours(opening: Callable[..., Opening | None]) -> None:
    at_night = opening("+12055550123", "2026-11-22T04:00", purpose=Purpose.DEBT_COLLECTION)
    assert at_night == Opening(utc("2026-11-22T14:00"), utc("2026-11-23T03:00"))


def test_a_campaigns_hours_cut_the_laws_and_never_widen_them(opening: Callable[..., Opening | None]) -> None:
    narrow = every_day(DayHours(time(10), time(12)))
    assert opening("+12125550123", "2026-11-23T06:00", calling_hours=narrow) == Opening(
        utc("2026-11-23T15:00"), utc("2026-11-23T17:00")
    )
    wide = opening("+12125550123", "2026-11-23T06:00", calling_hours=every_day(ALL_DAY))
    assert wide == Opening(utc("2026-11-23T13:00"), utc("2026-11-24T02:00"))


def test_a_campaign_closed_on_every_day_never_opens(opening: Callable[..., Opening | None]) -> None:
    assert opening("+12125550123", "2026-11-23T06:00", calling_hours=every_day(None)) is None


def test_the_plans_own_window_bounds_every_opening(opening: Callable[..., Opening | None]) -> None:
    bounded = opening(
        "+12125550123",
        "2026-11-23T13:30",
        earliest_at=utc("2026-11-23T15:00"),
        latest_at=utc("2026-11-23T16:00"),
        end_guard=MINUTE,
    )
    assert bounded == Opening(utc("2026-11-23T15:00"), utc("2026-11-23T15:59"))
    assert opening("+12125550123", "2026-11-24T03:00", latest_at=utc("2026-11-24T13:00")) is None


def test_an_opening_beyond_the_horizon_is_not_promised(opening: Callable[..., Opening | None]) -> None:
    assert opening("+12125550123", "2026-11-24T03:00", horizon=timedelta(hours=10)) is None


def test_an_emergency_is_open_until_the_plan_ends(opening: Callable[..., Opening | None]) -> None:
    latest_at = utc("2026-12-01T00:00")
    found = opening("+12125550123", "2026-11-24T03:00", purpose=Purpose.EMERGENCY, latest_at=latest_at)
    assert found == Opening(utc("2026-11-24T03:00"), latest_at)


def test_hours_around_the_clock_are_one_opening_however_long(opening: Callable[..., Opening | None]) -> None:
    latest_at = utc("2027-03-01T00:00")
    found = opening(
        "+12125550123",
        "2026-11-24T03:00",
        purpose=Purpose.EMERGENCY,
        calling_hours=every_day(ALL_DAY),
        latest_at=latest_at,
    )
    assert found == Opening(utc("2026-11-24T03:00"), latest_at)


def test_an_unknown_place_has_no_opening(rules: RuleBook, build_facts: Callable[..., Facts]) -> None:
    nowhere = Place((), (), ("unknown",), "NUM-INVALID")
    assert next_opening(nowhere, build_facts().plan, rules=rules, after=utc("2026-11-24T15:00")) is None


def test_an_hour_that_the_clock_repeats_is_open_twice() -> None:
    timeline = Timeline((campaign_window(every_day(DayHours(time(0, 30), time(1, 30)))),), NEW_YORK)
    first = timeline.opening(utc("2027-11-07T00:00"), until=utc("2027-11-08T00:00"), end_guard=timedelta())
    assert first == Opening(utc("2027-11-07T04:30"), utc("2027-11-07T05:30"))
    again = timeline.opening(utc("2027-11-07T05:30"), until=utc("2027-11-08T00:00"), end_guard=timedelta())
    assert again == Opening(utc("2027-11-07T06:00"), utc("2027-11-07T06:30"))


def test_an_hour_that_the_clock_skips_is_never_open() -> None:
    timeline = Timeline((campaign_window(every_day(DayHours(time(2), time(3)))),), NEW_YORK)
    found = timeline.opening(utc("2027-03-14T05:00"), until=utc("2027-03-16T00:00"), end_guard=timedelta())
    assert found == Opening(utc("2027-03-15T06:00"), utc("2027-03-15T07:00"))


def test_a_stretch_has_the_same_end_from_whatever_instant_it_is_asked(rules: RuleBook) -> None:
    law = law_for(rules, ("US", "US-NY"), Purpose.TELEMARKETING)
    timeline = windows_for(law, None, NEW_YORK).joint
    # Midnight UTC is where the stretches are cut into chunks; some of these evenings cross such a cut.
    for day in range(60):
        evening = utc("2026-11-23T23:59") + timedelta(days=day)
        stretch = timeline.at(evening)
        assert stretch is not None
        assert stretch.end == evening + timedelta(hours=2, minutes=1)


def test_a_day_that_closes_at_midnight_utc_closes_there_on_every_date() -> None:
    # 19:00 in Chicago is midnight UTC in summer: on one day in eight just where a chunk of stretches ends.
    timeline = Timeline((campaign_window(every_day(DayHours(time(10), time(19)))),), ("America/Chicago",))
    for day in range(16):
        noon = utc("2027-07-05T17:00") + timedelta(days=day)
        stretch = timeline.at(noon)
        assert stretch is not None
        assert stretch.end == noon + timedelta(hours=7)


def test_what_never_opens_is_closed_at_any_instant() -> None:
    assert Timeline((campaign_window(every_day(None)),), NEW_YORK).at(utc("2026-11-24T15:00")) is None


def test_an_instant_between_openings_lies_in_none(rules: RuleBook) -> None:
    timeline = windows_for(law_for(rules, ("US", "US-NY"), Purpose.TELEMARKETING), None, NEW_YORK).joint
    assert timeline.at(utc("2026-11-24T04:00")) is None


def test_a_timeline_answers_alike_however_many_years_it_is_asked_about() -> None:
    timeline = Timeline((campaign_window(every_day(DayHours(time(9), time(10)))),), ("America/Phoenix",))
    for day in range(0, 366 * 12, 8):
        assert timeline.at(utc("2026-01-01T16:30") + timedelta(days=day)) is not None
    assert timeline.at(utc("2026-01-01T16:30")) is not None


def test_a_date_has_the_hours_that_all_rules_allow(rules: RuleBook) -> None:
    law = law_for(rules, ("US", "US-RI"), Purpose.TELEMARKETING)
    assert str(hours_on(law.windows, date(2026, 11, 28))) == "10:00-17:00"
    assert hours_on(law.windows, date(2026, 11, 29)) is None
    assert hours_on(law.windows, date(2026, 12, 25)) is None
