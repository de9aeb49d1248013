from datetime import date, timedelta

import pytest

from campaigns.compliance.facts import ConsentLevel, Purpose
from campaigns.compliance.law import law_for
from campaigns.compliance.rules import ALL_DAY, RuleBook, Span, cut, frozen_dates, overlap, week_of

NINE_TO_FIVE = Span(timedelta(hours=9), timedelta(hours=17))
EIGHT_TO_NOON = Span(timedelta(hours=8), timedelta(hours=12))
EVENING = Span(timedelta(hours=18), timedelta(hours=20))


def test_hours_are_written_as_people_read_them() -> None:
    assert str(NINE_TO_FIVE) == "09:00-17:00"
    assert str(ALL_DAY) == "00:00-24:00"


def test_hours_overlap_in_what_both_allow() -> None:
    assert overlap(NINE_TO_FIVE, EIGHT_TO_NOON) == Span(timedelta(hours=9), timedelta(hours=12))
    assert overlap(NINE_TO_FIVE, EVENING) is None
    assert overlap(NINE_TO_FIVE, None) is None


def test_a_week_that_says_nothing_limits_nothing() -> None:
    week = week_of(weekday=NINE_TO_FIVE, saturday=EIGHT_TO_NOON, sunday=None)
    assert cut(None, week) == cut(week, None) == week
    assert cut(None, None) is None
    closed_sunday = week_of(weekday=EIGHT_TO_NOON, saturday=None, sunday=NINE_TO_FIVE)
    morning = Span(timedelta(hours=9), timedelta(hours=12))
    assert cut(week, closed_sunday) == (morning,) * 5 + (None, None)


def test_past_its_last_date_a_list_calls_every_day_special() -> None:
    days = frozen_dates({date(2027, 12, 25): "Christmas Day"})
    assert days.name_of(date(2027, 12, 25)) == "Christmas Day"
    assert days.name_of(date(2027, 12, 24)) is None
    assert days.name_of(date(2027, 12, 26)) == "the list of dates ends on 2027-12-25"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("NY", ["HOURS-US", "HOURS-US-NY"]),
        ("AZ", ["HOURS-US"]),
        ("AL", ["HOURS-US", "HOLIDAY-US-AL", "DAY-US-AL", "HOURS-US-AL"]),
        ("NE", ["HOURS-US", "HOURS-US-NE"]),
    ],
)
def test_sales_calls_keep_these_windows(rules: RuleBook, state: str, expected: list[str]) -> None:
    law = law_for(rules, ("US", f"US-{state}"), Purpose.TELEMARKETING)
    assert [rule.rule_id for rule in law.windows] == expected


def test_other_calls_keep_policy_federal_and_device_hours(rules: RuleBook) -> None:
    def windows(state: str, purpose: Purpose) -> list[str]:
        return [rule.rule_id for rule in law_for(rules, ("US", f"US-{state}"), purpose).windows]

    assert windows("AL", Purpose.INFORMATIONAL) == ["POL-HOURS-INFO"]
    assert windows("CA", Purpose.INFORMATIONAL) == ["POL-HOURS-INFO", "HOURS-US-CA"]
    assert windows("CA", Purpose.DEBT_COLLECTION) == ["HOURS-US", "HOURS-US-CA"]
    assert windows("CA", Purpose.EMERGENCY) == []


def test_the_strictest_consent_of_all_jurisdictions_is_asked_for(rules_of_all_countries: RuleBook) -> None:
    rules = rules_of_all_countries
    assert law_for(rules, ("US", "US-NY"), Purpose.INFORMATIONAL).consent is ConsentLevel.PEC
    assert law_for(rules, ("DE",), Purpose.INFORMATIONAL).consent is ConsentLevel.PEWC
    assert law_for(rules, ("US",), Purpose.EMERGENCY).consent is None
    # Nothing known of a place: ask for the most.
    assert law_for(rules, (), Purpose.INFORMATIONAL).consent is ConsentLevel.PEWC


def test_the_youngest_registry_asked_for_binds(rules_of_all_countries: RuleBook) -> None:
    assert law_for(rules_of_all_countries, ("GB",), Purpose.TELEMARKETING).dnc_max_age == timedelta(days=28)
    assert law_for(rules_of_all_countries, ("US", "US-NY"), Purpose.INFORMATIONAL).dnc_max_age is None
