from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.compliance.decision import Check, Decision, Permit, Refusal
from campaigns.compliance.facts import Consent, ConsentLevel, PlaceEvidence, Purpose, Revocation, Suppression
from campaigns.compliance.revocations import same_seller

Decide = Callable[..., Decision]
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def answer(decision: Decision) -> str | None:
    return decision.rule_id if isinstance(decision, Refusal) else None


def check_of(decision: Decision, rule_id: str) -> Check:
    return next(check for check in decision.checks if check.rule_id == rule_id)


@pytest.mark.parametrize(
    "change",
    [
        {"level": ConsentLevel.PEC},
        {"seller": "Another Company"},
        {"seller": ""},
        {"purpose": Purpose.INFORMATIONAL},
        {"obtained_at": NOW + SECOND},
        {"source": "  "},
    ],
)
def test_a_consent_that_lacks_something_is_no_consent_to_a_sales_call(
    decide: Decide, consent: Consent, change: dict[str, Any]
) -> None:
    assert answer(decide(consents=(replace(consent, **change),))) == "CONSENT-PEWC"


def test_sellers_are_compared_without_case_and_outer_blanks(decide: Decide, consent: Consent) -> None:
    assert answer(decide(consents=(replace(consent, seller="  EXAMPLE energy, inc. "),))) is None
    assert not same_seller("", "")


def test_express_consent_is_enough_to_inform_and_written_consent_covers_it(decide: Decide, consent: Consent) -> None:
    express = replace(consent, level=ConsentLevel.PEC)
    assert answer(decide(purpose=Purpose.INFORMATIONAL, consents=(express,))) is None
    assert answer(decide(purpose=Purpose.INFORMATIONAL, consents=(consent,))) is None
    assert answer(decide(purpose=Purpose.INFORMATIONAL, consents=())) == "CONSENT-PEC"
    assert answer(decide(purpose=Purpose.DEBT_COLLECTION, consents=())) == "CONSENT-PEC"


def test_the_newest_good_consent_goes_on_record(decide: Decide, consent: Consent) -> None:
    newer = replace(consent, id=9, obtained_at=consent.obtained_at + DAY)
    useless = replace(consent, id=11, obtained_at=consent.obtained_at + 2 * DAY, level=ConsentLevel.PEC)
    permit = decide(consents=(newer, consent, useless))
    assert isinstance(permit, Permit)
    assert permit.consent_id == 9


@pytest.mark.parametrize(
    "revocation",
    [
        Revocation("all", None, NOW - SECOND),
        Revocation("seller", "example energy, inc.", NOW - SECOND),
        Revocation("seller", None, NOW - SECOND),
        Revocation("purpose", "telemarketing", NOW - SECOND),
        Revocation("campaign", "spring-renewal", NOW - SECOND),
        # A revocation recorded by a clock ahead of ours is still a revocation.
        Revocation("all", None, NOW + DAY),
    ],
)
def test_a_revocation_that_speaks_of_this_call_stops_it(decide: Decide, revocation: Revocation) -> None:
    assert answer(decide(revocations=(revocation,))) == "REV-ACTIVE"


@pytest.mark.parametrize(
    "revocation",
    [
        Revocation("seller", "Another Company", NOW - SECOND),
        Revocation("purpose", "informational", NOW - SECOND),
        Revocation("campaign", "autumn-survey", NOW - SECOND),
    ],
)
def test_a_revocation_of_something_else_does_not(decide: Decide, revocation: Revocation) -> None:
    assert answer(decide(revocations=(revocation,))) is None


def test_a_revocation_beats_a_consent_of_the_same_instant_and_yields_to_a_later_one(
    decide: Decide, consent: Consent
) -> None:
    at_once = Revocation("all", None, consent.obtained_at)
    assert answer(decide(revocations=(at_once,))) == "REV-ACTIVE"
    renewed = replace(consent, obtained_at=consent.obtained_at + SECOND)
    assert answer(decide(revocations=(at_once,), consents=(consent, renewed))) is None


def test_a_person_who_never_consented_may_revoke_too(decide: Decide) -> None:
    decision = decide(consents=(), revocations=(Revocation("all", None, NOW - DAY),))
    assert answer(decision) == "REV-ACTIVE"


@pytest.mark.parametrize(
    ("entry", "stops"),
    [
        (Suppression("internal", "all", None), True),
        (Suppression("litigator", "all", None), True),
        (Suppression("internal", "seller", "EXAMPLE ENERGY, INC."), True),
        (Suppression("internal", "seller", "Another Company"), False),
        (Suppression("internal", "seller", None), True),
        (Suppression("internal", "campaign", "spring-renewal"), True),
        (Suppression("internal", "campaign", "autumn-survey"), False),
    ],
)
def test_a_suppression_stops_the_calls_of_its_scope(decide: Decide, entry: Suppression, stops: bool) -> None:
    assert answer(decide(suppressions=(entry,))) == ("DNC-INTERNAL" if stops else None)
    assert answer(decide(purpose=Purpose.INFORMATIONAL, suppressions=(entry,))) == ("DNC-INTERNAL" if stops else None)


def test_a_number_known_to_be_reassigned_is_refused_and_the_other_answers_are_on_record(decide: Decide) -> None:
    assert answer(decide(reassigned="yes")) == "RND-REASSIGNED"
    assert answer(decide(reassigned="yes", purpose=Purpose.INFORMATIONAL)) == "RND-REASSIGNED"
    assert check_of(decide(reassigned="no_data"), "RND-REASSIGNED").passed
    assert answer(decide(reassigned="unchecked")) is None


