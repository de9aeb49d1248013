from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from campaigns.compliance.area_codes import AreaCodeError, AreaCodeTable, area_code_table
from campaigns.compliance.facts import PlaceEvidence
from campaigns.compliance.places import Place, place_of
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.zones import same_rules

WINTER = datetime(2026, 11, 23, 16, tzinfo=UTC)
NEW_YORK, CHICAGO, DENVER = "America/New_York", "America/Chicago", "America/Denver"
LOS_ANGELES, PHOENIX = "America/Los_Angeles", "America/Phoenix"

Locate = Callable[..., Place]


@pytest.fixture
def locate(rules: RuleBook, area_codes: AreaCodeTable) -> Locate:
    def located(number: str, *, law: RuleBook = rules, at: datetime = WINTER, **evidence: Any) -> Place:
        return place_of(number, PlaceEvidence(**evidence), area_codes=area_codes, rules=law, at=at)

    return located


def test_without_evidence_all_zones_of_the_area_code_are_candidates(locate: Locate) -> None:
    place = locate("+14235550123")
    assert set(place.zones) == {NEW_YORK, CHICAGO}
    assert place.jurisdictions == ("US", "US-TN")
    assert place.why == ("area code 423: America/New_York, America/Chicago",)


@pytest.mark.parametrize(
    ("number", "evidence", "zones"),
    [
        ("+18505550123", {"zip_state": "FL", "zip_timezone": CHICAGO}, {CHICAGO}),
        ("+18505550123", {"timezone": NEW_YORK}, {NEW_YORK}),
        ("+18505550123", {"timezone": "US/Central"}, {CHICAGO}),
        ("+12085550123", {"zip_state": "ID", "zip_timezone": "America/Boise"}, {DENVER}),
        ("+19285550123", {"timezone": PHOENIX}, {PHOENIX}),
        ("+16155550123", {"state": "TN"}, {CHICAGO}),
        # Two pieces of evidence that each agree with a different zone of the code narrow nothing.
        ("+18505550123", {"zip_timezone": CHICAGO, "timezone": NEW_YORK}, {CHICAGO, NEW_YORK}),
    ],
)
def test_evidence_that_agrees_with_the_area_code_narrows_its_zones(
    locate: Locate, number: str, evidence: dict[str, str], zones: set[str]
) -> None:
    assert set(locate(number, **evidence).zones) == zones


@pytest.mark.parametrize(
    ("number", "evidence", "zones"),
    [
        ("+12125550123", {"state": "CA"}, {NEW_YORK, LOS_ANGELES}),
        ("+12125550123", {"state": "TX"}, {NEW_YORK, CHICAGO, DENVER}),
        ("+12125550123", {"state": "TX", "zip_state": "TX", "zip_timezone": DENVER}, {NEW_YORK, DENVER}),
        ("+12125550123", {"timezone": "US/Pacific"}, {NEW_YORK, LOS_ANGELES}),
        ("+12125550123", {"timezone": "Europe/London"}, {NEW_YORK, "Europe/London"}),
        # Winter: the clocks of Phoenix and Denver show the same time, and still they are not one zone.
        ("+13035550123", {"timezone": PHOENIX}, {DENVER, PHOENIX}),
        ("+16025550123", {"zip_timezone": DENVER, "zip_state": "AZ"}, {DENVER, PHOENIX}),
    ],
)
def test_evidence_that_disagrees_is_added(
    locate: Locate, number: str, evidence: dict[str, str], zones: set[str]
) -> None:
    assert set(locate(number, **evidence).zones) == zones


def test_the_states_of_the_area_code_and_of_the_address_both_bind(locate: Locate) -> None:
    assert locate("+13055550123", state="GA").jurisdictions == ("US", "US-FL", "US-GA")
    assert locate("+13055550123", state="FL", zip_state="AL").jurisdictions == ("US", "US-FL", "US-AL")
    assert locate("+17875550123").jurisdictions == ("US", "US-PR")


