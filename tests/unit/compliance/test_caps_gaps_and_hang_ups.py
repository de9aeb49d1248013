from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.compliance.decision import Check, Decision, Permit, Refusal
from campaigns.compliance.facts import Consent, ConsentLevel, Purpose
from campaigns.compliance.gate import RECHECK_AFTER

Decide = Callable[..., Decision]
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
"""13:00 on a Monday in New York, 10:00 in Nevada."""
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NEVADA = "+17025550123"


def answer(decision: Decision) -> tuple[str | None, datetime | None]:
    return (decision.rule_id, decision.next_allowed_at) if isinstance(decision, Refusal) else (None, None)


def check_of(decision: Decision, rule_id: str) -> Check:
    return next(check for check in decision.checks if check.rule_id == rule_id)


@pytest.fixture
def collect(decide: Decide, consent: Consent) -> Callable[..., Decision]:
    express = replace(consent, level=ConsentLevel.PEC)
    return lambda **changes: decide(now=NOW, purpose=Purpose.DEBT_COLLECTION, consents=(express,), **changes)


def hours_ago(*hours: int) -> tuple[datetime, ...]:
    return tuple(NOW - hour * HOUR for hour in hours)


def test_a_collector_has_seven_attempts_in_seven_days_for_each_debt(collect: Decide) -> None:
    eight = hours_ago(*range(2, 10))
    assert answer(collect(attempts=eight))[0] == "FREQ-US-REGF-7D"
    assert answer(collect(attempts=eight, debt_attempts=eight[:6])) == (None, None)
    assert answer(collect(attempts=eight, debt_attempts=eight[:7]))[0] == "FREQ-US-REGF-7D"


def test_after_a_conversation_about_the_debt_a_collector_waits_seven_days(collect: Decide) -> None:
    talked_at = NOW - 3 * DAY
    refusal = collect(conversations=(talked_at,))
    assert answer(refusal) == ("FREQ-US-REGF-TALK", talked_at + 7 * DAY)
    assert check_of(refusal, "FREQ-US-REGF-TALK").detail == "1 of 1 conversations in 7 days, 0:00:00"
    assert answer(collect(conversations=(NOW - 7 * DAY,))) == (None, None)


def test_conversations_bind_collectors_only(decide: Decide) -> None:
    assert answer(decide(now=NOW, conversations=hours_ago(5))) == (None, None)


def test_calls_of_two_campaigns_keep_an_hour_apart(decide: Decide) -> None:
    before = NOW - 20 * SECOND
    assert answer(decide(now=NOW, attempts=(before,), other_attempt_at=before)) == ("POL-GAP", before + HOUR)
    assert answer(decide(now=NOW, other_attempt_at=NOW - HOUR)) == (None, None)
    told = check_of(decide(now=NOW, other_attempt_at=before + SECOND / 7), "POL-GAP").detail
    assert told.startswith("0:00:19 since a call of another campaign or run, at least 1:00:00")
    # Its own retry follows the ladder.
    assert answer(decide(now=NOW, attempts=(before,), own_attempts=(before,))) == (None, None)


def test_a_campaign_may_keep_more_distance_and_never_less(decide: Decide) -> None:
    two_hours_ago = NOW - 2 * HOUR
    assert answer(decide(now=NOW, other_attempt_at=two_hours_ago, min_gap=4 * HOUR)) == ("POL-GAP", NOW + 2 * HOUR)
    assert answer(decide(now=NOW, other_attempt_at=NOW - SECOND, min_gap=SECOND))[0] == "POL-GAP"


def test_the_end_of_the_gap_and_the_window_are_sought_together(decide: Decide) -> None:
    refusal = decide(now=NOW, other_attempt_at=NOW - HOUR, min_gap=10 * HOUR)
    assert answer(refusal) == ("POL-GAP", datetime(2026, 11, 24, 13, tzinfo=UTC))


def test_an_emergency_keeps_no_distance(decide: Decide) -> None:
    urgent = decide(now=NOW, purpose=Purpose.EMERGENCY, other_attempt_at=NOW, min_gap=HOUR)
    assert answer(urgent) == (None, None)
    assert "POL-GAP" not in {check.rule_id for check in urgent.checks}


@pytest.mark.parametrize("purpose", [Purpose.TELEMARKETING, Purpose.INFORMATIONAL, Purpose.DEBT_COLLECTION])
def test_nevada_forbids_to_call_back_a_number_that_hung_up(decide: Decide, purpose: Purpose) -> None:
    refusal = decide(now=NOW, number=NEVADA, purpose=purpose, hung_up=True)
    assert answer(refusal) == ("HANGUP-US-NV", None)
    permit = decide(now=NOW, number=NEVADA, purpose=purpose)
    assert isinstance(permit, Permit)
    assert check_of(permit, "HANGUP-US-NV").detail == "nobody hung up at this number"


def test_other_states_do_not(decide: Decide) -> None:
    assert answer(decide(now=NOW, hung_up=True)) == (None, None)


def test_a_campaign_that_lacks_an_approval_waits_for_it(decide: Decide) -> None:
    refusal = decide(now=NOW, purpose=Purpose.EMERGENCY, unapproved="a second person must approve")
    assert answer(refusal) == ("CAMPAIGN-APPROVAL", NOW + RECHECK_AFTER)
    assert isinstance(refusal, Refusal)
    assert refusal.temporal
    assert check_of(decide(now=NOW), "CAMPAIGN-APPROVAL").passed


def test_a_registry_that_one_worker_cannot_read_burns_nobody(decide: Decide) -> None:
    assert answer(decide(now=NOW, dnc_registry="unreadable")) == ("DNC-UNREADABLE", NOW + RECHECK_AFTER)


@pytest.mark.parametrize(
    "change", [{"expires_at": NOW}, {"expires_at": NOW - DAY}, {"artificial_voice": False}], ids=str
)
def test_a_consent_that_ended_or_leaves_out_artificial_voices_is_none(
    decide: Decide, consent: Consent, change: dict[str, Any]
) -> None:
    assert answer(decide(now=NOW, consents=(replace(consent, **change),))) == ("CONSENT-PEWC", None)


@pytest.mark.parametrize("change", [{"expires_at": NOW + SECOND}, {"artificial_voice": True}], ids=str)
def test_a_consent_that_has_not_ended_or_names_artificial_voices_stands(
    decide: Decide, consent: Consent, change: dict[str, Any]
) -> None:
    permit = decide(now=NOW, consents=(replace(consent, **change),))
    assert isinstance(permit, Permit)
    assert permit.window_ends_at == change.get("expires_at", permit.window_ends_at)