def test_written_consent_to_the_seller_lifts_the_national_list_and_no_state_list(decide: Decide) -> None:
    assert answer(decide(dnc_national=True)) is None
    assert answer(decide(dnc_national=False, dnc_state=False)) is None
    assert answer(decide(dnc_state=True)) == "DNC-STATE"
    without = decide(dnc_national=True, consents=())
    assert check_of(without, "DNC-NATIONAL").passed is False


def test_a_registry_older_than_31_days_stops_sales_calls_only(decide: Decide) -> None:
    assert answer(decide(dnc_list_age=31 * DAY)) is None
    assert answer(decide(dnc_list_age=31 * DAY + SECOND)) == "DNC-STALE"
    assert answer(decide(dnc_list_age=400 * DAY, dnc_national=True, purpose=Purpose.INFORMATIONAL)) is None


def test_states_that_bar_recorded_sales_wait_for_counsels_decision(decide: Decide) -> None:
    decision = decide(number="+15015550123")
    assert answer(decision) == "STATE-AIVOICE-US-AR"
    assert answer(decide(number="+15015550123", counsel_allows=frozenset({"US-AR"}))) is None
    assert answer(decide(number="+15015550123", purpose=Purpose.INFORMATIONAL)) is None
    # The address counts as much as the area code.
    at_home = PlaceEvidence(state="WA")
    assert answer(decide(evidence=at_home, now=NOW + timedelta(hours=2))) == "STATE-AIVOICE-US-WA"


def test_states_that_want_a_customer_relationship_get_one(decide: Decide) -> None:
    assert answer(decide(number="+16015550123", counsel_allows=frozenset({"US-MS"}))) == "STATE-AIVOICE-US-MS"
    assert answer(decide(number="+16015550123", ebr=True)) is None


def test_a_declared_emergency_stops_sales_where_the_law_says_so(decide: Decide) -> None:
    declared = frozenset({"US-LA", "US-FL"})
    assert answer(decide(number="+15045550123", emergencies=declared)) == "EMERG-US-LA"
    assert answer(decide(number="+15045550123", emergencies=declared, purpose=Purpose.INFORMATIONAL)) is None
    assert answer(decide(number="+13055550123", emergencies=declared)) is None


INFORM_AT_HOME = {
    "purpose": Purpose.INFORMATIONAL,
    "consents": (),
    "line_type": "landline",
    "exemption": "residential_informational",
}


def test_a_residential_landline_may_be_informed_without_consent_three_times_in_thirty_days(decide: Decide) -> None:
    two = (NOW - 3 * DAY, NOW - 4 * DAY)
    assert answer(decide(**INFORM_AT_HOME, attempts=two)) is None
    spent = decide(**INFORM_AT_HOME, attempts=(*two, NOW - 20 * DAY))
    assert answer(spent) == "FREQ-US-EXEMPT-30D"
    assert isinstance(spent, Refusal)
    assert spent.next_allowed_at == NOW + 10 * DAY


def test_consent_lifts_the_caps_of_the_exemption(decide: Decide, consent: Consent) -> None:
    three = (NOW - 3 * DAY, NOW - 4 * DAY, NOW - 5 * DAY)
    assert answer(decide(**{**INFORM_AT_HOME, "consents": (consent,)}, attempts=three)) is None


@pytest.mark.parametrize(
    "change",
    [{"line_type": "unknown"}, {"line_type": "mobile"}, {"exemption": "residential_invented"}, {"exemption": None}],
)
def test_without_a_known_exemption_and_a_known_landline_consent_is_needed(
    decide: Decide, change: dict[str, Any]
) -> None:
    assert answer(decide(**{**INFORM_AT_HOME, **change})) == "CONSENT-PEC"


def test_no_exemption_helps_a_sales_call_or_a_person_who_opted_out(decide: Decide) -> None:
    assert answer(decide(**{**INFORM_AT_HOME, "purpose": Purpose.TELEMARKETING})) == "CONSENT-PEWC"
    opted_out = (Revocation("all", None, NOW - DAY),)
    assert answer(decide(**INFORM_AT_HOME, revocations=opted_out)) == "REV-ACTIVE"


def test_a_health_message_at_home_is_capped_by_day_and_by_week(decide: Decide) -> None:
    health = {**INFORM_AT_HOME, "exemption": "residential_hipaa"}
    assert answer(decide(**health, attempts=(NOW - DAY,))) is None
    assert answer(decide(**health, attempts=(NOW - DAY + SECOND,))) == "FREQ-US-HIPAA-1D"
    week = (NOW - 2 * DAY, NOW - 3 * DAY, NOW - 4 * DAY)
    assert answer(decide(**health, attempts=week)) == "FREQ-US-HIPAA-7D"


def test_a_collector_may_try_seven_times_in_seven_days(decide: Decide) -> None:
    tries = tuple(NOW - timedelta(hours=20 * number) for number in range(1, 8))
    assert answer(decide(purpose=Purpose.DEBT_COLLECTION, attempts=tries[:6])) is None
    assert answer(decide(purpose=Purpose.DEBT_COLLECTION, attempts=tries)) == "FREQ-US-REGF-7D"
