from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.compliance.decision import Check, Decision, Refusal
from campaigns.compliance.facts import Purpose
from campaigns.compliance.rules import RuleBook

Decide = Callable[..., Decision]


def answer(decision: Decision) -> str | None:
    return decision.rule_id if isinstance(decision, Refusal) else None


def failed(decision: Decision) -> list[Check]:
    return [check for check in decision.checks if check.passed is False]


@pytest.mark.parametrize(
    ("facts", "rule_id"),
    [
        ({"dnc_registry": "missing"}, "DNC-STALE"),
        ({"dnc_registry": "unreadable"}, "DNC-UNREADABLE"),
        ({"dnc_registry": "read", "dnc_covered": False}, "DNC-UNCOVERED"),
        ({"dnc_registry": "read", "dnc_covered": True, "dnc_national": False}, None),
    ],
)
def test_a_registry_that_cannot_answer_stops_sales_calls_even_with_written_consent(
    decide: Decide, facts: dict[str, Any], rule_id: str | None
) -> None:
    decision = decide(**facts)
    assert answer(decision) == rule_id
    assert [check.rule_id for check in failed(decision)] == ([rule_id] if rule_id else [])


@pytest.mark.parametrize(("imported", "rule_id"), [(set(), "DNC-STALE"), ({"US-TX"}, "DNC-STALE"), ({"US-FL"}, None)])
def test_a_state_with_its_own_list_is_not_called_for_sales_until_that_list_was_imported(
    decide: Decide, imported: set[str], rule_id: str | None
) -> None:
    assert answer(decide(number="+13055550123", state_lists=frozenset(imported))) == rule_id


def test_a_state_without_a_list_of_its_own_asks_for_none(decide: Decide) -> None:
    assert answer(decide(state_lists=frozenset())) is None


def test_a_registry_that_cannot_answer_stops_no_other_purpose(decide: Decide) -> None:
    for facts in ({"dnc_registry": "missing"}, {"dnc_registry": "unreadable"}, {"dnc_covered": False}):
        assert answer(decide(purpose=Purpose.INFORMATIONAL, **facts)) is None


def test_where_the_law_knows_no_registry_none_is_asked_for(decide: Decide, rules_of_all_countries: RuleBook) -> None:
    morning = datetime(2026, 11, 23, 11, tzinfo=UTC)
    berlin = decide(law=rules_of_all_countries, number="+4930123456", now=morning, dnc_registry="missing")
    assert answer(berlin) is None


def test_a_registry_that_was_never_imported_says_how_to_import_one(decide: Decide) -> None:
    (check,) = failed(decide(dnc_registry="missing"))
    assert "ringfence suppress import" in check.detail


def test_an_old_registry_is_refused_before_its_coverage_is_doubted(decide: Decide) -> None:
    assert answer(decide(dnc_covered=False, dnc_list_age=timedelta(days=40))) == "DNC-STALE"
