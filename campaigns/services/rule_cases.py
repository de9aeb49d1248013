"""A table of cases through the gate: what came out other than expected, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.compliance.decision import Decision, Permit
from campaigns.files.case_table import GateCase
from campaigns.services.gatekeeper import GateKeeper


@dataclass(frozen=True, slots=True)
class FailedCase:
    """One case that came out otherwise. `why`: what differs, and the words of the rule that answered."""

    id: str
    line: int
    expected: dict[str, Any]
    got: dict[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class CaseRun:
    """How a table came out."""

    cases: int
    failed: tuple[FailedCase, ...]

    @property
    def passed(self) -> int:
        return self.cases - len(self.failed)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        failed = [
            {"id": each.id, "line": each.line, "expected": each.expected, "got": each.got, "why": each.why}
            for each in self.failed
        ]
        return {"cases": self.cases, "passed": self.passed, "failed": failed}


def check_cases(cases: Sequence[GateCase], gatekeeper: GateKeeper) -> CaseRun:
    """Decide every case by the rules at hand."""
    failures = (_failure(case, gatekeeper.decide(case.facts, now=case.now)) for case in cases)
    return CaseRun(len(cases), tuple(failure for failure in failures if failure is not None))


def _failure(case: GateCase, decision: Decision) -> FailedCase | None:
    expected, got = _wanted(case), _answer(decision)
    compared = case.expected.compared | {"verdict"}
    differing = sorted(name for name in compared if expected[name] != got[name])
    if not differing:
        return None
    shown = {name: value for name, value in expected.items() if name in compared}
    return FailedCase(case.id, case.line, shown, got, _why(differing, decision))


def _wanted(case: GateCase) -> dict[str, Any]:
    expected = case.expected
    return {
        "verdict": "allow" if expected.allowed else "deny",
        "rule_id": expected.rule_id,
        "next_allowed_at": _iso(expected.next_allowed_at),
        "zones": sorted(expected.zones),
    }


def _answer(decision: Decision) -> dict[str, Any]:
    refusal = None if isinstance(decision, Permit) else decision
    return {
        "verdict": "deny" if refusal else "allow",
        "rule_id": refusal.rule_id if refusal else None,
        "next_allowed_at": _iso(refusal.next_allowed_at) if refusal else None,
        "zones": sorted(set(decision.zones)),
    }


def _why(differing: list[str], decision: Decision) -> str:
    what = f"{' and '.join(name.replace('_', ' ') for name in differing)} differ" + ("s" if len(differing) == 1 else "")
    failing = [f"{check.rule_id}: {check.detail}" for check in decision.checks if check.passed is False]
    return f"{what}; {'; '.join(failing) if failing else 'every rule passed'}"


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
