from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.compliance.decision import Check, Decision, Permit, Refusal
from campaigns.compliance.facts import Consent, Facts, Purpose, Relationship, Revocation
from campaigns.compliance.relationship import has_relationship, months_after, relationship_lapses_at

Decide = Callable[..., Decision]
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
"""Noon on a Monday in Mississippi."""
MISSISSIPPI = "+16015550123"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def answer(decision: Decision) -> str | None:
    return decision.rule_id if isinstance(decision, Refusal) else None


def check_of(decision: Decision, rule_id: str) -> Check:
    return next(check for check in decision.checks if check.rule_id == rule_id)


@pytest.mark.parametrize(
    ("began_at", "months", "ends_at"),
    [
        ("2025-05-23T18:00:00+00:00", 18, "2026-11-23T18:00:00+00:00"),
        ("2026-08-31T00:00:00+00:00", 18, "2028-02-29T00:00:00+00:00"),
        ("2026-11-30T00:00:00+00:00", 3, "2027-02-28T00:00:00+00:00"),
        ("2026-09-01T00:00:00+00:00", 3, "2026-12-01T00:00:00+00:00"),
        ("2025-12-15T00:00:00+00:00", 12, "2026-12-15T00:00:00+00:00"),
    ],
)
def test_months_are_counted_on_the_calendar_and_end_in_a_shorter_month(
    began_at: str, months: int, ends_at: str
) -> None:
    assert months_after(datetime.fromisoformat(began_at), months) == datetime.fromisoformat(ends_at)


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [
        (None, "STATE-AIVOICE-US-MS"),
        (Relationship(), "STATE-AIVOICE-US-MS"),
        (Relationship(transaction_at=datetime(2025, 5, 23, 18, tzinfo=UTC)), "STATE-AIVOICE-US-MS"),
        (Relationship(transaction_at=datetime(2025, 5, 23, 18, 0, 1, tzinfo=UTC)), None),
        (Relationship(inquiry_at=datetime(2026, 8, 23, 18, tzinfo=UTC)), "STATE-AIVOICE-US-MS"),
        (Relationship(inquiry_at=datetime(2026, 8, 23, 18, 0, 1, tzinfo=UTC)), None),
        (Relationship(transaction_at=NOW + SECOND), "STATE-AIVOICE-US-MS"),
        (Relationship(datetime(2020, 1, 1, tzinfo=UTC), NOW - DAY), None),
    ],
)
def test_a_purchase_carries_eighteen_months_and_an_inquiry_three(
    decide: Decide, relationship: Relationship | None, expected: str | None
) -> None:
    assert answer(decide(number=MISSISSIPPI, now=NOW, relationship=relationship)) == expected


def test_a_do_not_call_request_ends_the_relationship_whatever_is_bought_or_agreed_afterwards(
    decide: Decide, consent: Consent
) -> None:
    stop = Revocation("seller", "Example Energy, Inc.", NOW - 5 * DAY)
    again = replace(consent, obtained_at=NOW - 2 * DAY)
    bought = Relationship(transaction_at=NOW - DAY)
    decision = decide(number=MISSISSIPPI, now=NOW, relationship=bought, revocations=(stop,), consents=(again,))
    assert answer(decision) == "STATE-AIVOICE-US-MS"
    elsewhere = replace(stop, scope_value="Another Company")
    assert answer(decide(number=MISSISSIPPI, now=NOW, relationship=bought, revocations=(elsewhere,))) is None


def test_a_relationship_replaces_no_consent(decide: Decide) -> None:
    bought = Relationship(transaction_at=NOW - DAY)
    assert answer(decide(number=MISSISSIPPI, now=NOW, relationship=bought, consents=())) == "CONSENT-PEWC"


def test_where_no_rule_gives_it_a_length_a_purchase_makes_no_relationship(build_facts: Callable[..., Facts]) -> None:
    facts = build_facts(relationship=Relationship(transaction_at=NOW - DAY))
    assert not has_relationship(facts, None, NOW)
    assert relationship_lapses_at(facts, None) is None


def test_a_permit_ends_with_the_relationship_that_it_rests_on(decide: Decide) -> None:
    ends_at = NOW + timedelta(minutes=10)
    bought = Relationship(transaction_at=datetime(2025, 5, 23, 18, 10, tzinfo=UTC))
    permit = decide(number=MISSISSIPPI, now=NOW, relationship=bought)
    assert isinstance(permit, Permit)
    assert permit.window_ends_at == ends_at
    given = decide(number=MISSISSIPPI, now=NOW, ebr=True, relationship=bought)
    assert isinstance(given, Permit)
    assert given.window_ends_at > ends_at
    new_york = decide(now=NOW, relationship=bought)
    assert isinstance(new_york, Permit)
    assert new_york.window_ends_at > ends_at


def test_a_call_is_not_promised_an_instant_at_which_its_relationship_is_over(decide: Decide) -> None:
    evening = datetime(2026, 11, 24, 3, tzinfo=UTC)
    ends_tonight = Relationship(transaction_at=datetime(2025, 5, 24, 6, tzinfo=UTC))
    refusal = decide(number=MISSISSIPPI, now=evening, relationship=ends_tonight)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule_id, refusal.next_allowed_at) == ("HOURS-US", None)
    detail = check_of(refusal, "HOURS-US").detail
    assert detail.endswith("; no legal instant before its consent or relationship ends")


def test_a_call_is_not_promised_an_instant_at_which_its_consent_is_over(decide: Decide, consent: Consent) -> None:
    evening = datetime(2026, 11, 24, 3, tzinfo=UTC)
    tonight = replace(consent, expires_at=datetime(2026, 11, 24, 6, tzinfo=UTC))
    refusal = decide(now=evening, consents=(tonight,))
    assert isinstance(refusal, Refusal)
    assert refusal.next_allowed_at is None
    lasting = decide(now=evening, consents=(tonight, replace(consent, obtained_at=consent.obtained_at - DAY)))
    assert isinstance(lasting, Refusal)
    assert lasting.next_allowed_at == datetime(2026, 11, 24, 13, tzinfo=UTC)


def test_an_informational_call_asks_for_no_relationship(decide: Decide) -> None:
    assert answer(decide(number=MISSISSIPPI, now=NOW, purpose=Purpose.INFORMATIONAL)) is None
