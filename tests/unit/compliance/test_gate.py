from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Check, Decision, Permit, Refusal
from campaigns.compliance.facts import CallingHours, CampaignSwitch, Consent, DayHours, Facts, PlaceEvidence, Purpose
from campaigns.compliance.gate import RECHECK_AFTER, evaluate
from campaigns.compliance.rules import RuleBook

Decide = Callable[..., Decision]
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
"""An ordinary Monday, 11:00 in New York."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def refused(decision: Decision) -> Refusal:
    assert isinstance(decision, Refusal)
    return decision


def check_of(decision: Decision, rule_id: str) -> Check:
    return next(check for check in decision.checks if check.rule_id == rule_id)


def test_a_permit_says_until_when_where_and_by_which_consent(decide: Decide) -> None:
    permit = decide()
    assert isinstance(permit, Permit)
    assert permit.evaluated_at == NOW
    assert permit.window_ends_at == datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert permit.zones == ("America/New_York",)
    assert permit.jurisdictions == ("US", "US-NY")
    assert permit.consent_id == 7


def test_a_permit_ends_with_the_plan_if_that_is_sooner(decide: Decide) -> None:
    permit = decide(latest_at=NOW + HOUR, end_guard=timedelta(minutes=5))
    assert isinstance(permit, Permit)
    assert permit.window_ends_at == NOW + timedelta(minutes=55)


def test_every_rule_is_on_record_with_a_permit_too(decide: Decide) -> None:
    recorded = {check.rule_id for check in decide(per_day=2).checks}
    assert recorded >= {"NUM-INVALID", "DNC-INTERNAL", "REV-ACTIVE", "CONSENT-PEWC", "EMERG-US-NY", "HOURS-US"}
    assert recorded >= {"CAMPAIGN-PER-DAY", "CAMPAIGN-LATEST", "CAMPAIGN-HALTED", "RULES-STALE", "HOURS-US-NY"}


def test_the_first_failing_rule_of_the_order_answers_and_the_others_are_on_record(decide: Decide) -> None:
    refusal = refused(decide(now=NOW - 6 * HOUR, consents=(), dnc_state=True))
    assert refusal.rule_id == "CONSENT-PEWC"
    failed = [check.rule_id for check in refusal.checks if check.passed is False]
    assert {"CONSENT-PEWC", "DNC-STATE", "HOURS-US"} <= set(failed)


def test_why_these_zones_were_used_is_on_record(decide: Decide) -> None:
    moved = decide(evidence=PlaceEvidence(state="CA"), now=NOW + 2 * HOUR)
    assert check_of(moved, "ZONE-UNKNOWN").detail == (
        "area code 212: America/New_York; state CA disagrees, added: America/Los_Angeles"
    )


def test_what_waiting_cannot_cure_carries_no_next_instant(decide: Decide) -> None:
    refusal = refused(decide(now=NOW - 6 * HOUR, consents=()))
    assert refusal.next_allowed_at is None
    assert not refusal.waits


def test_a_refusal_for_the_hour_says_when_and_why_in_local_time(decide: Decide) -> None:
    refusal = refused(decide(now=datetime(2026, 11, 23, 12, 59, 59, tzinfo=UTC)))
    assert refusal.rule_id == "HOURS-US"
    assert refusal.next_allowed_at == datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert check_of(refusal, "HOURS-US").detail == (
        "Mon 2026-11-23 07:59:59 in America/New_York; open 08:00-21:00 on that day"
    )


def test_a_holiday_is_named(decide: Decide) -> None:
    refusal = refused(decide(number="+12055550123", now=datetime(2026, 12, 25, 16, tzinfo=UTC)))
    assert "(Christmas Day); open at no time" in check_of(refusal, "HOLIDAY-US-AL").detail


def test_past_the_last_listed_holiday_the_answer_says_that_the_list_ends(decide: Decide) -> None:
    refusal = refused(decide(number="+12055550123", now=datetime(2028, 2, 1, 16, tzinfo=UTC)))
    assert refusal.rule_id == "HOLIDAY-US-AL"
    assert refusal.next_allowed_at is None
    assert "the list of dates ends on 2027-12-31" in check_of(refusal, "HOLIDAY-US-AL").detail


def test_of_two_states_the_area_codes_is_named_first(decide: Decide) -> None:
    sunday = datetime(2026, 11, 22, 18, tzinfo=UTC)
    assert refused(decide(number="+12055550123", evidence=_at("UT"), now=sunday)).rule_id == "DAY-US-AL"
    assert refused(decide(number="+18015550123", evidence=_at("AL"), now=sunday)).rule_id == "DAY-US-UT"


def _at(state: str) -> PlaceEvidence:
    return PlaceEvidence(state=state)


def test_the_end_guard_refuses_the_last_minute_of_a_window(decide: Decide) -> None:
    nine_pm = datetime(2026, 11, 24, 2, tzinfo=UTC)
    guard = timedelta(seconds=60)
    assert isinstance(decide(now=nine_pm - guard - timedelta(microseconds=1), end_guard=guard), Permit)
    refusal = refused(decide(now=nine_pm - guard, end_guard=guard))
    assert refusal.rule_id == "HOURS-US"
    assert check_of(refusal, "HOURS-US").detail == "within the end guard of 0:01:00 before the window ends"


@pytest.mark.parametrize(
    ("changes", "rule_id"),
    [
        ({"halted": "everything was stopped by an operator"}, "CAMPAIGN-HALTED"),
        ({"switch": CampaignSwitch.PAUSED}, "CAMPAIGN-PAUSED"),
    ],
)
def test_what_an_operator_stopped_waits_and_is_asked_again(
    decide: Decide, changes: dict[str, Any], rule_id: str
) -> None:
    refusal = refused(decide(**changes))
    assert refusal.rule_id == rule_id
    assert refusal.next_allowed_at == NOW + RECHECK_AFTER
    assert refusal.waits


def test_a_cancelled_campaign_never_dials_again(decide: Decide) -> None:
    refusal = refused(decide(switch=CampaignSwitch.CANCELLED, halted="stopped"))
    assert (refusal.rule_id, refusal.next_allowed_at) == ("CAMPAIGN-CANCELLED", None)


def test_after_latest_at_less_the_guard_nothing_is_dialed(decide: Decide) -> None:
    guard = timedelta(seconds=60)
    assert isinstance(decide(latest_at=NOW + guard + timedelta(microseconds=1), end_guard=guard), Permit)
    refusal = refused(decide(latest_at=NOW + guard, end_guard=guard))
    assert (refusal.rule_id, refusal.next_allowed_at) == ("CAMPAIGN-LATEST", None)


def test_before_earliest_at_a_call_waits_for_the_first_legal_instant_after_it(decide: Decide) -> None:
    refusal = refused(decide(earliest_at=datetime(2026, 11, 24, 4, tzinfo=UTC)))
    assert refusal.rule_id == "CAMPAIGN-EARLIEST"
    assert refusal.next_allowed_at == datetime(2026, 11, 24, 13, tzinfo=UTC)


def test_a_refusal_that_time_would_cure_after_latest_at_carries_no_instant_and_says_so(decide: Decide) -> None:
    evening = datetime(2026, 11, 24, 3, tzinfo=UTC)
    refusal = refused(decide(now=evening, latest_at=evening + 5 * HOUR))
    assert (refusal.rule_id, refusal.next_allowed_at) == ("HOURS-US", None)
    assert check_of(refusal, "HOURS-US").detail.endswith("; no legal instant before latestAt")
    assert refusal.temporal


def test_a_campaigns_own_hours_refuse_with_their_own_rule(decide: Decide) -> None:
    afternoon = CallingHours((DayHours(time(14), time(16)),) * 5 + (None, None))
    refusal = refused(decide(calling_hours=afternoon))
    assert refusal.rule_id == "CAMPAIGN-HOURS"
    assert refusal.next_allowed_at == datetime(2026, 11, 23, 19, tzinfo=UTC)
    saturday = refused(decide(calling_hours=afternoon, now=NOW + 5 * DAY))
    assert saturday.next_allowed_at == datetime(2026, 11, 30, 19, tzinfo=UTC)


def test_per_day_waits_for_the_next_date_of_the_called_party(decide: Decide) -> None:
    assert isinstance(decide(per_day=2, own_attempts=(NOW - HOUR,)), Permit)
    refusal = refused(decide(per_day=2, own_attempts=(NOW - HOUR, NOW - 2 * HOUR)))
    assert refusal.rule_id == "CAMPAIGN-PER-DAY"
    assert refusal.next_allowed_at == datetime(2026, 11, 24, 13, tzinfo=UTC)
    # Yesterday's late attempts are of another date on the customer's wall.
    assert isinstance(decide(per_day=1, own_attempts=(datetime(2026, 11, 23, 4, 59, tzinfo=UTC),)), Permit)


def test_per_day_counts_the_date_of_every_candidate_zone(decide: Decide) -> None:
    # 00:30 on Tuesday in New York is 23:30 on Monday in Chicago: the attempt spends both dates.
    attempt = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
    emergency = {"purpose": Purpose.EMERGENCY, "number": "+14235550123", "per_day": 1, "own_attempts": (attempt,)}
    refusal = refused(decide(now=attempt + timedelta(minutes=10), **emergency))
    assert refusal.next_allowed_at == datetime(2026, 11, 25, 5, tzinfo=UTC)
    assert isinstance(decide(now=datetime(2026, 11, 25, 6, tzinfo=UTC), **emergency), Permit)


def test_a_freed_cap_waits_on_for_the_window(decide: Decide) -> None:
    evening = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    three = tuple(evening - timedelta(minutes=minutes) for minutes in (10, 20, 30))
    refusal = refused(decide(number="+13055550123", now=evening, attempts=three))
    assert refusal.rule_id == "FREQ-US-FL-24H"
    # The oldest is a day old at 19:00 the next evening, still within Florida's hours.
    assert refusal.next_allowed_at == datetime(2026, 11, 25, 0, 0, tzinfo=UTC)


def test_an_emergency_is_bound_by_the_number_alone(decide: Decide) -> None:
    night = NOW + 12 * HOUR
    assert isinstance(decide(purpose=Purpose.EMERGENCY, consents=(), now=night), Permit)
    assert refused(decide(purpose=Purpose.EMERGENCY, number="+19005550123")).rule_id == "NUM-PREMIUM"
    assert refused(decide(purpose=Purpose.EMERGENCY, number="+442079460123")).rule_id == "JUR-NOT-ENABLED"


def test_fictional_numbers_are_dialed_at_simulators_only(decide: Decide) -> None:
    refusal = refused(decide(fictional_allowed=False))
    assert refusal.rule_id == "NUM-555"
    assert refusal.zones == refusal.jurisdictions == ()


def test_an_unreadable_zone_is_refused(decide: Decide) -> None:
    refusal = refused(decide(evidence=PlaceEvidence(timezone="America/Gotham")))
    assert (refusal.rule_id, refusal.next_allowed_at) == ("ZONE-UNKNOWN", None)


def test_rules_that_nobody_checked_for_too_long_dial_no_real_account(
    rules: RuleBook, area_codes: AreaCodeTable, build_facts: Callable[..., Facts]
) -> None:
    later = datetime(2027, 12, 28, 16, tzinfo=UTC)
    real = build_facts(number="+12122345678", fictional_allowed=False)
    refusal = refused(evaluate(real, rules, later, area_codes=area_codes))
    assert refusal.rule_id == "RULES-STALE"
    assert refusal.waits
    simulated = replace(real, plan=replace(real.plan, fictional_allowed=True))
    assert isinstance(evaluate(simulated, rules, later, area_codes=area_codes), Permit)
    assert isinstance(evaluate(real, rules, NOW, area_codes=area_codes), Permit)


def test_rule_files_grow_old_before_they_grow_stale(rules: RuleBook) -> None:
    def after(days: int) -> datetime:
        return datetime.combine(rules.as_of, time(), UTC) + timedelta(days=days)

    assert rules.as_of == date(2026, 11, 21)
    assert (rules.is_old(after(119)), rules.is_old(after(120))) == (False, True)
    assert (rules.is_stale(after(399)), rules.is_stale(after(400))) == (False, True)


@pytest.mark.parametrize("now", [NOW.replace(tzinfo=None), NOW.astimezone(timezone(HOUR))])
def test_an_instant_that_is_not_utc_is_an_error_of_the_caller(decide: Decide, now: datetime) -> None:
    with pytest.raises(ValueError, match="the gate wants the instant in UTC"):
        decide(now=now)


def test_an_unlisted_rule_comes_last_and_still_refuses(decide: Decide, rules: RuleBook) -> None:
    short = RuleBook(
        jurisdictions=rules.jurisdictions,
        profile=rules.profile,
        rule_order=("HOURS-US",),
        as_of=rules.as_of,
        digest=rules.digest,
    )
    refusal = refused(decide(law=short, now=NOW - 6 * HOUR, consents=()))
    assert refusal.rule_id == "HOURS-US"
    # Consent is still missing, so no waiting helps, whatever the order says.
    assert refusal.next_allowed_at is None


def test_no_detail_on_record_holds_a_number_or_a_seller(decide: Decide, consent: Consent) -> None:
    details = " ".join(check.detail for check in decide(consents=(consent,), dnc_national=True).checks)
    assert "5550123" not in details
    assert consent.seller not in details
