from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest

from campaigns.compliance.decision import Check, Decision, Permit, Refusal
from campaigns.compliance.facts import Consent, ReassignedAnswer
from campaigns.compliance.reassigned import Standing, answer_for

CONSENTED_ON = date(2026, 9, 1)
DAY = timedelta(days=1)


def told(
    answer: Literal["yes", "no", "no_data"], *, since: date = CONSENTED_ON, on: date = date(2026, 11, 1)
) -> ReassignedAnswer:
    return ReassignedAnswer(answer, since, datetime(on.year, on.month, on.day, tzinfo=UTC))


@pytest.mark.parametrize(
    ("answers", "standing"),
    [
        ([], "unchecked"),
        ([told("no")], "no"),
        ([told("no_data")], "no_data"),
        ([told("yes")], "yes"),
        # Asked from an earlier date, a "no" covers the consent's date too; from a later one it leaves a hole.
        ([told("no", since=CONSENTED_ON - DAY)], "no"),
        ([told("no", since=CONSENTED_ON + DAY)], "unchecked"),
        ([told("yes", since=CONSENTED_ON + DAY)], "yes"),
        # An answer older than the consent is about whoever had the number then.
        ([told("yes", since=date(2025, 1, 1), on=date(2026, 8, 31))], "unchecked"),
        ([told("no", since=date(2025, 1, 1), on=date(2026, 8, 31))], "unchecked"),
        # The number changed hands after 2025, and not since a day before the consent: it was the new owner's consent.
        ([told("yes", since=date(2025, 1, 1)), told("no", since=CONSENTED_ON - DAY)], "no"),
        ([told("yes", since=date(2025, 1, 1))], "yes"),
        ([told("yes", since=date(2025, 1, 1)), told("no", since=date(2024, 1, 1))], "yes"),
        # A "no" given before the "yes" cannot clear it.
        ([told("yes", since=date(2025, 1, 1)), told("no", since=date(2026, 1, 1), on=date(2026, 10, 1))], "yes"),
        ([told("no_data"), told("no")], "no"),
    ],
)
def test_an_answer_is_weighed_against_the_date_of_the_consent(
    answers: list[ReassignedAnswer], standing: Standing, consent: Consent
) -> None:
    assert answer_for(answers, consent) == standing


def test_without_a_consent_any_answer_counts() -> None:
    assert answer_for([told("yes", on=date(2021, 2, 1))], None) == "yes"
    assert answer_for([told("no", since=date(2026, 11, 1))], None) == "no"


def test_a_number_that_changed_hands_since_the_consent_is_refused(decide: Callable[..., Decision]) -> None:
    refusal = decide(reassigned_answers=(told("yes"),))
    assert isinstance(refusal, Refusal)
    assert (refusal.rule_id, refusal.next_allowed_at) == ("RND-REASSIGNED", None)


def test_other_answers_are_on_record(decide: Callable[..., Decision]) -> None:
    permit = decide(reassigned_answers=(told("no"),))
    assert isinstance(permit, Permit)
    assert Check("RND-REASSIGNED", True, "reassigned-numbers answer: no") in permit.checks
    unclear = decide(reassigned_answers=(told("no", since=CONSENTED_ON + DAY),))
    assert isinstance(unclear, Permit)
    assert "RND-REASSIGNED" not in {check.rule_id for check in unclear.checks}
