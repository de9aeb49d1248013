"""What Vapi's answers and webhooks look like."""

from collections.abc import Mapping
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.clock import iso

ORG_ID = "0199a8c4-5b1e-7f3a-9d42-3f6c8e5a7b10"

DOLLARS_PER_MINUTE = {"transport": 0.008, "stt": 0.01, "llm": 0.02, "tts": 0.036, "vapi": 0.05}

_ECHOED = ("name", "metadata", "assistantId", "assistant", "assistantOverrides", "squadId", "squad", "squadOverrides",
           "workflowId", "workflow", "workflowOverrides", "schedulePlan")  # fmt: skip
_SPOKEN = (
    ("bot", "Hello, this is a simulated assistant. Is this a good time?"),
    ("user", "Yes, go ahead."),
    ("bot", "Thank you. That was all. Goodbye."),
)


def call_body(call: SimulatedCall, *, base_url: str, speed: float) -> dict[str, Any]:
    """A `Call`, as `POST /call`, `GET /call` and `GET /call/{id}` give it."""
    body: dict[str, Any] = {
        "id": call.id,
        "orgId": ORG_ID,
        "createdAt": iso(call.created_ms),
        "updatedAt": iso(call.updated_ms),
        "type": "outboundPhoneCall",
        "status": call.status,
        "cost": round(sum(cost_breakdown(call, speed=speed).values()), 4),
        "phoneNumberId": call.line,
        "customer": call.customer,
        **{key: call.request[key] for key in _ECHOED if key in call.request},
        "monitor": {
            "listenUrl": f"{base_url.replace('http', 'ws', 1)}/{call.id}/listen",
            "controlUrl": f"{base_url}/{call.id}/control",
        },
        "transport": {"provider": "twilio", "conversationType": "voice"},
    }
    if call.name is not None:
        body["name"] = call.name
    return body | _progress(call) | (_results(call, speed=speed) if call.reported else {})


def created_body(call: SimulatedCall, *, base_url: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    """The 201 of `POST /call`: the call as it is at that moment, always `queued` or `scheduled`."""
    body = call_body(call, base_url=base_url, speed=1.0)
    status = "scheduled" if call.scheduled_ms is not None else "queued"
    return {"subscriptionLimits": dict(limits), **body, "status": status}


def status_update(call: SimulatedCall, *, status: str, at_ms: int, base_url: str, speed: float) -> dict[str, Any]:
    """The webhook of a status."""
    message: dict[str, Any] = {"type": "status-update", "status": status}
    if status == "ended":
        message["endedReason"] = call.ended_reason
    return _message(message, call=call, at_ms=at_ms, base_url=base_url, speed=speed, status=status)


def end_of_call_report(call: SimulatedCall, *, at_ms: int, base_url: str, speed: float) -> dict[str, Any]:
    """The webhook that brings the outcome."""
    message = {"type": "end-of-call-report", **_progress(call), **_results(call, speed=speed)}
    message["cost"] = round(sum(cost_breakdown(call, speed=speed).values()), 4)
    return _message(message, call=call, at_ms=at_ms, base_url=base_url, speed=speed, status=call.status)


def cost_breakdown(call: SimulatedCall, *, speed: float) -> dict[str, float]:
    """Dollars for the simulated minutes, not for the faster real ones."""
    if call.started_ms is None or call.ended_ms is None:
        return dict.fromkeys(DOLLARS_PER_MINUTE, 0.0)
    minutes = (call.ended_ms - call.started_ms) * speed / 60_000
    return {part: round(price * minutes, 4) for part, price in DOLLARS_PER_MINUTE.items()}


def transcript(call: SimulatedCall) -> list[dict[str, Any]]:
    """Nobody speaks unless somebody picked up; a pipeline error is heard as silence."""
    if call.started_ms is None or call.fate.outcome == "pipeline_error":
        return []
    spoken = _SPOKEN if call.fate.outcome == "answered" else _SPOKEN[:1]
    return [{"role": role, "message": text, "time": call.started_ms} for role, text in spoken]


def _progress(call: SimulatedCall) -> dict[str, Any]:
    progress = {
        "startedAt": call.started_ms and iso(call.started_ms),
        "endedAt": call.ended_ms and iso(call.ended_ms),
        "endedReason": call.ended_reason,
    }
    return {key: value for key, value in progress.items() if value is not None}


def _results(call: SimulatedCall, *, speed: float) -> dict[str, Any]:
    messages = transcript(call)
    costs = cost_breakdown(call, speed=speed)
    return {
        "analysis": {"summary": "A simulated call.", "successEvaluation": "true"} if messages else {},
        "artifact": {
            "messages": messages,
            "transcript": "\n".join(f"{turn['role']}: {turn['message']}" for turn in messages),
        },
        "costBreakdown": {**costs, "total": round(sum(costs.values()), 4)},
    }


def _message(
    message: dict[str, Any], *, call: SimulatedCall, at_ms: int, base_url: str, speed: float, status: str
) -> dict[str, Any]:
    body = call_body(call, base_url=base_url, speed=speed) | {"status": status}
    about = {"customer": call.customer, "phoneNumber": {"id": call.line, "provider": "vapi"}, "call": body}
    return {"message": {"timestamp": at_ms, **message, **about}}