@pytest.mark.parametrize(
    ("number", "evidence", "problem"),
    [
        ("+16795550123", {}, "NUM-INVALID"),
        ("+12225550123", {}, "NUM-INVALID"),
        ("+18005550123", {}, "NUM-TOLLFREE"),
        ("+19005550123", {}, "NUM-PREMIUM"),
        ("+15005550123", {}, "NUM-NONGEO"),
        ("+14165550123", {}, "JUR-NOT-ENABLED"),
        ("+442079460123", {}, "JUR-NOT-ENABLED"),
        ("+12125550123", {"state": "ON"}, "JUR-NOT-ENABLED"),
        ("+12125550123", {"timezone": "America/Gotham"}, "ZONE-UNKNOWN"),
    ],
)
def test_a_place_that_cannot_be_known_is_a_problem_and_never_a_guess(
    locate: Locate, number: str, evidence: dict[str, str], problem: str
) -> None:
    place = locate(number, **evidence)
    assert place.problem == problem
    assert place.zones == place.jurisdictions == ()
    assert place.why


def test_an_enabled_country_lends_all_its_zones_unless_one_is_stated(
    locate: Locate, rules_of_all_countries: RuleBook
) -> None:
    everywhere = locate("+61298765432", law=rules_of_all_countries)
    assert everywhere.jurisdictions == ("AU",)
    assert {"Australia/Perth", "Australia/Sydney"} <= set(everywhere.zones)
    assert locate("+61298765432", law=rules_of_all_countries, timezone="Australia/Melbourne").zones == (
        "Australia/Hobart",
        "Australia/Sydney",
    )
    assert locate("+14165550123", law=rules_of_all_countries).jurisdictions == ("CA",)


def test_places_with_the_same_windows_share_a_group(locate: Locate) -> None:
    assert locate("+12125550123").group == locate("+17185550123", timezone="America/Detroit").group
    assert locate("+12125550123").group != locate("+13055550123").group
    assert locate("+12125550123").group != locate("+12125550123", state="CA").group


def test_a_bare_zip_changes_nothing_for_there_is_no_table_of_zips_yet(locate: Locate) -> None:
    assert locate("+12125550123", zip="90210").zones == (NEW_YORK,)


def test_the_zones_of_every_area_code_lie_in_its_state(rules: RuleBook, area_codes: AreaCodeTable) -> None:
    for code in area_codes.codes.values():
        if code.state is not None:
            law = rules.state(code.state)
            assert law is not None
            assert set(code.zones) <= set(law.zones), code.code


def test_one_clock_has_one_name_among_codes_in_the_mainland_table(area_codes: AreaCodeTable) -> None:
    twins = {
        frozenset({one, other})
        for one in area_codes.zones
        for other in area_codes.zones
        if one != other and same_rules(one, other, year=2026)
    }
    assert twins == {
        frozenset({"America/Puerto_Rico", "America/St_Thomas"}),
        frozenset({"Pacific/Guam", "Pacific/Saipan"}),
    }


def test_the_table_has_not_drifted_from_the_numbering_plan(area_codes: AreaCodeTable) -> None:
    """Fails when a newer phonenumbers knows a code that our table lacks or calls planned, or forgets one."""
    territories = {"US", "PR", "VI", "GU", "MP", "AS"}
    numbers = [
        phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{code}{exchange}2345"))
        for code in range(200, 1000)
        # Among these each territory has one in service: the plan lists theirs one by one.
        for exchange in (234, 248, 344, 622, 774)
    ]
    ordinary = {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    known = {
        str(number.national_number)[:3]
        for number in numbers
        if phonenumbers.region_code_for_number(number) in territories and phonenumbers.number_type(number) in ordinary
    }
    assert known == {code.code for code in area_codes.codes.values() if code.state is not None and code.confirmed}


ROW = {"npa": "212", "kind": "geographic", "state": "NY", "timezones": NEW_YORK, "valid_in_phonenumbers": "true"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "is empty"),
        ([ROW, ROW], "212 is listed twice"),
        ([{**ROW, "npa": "21"}], "'21' is not an area code"),
        ([{**ROW, "npa": "abc"}], "'abc' is not an area code"),
        ([{**ROW, "state": ""}], "lacks a state or a time zone"),
        ([{**ROW, "timezones": ""}], "lacks a state or a time zone"),
        ([{**ROW, "timezones": "America/Gotham"}], "212: 'America/Gotham' is not a time zone"),
        ([{"npa": "212"}], "a row lacks a column"),
    ],
)
def test_a_faulty_table_is_refused_with_the_reason(rows: list[dict[str, str]], message: str) -> None:
    with pytest.raises(AreaCodeError, match=message):
        area_code_table(rows, digest="")
