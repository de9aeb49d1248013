"""What a decision leaves on record: every rule's result, and every input that the gate was told.

Not the number, the name or the person: those are reached through the call, so that a person can be forgotten and the
chain of decisions kept. Values that say nothing (the field's default) are left out.
"""

import json
from collections.abc import Hashable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import Any, cast
from uuid import UUID

from campaigns.compliance.decision import Check, Decision, Permit, Refusal
from campaigns.compliance.facts import Facts, Plan
from campaigns.store.claims import CampaignFacts, NewDecision

_NOT_ON_RECORD = frozenset({"number", "plan", "person", "debt"})


def new_decision(
    call_id: int, facts: Facts, decision: Decision, *, campaign: CampaignFacts, attempt_id: UUID | None
) -> NewDecision:
    """The decision's row. `attempt_id`: of a permit, None for a refusal."""
    refusal = decision if isinstance(decision, Refusal) else None
    return NewDecision(
        call_id=call_id,
        attempt_id=attempt_id,
        rule_id=refusal.rule_id if refusal else None,
        next_allowed_at=refusal.next_allowed_at if refusal else None,
        consent_id=decision.consent_id if isinstance(decision, Permit) else None,
        zones=decision.zones,
        jurisdictions=decision.jurisdictions,
        checks=_json([_check(check) for check in decision.checks]),
        facts=_json(facts_on_record(facts, campaign=campaign)),
        detail=_detail(refusal) if refusal else None,
    )


def facts_on_record(facts: Facts, *, campaign: CampaignFacts) -> dict[str, Any]:
    """JSON-able: the plan, the person's facts, the clocks and the version that judged."""
    return {
        "engine": engine_version(),
        "clock": _clock(campaign),
        "plan": plan_on_record(facts.plan),
        **{name: as_recorded(value) for name, value in _told(facts, but=_NOT_ON_RECORD)},
    }


@lru_cache(maxsize=256)
def plan_on_record(plan: Plan) -> dict[str, Any]:
    """The same for every call of a claim, so it is put together once."""
    return {name: as_recorded(value) for name, value in _told(plan)}


@lru_cache(maxsize=1)
def engine_version() -> str:
    """The release of Ringfence that decides."""
    return version("ringfence")


def _clock(campaign: CampaignFacts) -> dict[str, Any]:
    clock: dict[str, Any] = {"skew_seconds": campaign.clock_skew.total_seconds()}
    return clock | ({"rehearsal_speed": campaign.clock_speed} if campaign.rehearsal else {})


def _detail(refusal: Refusal) -> str | None:
    return next((check.detail for check in refusal.checks if check.rule_id == refusal.rule_id), None)


def _check(check: Check) -> dict[str, Any]:
    return {"rule_id": check.rule_id, "passed": check.passed, "detail": check.detail}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _told(value: Any, *, but: frozenset[str] = frozenset()) -> list[tuple[str, Any]]:
    """The fields whose value is not the default: a field added to the facts later goes on record by itself."""
    kind: Any = type(value)
    return [
        (name, told)
        for name, default in _defaults(kind)
        if name not in but and (told := getattr(value, name)) != default
    ]


@lru_cache(maxsize=64)
def _defaults(kind: Hashable) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, _default(field)) for field in fields(cast(Any, kind)))


def _default(field: "Field[Any]") -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def as_recorded(value: Any) -> Any:
    """JSON-able. A consent or revocation with its id and all it said: a row altered later shows against the seal."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case frozenset() | set():
            return sorted(as_recorded(each) for each in value)
        case tuple() | list():
            return [as_recorded(each) for each in value]
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no form on record")
    return {name: as_recorded(each) for name, each in _told(value)}
