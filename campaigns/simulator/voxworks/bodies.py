"""What `get-call`, `get-call-result` and automations tell of a call."""

from collections.abc import Mapping
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.clock import iso
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.scripts import HUMAN_OUTCOMES, script_of, transcript_of
from campaigns.simulator.voxworks.config import FieldStyle
from campaigns.simulator.voxworks.contacts import Contact
from campaigns.simulator.voxworks.statuses import status_of

_AUTOMATION_NAMES: Mapping[str, str] = {
    "status": "call_status",
    "summary": "call_summary",
    "transcript": "call_transcript",
    "phone_number": "phone_user",
    "scheduled_at": "scheduled_time",
    "started_at": "actual_time",
}
GOOD_RATING, POOR_RATING = 5, 2


def call_fields(call: SimulatedCall, *, contact: Contact, config: SimulatorConfig) -> dict[str, Any]:
    """What is known from the start, and when it began and ended."""
    fields = {
        "call_id": call.id,
        "call_type": "outbound",
        "status": status_of(call, config=config.voxworks),
        "from_number": call.line,
        "phone_number": call.number,
        "contact_id": contact.id,
        "contact_name": contact.name,
        "script_id": call.request["script_id"],
        "scheduled_at": iso(call.scheduled_ms if call.scheduled_ms is not None else call.created_ms),
        "created_at": iso(call.created_ms),
        "started_at": call.started_ms and iso(call.started_ms),
        "ended_at": call.ended_ms and iso(call.ended_ms),
        "duration_seconds": duration_seconds(call),
    }
    return _named({key: value for key, value in fields.items() if value is not None}, style=config.voxworks.field_style)


def result_fields(call: SimulatedCall, *, config: SimulatorConfig, base_url: str) -> dict[str, Any]:
    """What was made of the conversation; empty until it is made."""
    results = results_of(call, config=config, base_url=base_url) if call.reported else {}
    return _named(results, style=config.voxworks.field_style)


def results_of(call: SimulatedCall, *, config: SimulatorConfig, base_url: str) -> dict[str, Any]:
    """Summary, transcript, recording, rating, objectives and, if asked for, structured data."""
    script = script_of(call)
    if script is None:
        return {}
    results: dict[str, Any] = {
        "summary": script.summary,
        "transcript": transcript_of(call),
        "recording_url": f"{base_url}/voxworks-recording/{call.id}.wav",
        "rating": GOOD_RATING if script.success else POOR_RATING,
        "objectives": [{"name": "answer", "achieved": script.success}],
    }
    weights = config.voxworks.dispositions
    if call.fate.outcome in HUMAN_OUTCOMES and any(weights.values()):
        results["structured_data"] = {"disposition": call.draws.pick("disposition", weights=weights)}
    return results


def duration_seconds(call: SimulatedCall) -> int | None:
    """Of the conversation, in simulated seconds; None: there was none, or it is not over."""
    return round(call.fate.talk or 0) if call.started_ms is not None and call.ended_ms is not None else None


def _named(fields: Mapping[str, Any], *, style: FieldStyle) -> dict[str, Any]:
    match style:
        case FieldStyle.CAMEL:
            return {_camel(key): value for key, value in fields.items()}
        case FieldStyle.AUTOMATION:
            return {_AUTOMATION_NAMES.get(key, key): value for key, value in fields.items()}
        case _:
            return dict(fields)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.title() for part in others)
