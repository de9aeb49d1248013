"""`PUT` (or `POST`) of a call: hang up, cancel, mute …"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.jambonz.answers import bare, problem
from campaigns.simulator.jambonz.endings import ANSWERED, NOT_TAKEN
from campaigns.simulator.telephony import Telephony

ACTIONS = ("call_hook", "child_call_hook", "call_status", "listen_status", "conf_hold_status", "conf_mute_status",
           "mute_status", "sip_request", "record")  # fmt: skip
PAIRS = ({"call_hook", "child_call_hook"},)
"""What may be asked for together."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "call_status": ("completed", "no-answer"),
    "listen_status": ("pause", "silence", "resume"),
    "mute_status": ("mute", "unmute"),
    "conf_hold_status": ("hold", "unhold"),
    "conf_mute_status": ("mute", "unmute"),
}
UNANSWERED = frozenset({"queued", "ringing"})


def wrong_update(body: Mapping[str, Any]) -> str | None:
    """What jambonz answers 400 with; None: the update can be tried."""
    asked = {name for name in ACTIONS if body.get(name)}
    if not asked and not body.get("whisper"):
        return "no valid options supplied to updateCall"
    if len(asked) > 1 and asked not in PAIRS:
        return "multiple options are not allowed in updateCall"
    return next((f"invalid {name}" for name in asked if name in WORDS and body[name] not in WORDS[name]), None)


def update(call: SimulatedCall, body: Mapping[str, Any], *, telephony: Telephony) -> web.Response:
    """202, or 422 when the call is not in a state for it. All but hanging up has no effect here."""
    if call.status == "ended":
        return problem(422, f"call session is gone for call_sid {call.id}")
    wanted = body.get("call_status")
    if wanted == "completed" and call.status != "in-progress":
        return _incompatible(call)
    if wanted == "no-answer" and call.status not in UNANSWERED:
        return _incompatible(call)
    if wanted is not None:
        telephony.hang_up(call, reason=ANSWERED if wanted == "completed" else NOT_TAKEN)
    return ok({"status": 200, "reason": "OK"}) if body.get("sip_request") else bare(202)


def _incompatible(call: SimulatedCall) -> web.Response:
    return problem(422, f"current call state is incompatible with requested action for call_sid {call.id}")
