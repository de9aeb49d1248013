"""A provider's report as JSON for the inbox, and back. What was said goes along until it is applied, if it is kept."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from campaigns.calls.conversation import SILENCE, Conversation
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import NO_ARTIFACTS, AnsweredBy, Artifacts, CallReport, Phase, Trouble


def to_json(report: CallReport) -> str:
    """The report as JSON text."""
    return json.dumps(
        {
            "provider_call_id": report.provider_call_id,
            "attempt_id": str(report.attempt_id) if report.attempt_id else None,
            "phase": report.phase.value,
            "verdict": _fields(report.verdict) if report.verdict else None,
            "ended_reason": report.ended_reason,
            "occurred_at": report.occurred_at.isoformat() if report.occurred_at else None,
            "duration_seconds": report.duration.total_seconds() if report.duration is not None else None,
            "cost_usd": report.cost_usd,
            "ended_by_customer": report.ended_by_customer,
            "answered_by": report.answered_by.value if report.answered_by else None,
            "trouble": report.trouble.value if report.trouble else None,
            "conversation": None if report.conversation.is_empty else _fields(report.conversation),
            "artifacts": None if report.artifacts.is_empty else _fields(report.artifacts),
        }
    )


def _fields(part: Verdict | Conversation | Artifacts) -> dict[str, Any]:
    """As `dataclasses.asdict`, which copies deeply and takes most of the time that a report needs."""
    return {name: getattr(part, name) for name in part.__slots__}


def from_json(stored: Mapping[str, Any]) -> CallReport:
    """The report that `to_json` wrote."""
    verdict, duration = stored["verdict"], stored["duration_seconds"]
    conversation, artifacts = stored.get("conversation"), stored.get("artifacts")
    return CallReport(
        provider_call_id=stored["provider_call_id"],
        attempt_id=UUID(stored["attempt_id"]) if stored["attempt_id"] else None,
        phase=Phase(stored["phase"]),
        verdict=Verdict(Outcome(verdict["outcome"]), verdict["retryable"], verdict["counts"]) if verdict else None,
        ended_reason=stored["ended_reason"],
        occurred_at=datetime.fromisoformat(stored["occurred_at"]) if stored["occurred_at"] else None,
        duration=timedelta(seconds=duration) if duration is not None else None,
        cost_usd=stored["cost_usd"],
        conversation=Conversation(**conversation) if conversation else SILENCE,
        ended_by_customer=stored.get("ended_by_customer", False),
        answered_by=AnsweredBy(stored["answered_by"]) if stored.get("answered_by") else None,
        trouble=Trouble(stored["trouble"]) if stored.get("trouble") else None,
        artifacts=Artifacts(**artifacts) if artifacts else NO_ARTIFACTS,
    )
