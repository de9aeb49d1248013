"""The table of hand-derived cases (CALLING-RULES §9): verdict, rule, next instant and zones, each row a test."""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Permit
from campaigns.compliance.facts import (
    CampaignSwitch,
    Consent,
    ConsentLevel,
    Facts,
    PlaceEvidence,
    Plan,
    Purpose,
    Revocation,
    Suppression,
)
from campaigns.compliance.gate import evaluate
from campaigns.compliance.rules import RuleBook

CASES = Path(__file__).parents[2] / "data" / "gate_cases.csv"


def read_cases() -> list[dict[str, str]]:
    with CASES.open(newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case["id"])
def test_the_gate_decides_the_case_as_it_was_derived_by_hand(
    case: Mapping[str, str], rules: RuleBook, area_codes: AreaCodeTable
) -> None:
    decision = evaluate(facts_of(case), rules, instant(case["now_utc"]), area_codes=area_codes)

    got: tuple[Any, ...] = ("allow", None, None)
    if not isinstance(decision, Permit):
        got = ("deny", decision.rule_id, decision.next_allowed_at)
    expected_next = instant(case["next_allowed_utc"]) if case["next_allowed_utc"] else None
    assert got == (case["expected"], case["rule_id"] or None, expected_next)
    assert set(decision.zones) == set(listed(case["zones_considered"]))


def test_the_table_has_all_its_groups() -> None:
    assert {case["id"][0] for case in read_cases()} == set("ABCDEFG")


def facts_of(case: Mapping[str, str]) -> Facts:
    """A blank column is not under test: its check passes."""
    now = instant(case["now_utc"])
    age = case["dnc_list_age_days"]
    return Facts(
        number=case["number"],
        plan=plan_of(case, now),
        evidence=PlaceEvidence(
            state=case["state"] or None,
            zip=case["zip"] or None,
            zip_state=case["zip_state"] or None,
            zip_timezone=case["zip_timezone"] or None,
            timezone=case["timezone"] or None,
        ),
        line_type=case["line_type"] or "unknown",
        exemption=case["exemption"] or None,
        consents=consents_of(case, now),
        revocations=(Revocation("all", None, now - timedelta(seconds=1)),) if case["revoked"] == "1" else (),
        suppressions=(Suppression("internal", "all", None),) if case["dnc_internal"] == "1" else (),
        attempts=tuple(instant(one) for one in listed(case["prior_attempts_utc"])),
        dnc_national=flag(case["dnc_national"]),
        dnc_state=flag(case["dnc_state"]),
        dnc_list_age=timedelta(days=int(age)) if age else None,
        reassigned=cast(Literal["yes", "no", "no_data", "unchecked"], case["reassigned"] or "unchecked"),
        ebr=case["ebr"] == "1",
        emergencies=frozenset(listed(case["emergency_flags"])),
    )


def plan_of(case: Mapping[str, str], now: datetime) -> Plan:
    return Plan(
        campaign="case",
        purpose=Purpose(case["purpose"]),
        seller="Example Energy, Inc.",
        switch=CampaignSwitch.ACTIVE,
        earliest_at=now - timedelta(days=1),
        latest_at=now + timedelta(days=500),
        end_guard=timedelta(),
        fictional_allowed=case["allow_fictional"] == "1",
    )


def consents_of(case: Mapping[str, str], now: datetime) -> tuple[Consent, ...]:
    if case["consent"] in ("", "none"):
        return ()
    level = ConsentLevel(case["consent"])
    return (Consent(1, level, "Example Energy, Inc.", None, now - timedelta(days=30), "form"),)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def listed(cell: str) -> list[str]:
    return [part for part in cell.split(";") if part]


def flag(cell: str) -> bool | None:
    return None if cell == "" else cell == "1"
