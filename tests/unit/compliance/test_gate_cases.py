"""The table of hand-derived cases (CALLING-RULES §9): verdict, rule, next instant and zones, each row a test."""

from pathlib import Path

import pytest

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Permit
from campaigns.compliance.gate import evaluate
from campaigns.compliance.rules import RuleBook
from campaigns.files.case_table import GateCase, read_case_table

CASES = read_case_table(Path(__file__).parents[2] / "data" / "gate_cases.csv")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_gate_decides_the_case_as_it_was_derived_by_hand(
    case: GateCase, rules: RuleBook, area_codes: AreaCodeTable
) -> None:
    decision = evaluate(case.facts, rules, case.now, area_codes=area_codes)

    refusal = None if isinstance(decision, Permit) else decision
    got = (refusal is None, refusal and refusal.rule_id, refusal and refusal.next_allowed_at)
    assert got == (case.expected.allowed, case.expected.rule_id, case.expected.next_allowed_at)
    assert set(decision.zones) == case.expected.zones


def test_the_table_has_all_its_groups() -> None:
    assert {case.id[0] for case in CASES} == set("ABCDEFG")
