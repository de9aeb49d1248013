"""What Vapi's answers and webhooks look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.simulator.calls import CallKind, SimulatedCall
from campaigns.simulator.clock import iso
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.scripts import transcript_of
from campaigns.simulator.vapi.assistants import ORG_ID
from campaigns.simulator.vapi.conversation import analysis_of, messages_of
from campaigns.simulator.vapi.costs import cost_breakdown, cost_of, costs_of, talk_seconds

_TYPES = {
    CallKind.OUTBOUND: "outboundPhoneCall",
    CallKind.INBOUND: "inboundPhoneCall",
    CallKind.WEB: "webCall",
}
_ECHOED = ("name", "metadata", "assistantId", "assistantVersion", "assistant", "assistantOverrides", "squadId", "squad",
           "squadOverrides", "workflowId", "workflow", "workflowOverrides", "schedulePlan")  # fmt: skip
_SECRETS = frozenset({"twilioAuthToken", "twilioApiKey", "twilioApiSecret"})


@dataclass(frozen=True, slots=True)
class View:
    """What a body depends on besides its call."""

    base_url: str
    config: SimulatorConfig

    @property
    def speed(self) -> float:
        return self.config.speed


def call_body(call: SimulatedCall, *, view: View) -> dict[str, Any]:
    """A `Call`, as `POST /call`, `GET /call` and `GET /call/{id}` give it."""
    body: dict[str, Any] = {
        "id": call.id,
        "orgId": ORG_ID,
        "createdAt": iso(call.created_ms),
        "updatedAt": iso(call.updated_ms),
        "type": _TYPES[call.kind],
        "status": call.status,
        "cost": cost_of(call, speed=view.speed),
        **{key: call.request[key] for key in _ECHOED if key in call.request},
        **_telephone(call),
        "monitor": _monitor(call, view=view),
    }
    if call.name is not None:
        body["name"] = call.name
    return body | _progress(call) | (_results(call, view=view) if call.reported else {})


def created_body(call: SimulatedCall, *, view: View, limits: Mapping[str, Any]) -> dict[str, Any]:
    """The 201 of `POST /call`: the call as it is at that moment, always `queued` or `scheduled`."""
    body = call_body(call, view=view)
    status = "scheduled" if call.scheduled_ms is not None else "queued"
    return {"subscriptionLimits": dict(limits), **body, "status": status}


def status_update(
    call: SimulatedCall, *, status: str, at_ms: int, view: View, phone_number: Mapping[str, Any]
) -> dict[str, Any]:
    """The webhook of a status."""
    message: dict[str, Any] = {"type": "status-update", "status": status}
    if status == "ended":
        message["endedReason"] = call.ended_reason
    return _message(message, call=call, at_ms=at_ms, view=view, status=status, phone_number=phone_number)


def end_of_call_report(
    call: SimulatedCall, *, at_ms: int, view: View, phone_number: Mapping[str, Any]
) -> dict[str, Any]:
    """The webhook that brings the outcome."""
    message = {"type": "end-of-call-report", **_progress(call), **_results(call, view=view)}
    message["cost"] = cost_of(call, speed=view.speed)
    return _message(message, call=call, at_ms=at_ms, view=view, status=call.status, phone_number=phone_number)


def assistant_request(
    call: SimulatedCall, *, at_ms: int, view: View, phone_number: Mapping[str, Any]
) -> dict[str, Any]:
    """The webhook that asks which assistant shall take a call that came in."""
    message = {"type": "assistant-request"}
    return _message(message, call=call, at_ms=at_ms, view=view, status=call.status, phone_number=phone_number)


def recording_path(call_id: str) -> str:
    """Where the simulator keeps what was recorded."""
    return f"/recording/{call_id}-mono.wav"


def _telephone(call: SimulatedCall) -> dict[str, Any]:
    """Calls from a browser have no telephone at either end."""
    if call.kind is CallKind.WEB:
        customer = {"customer": call.customer} if call.customer else {}
        return {**customer, "transport": {"provider": "daily", "conversationType": "voice"}}
    inline = call.request.get("phoneNumber")
    if isinstance(inline, Mapping):
        line: dict[str, Any] = {"phoneNumber": {key: inline[key] for key in inline if key not in _SECRETS}}
    else:
        line = {"phoneNumberId": call.line}
    return {**line, "customer": call.customer, "phoneCallTransport": "pstn",
            "transport": {"provider": "twilio", "conversationType": "voice"}}  # fmt: skip


def _monitor(call: SimulatedCall, *, view: View) -> dict[str, str]:
    urls = {"listenUrl": f"{view.base_url.replace('http', 'ws', 1)}/{call.id}/listen"}
    if view.config.vapi.control_url:
        urls["controlUrl"] = f"{view.base_url}/{call.id}/control"
    return urls


def _progress(call: SimulatedCall) -> dict[str, Any]:
    progress = {
        "startedAt": call.started_ms and iso(call.started_ms),
        "endedAt": call.ended_ms and iso(call.ended_ms),
        "endedReason": call.ended_reason,
    }
    return {key: value for key, value in progress.items() if value is not None}


def _results(call: SimulatedCall, *, view: View) -> dict[str, Any]:
    seconds = talk_seconds(call, speed=view.speed)
    recorded = {"recordingUrl": view.base_url + recording_path(call.id)} if call.started_ms is not None else {}
    return {
        "analysis": analysis_of(call, config=view.config.vapi),
        "artifact": {
            "messages": messages_of(call, seconds=seconds),
            "transcript": transcript_of(call),
            **recorded,
        },
        "costs": costs_of(call, speed=view.speed),
        "costBreakdown": cost_breakdown(call, speed=view.speed),
    }


def _message(
    message: dict[str, Any],
    *,
    call: SimulatedCall,
    at_ms: int,
    view: View,
    status: str,
    phone_number: Mapping[str, Any],
) -> dict[str, Any]:
    body = call_body(call, view=view) | {"status": status}
    line = {key: value for key, value in phone_number.items() if key not in _SECRETS}
    about = {"customer": call.customer, "phoneNumber": line, "call": body}
    return {"message": {"timestamp": at_ms, **message, **about}}
