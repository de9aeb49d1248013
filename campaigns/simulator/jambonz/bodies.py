"""What jambonz's answers and webhooks look like."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.clock import iso
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.jambonz.config import CdrTimes
from campaigns.simulator.jambonz.statuses import SipState, state_of

SIP_ADDRESS = "127.0.0.1:5060"
FAR_END, OURS = "caller", "jambonz"
"""Who ended a call; the far end is called the caller even when it was called."""


def sip_call_id(call: SimulatedCall) -> str:
    """The Call-ID of the INVITE; the same whenever it is asked for."""
    return str(uuid5(NAMESPACE_OID, call.id))


def call_info(call: SimulatedCall, state: SipState) -> dict[str, Any]:
    """What both a listing and a webhook say of a call."""
    info = {
        "call_sid": call.id,
        "direction": "outbound",
        "from": call.line,
        "to": call.number,
        "call_id": sip_call_id(call),
        "sip_status": state.sip_status,
        "sip_reason": state.sip_reason,
        "call_status": state.call_status,
        "account_sid": call.request["account_sid"],
        "application_sid": call.request.get("application_sid"),
        "trace_id": call.id.replace("-", ""),
        "fs_sip_address": SIP_ADDRESS,
    }
    return {key: value for key, value in info.items() if value is not None}


def listed_call(call: SimulatedCall, *, config: SimulatorConfig, base_url: str) -> dict[str, Any]:
    """A row of `Calls`: strings and numbers only, so no tag."""
    state = state_of(call, status=call.status, config=config)
    row = call_info(call, state) | {"service_url": base_url}
    return row | _ending(call, state, speed=config.speed)


def status_body(call: SimulatedCall, *, status: str, config: SimulatorConfig, base_url: str) -> dict[str, Any]:
    """The webhook of a status."""
    state = state_of(call, status=status, config=config)
    body = call_info(call, state) | {"sbc_callid": f"sbc-{sip_call_id(call)}", "api_base_url": f"{base_url}/v1"}
    if status == "ended":
        body |= _ending(call, state, speed=config.speed)
    return body | customer_data(call)


def customer_data(call: SimulatedCall) -> dict[str, Any]:
    """The tag of the create, as it comes back."""
    tag = call.request.get("tag")
    return {"customerData": echoed(tag)} if isinstance(tag, Mapping) else {}


def echoed(value: Any) -> Any:
    """jambonz trims texts and writes a URL in its normal form, with a path."""
    if isinstance(value, Mapping):
        return {key: echoed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [echoed(inner) for inner in value]
    return _normal(value.strip()) if isinstance(value, str) else value


def cdr(call: SimulatedCall, *, config: SimulatorConfig) -> dict[str, Any]:
    """A row of `RecentCalls`, written when the call is over."""
    state = state_of(call, status=call.status, config=config)
    times = config.jambonz.cdr_times
    return {
        "account_sid": call.request["account_sid"],
        "call_sid": call.id,
        "from": call.line,
        "to": call.number,
        "answered": call.started_ms is not None,
        "sip_call_id": sip_call_id(call),
        "sip_status": state.sip_status,
        "duration": duration_seconds(call, speed=config.speed),
        "attempted_at": _time(call.created_ms, times=times),
        "answered_at": _time(call.started_ms, times=times),
        "terminated_at": _time(call.ended_ms, times=times),
        "termination_reason": _termination_reason(call, state),
        "host": SIP_ADDRESS.partition(":")[0],
        "direction": "outbound",
        "trunk": "simulated",
    }


def duration_seconds(call: SimulatedCall, *, speed: float) -> int:
    """Whole simulated seconds of conversation: as fated, unless it was hung up."""
    if call.started_ms is None or call.ended_ms is None:
        return 0
    if call.outcome != "cancelled" and call.fate.talk is not None:
        return round(call.fate.talk)
    return round((call.ended_ms - call.started_ms) * speed / 1000)


def _ending(call: SimulatedCall, state: SipState, *, speed: float) -> dict[str, Any]:
    if call.status != "ended":
        return {}
    ending: dict[str, Any] = {"call_termination_by": ended_by(call)}
    return ending | ({"duration": duration_seconds(call, speed=speed)} if state.call_status == "completed" else {})


def ended_by(call: SimulatedCall) -> str:
    """A call that was stopped or ran out of time was ended by us; of the others the far end ends more than half."""
    if call.outcome == "cancelled" or call.fate.cut:
        return OURS
    return FAR_END if call.started_ms is None or call.draws.share("ended by") < 0.6 else OURS


def _termination_reason(call: SimulatedCall, state: SipState) -> str:
    if state.call_status == "completed":
        return "caller hungup" if ended_by(call) == FAR_END else "called party hungup"
    return state.sip_reason


def _time(at_ms: int | None, *, times: CdrTimes) -> str | int | None:
    if at_ms is None:
        return None
    match times:
        case CdrTimes.ISO:
            return iso(at_ms)
        case CdrTimes.SECONDS:
            return int(datetime.fromtimestamp(at_ms / 1000, tz=UTC).timestamp())
        case CdrTimes.MILLISECONDS:
            return at_ms


def _normal(text: str) -> str:
    """`https://a.example` → `https://a.example/`."""
    scheme, separator, rest = text.partition("://")
    bare = separator and scheme in {"http", "https"} and rest and not set(rest) & set("/?# ")
    return f"{text}/" if bare else text
