"""The gateway's webhooks: the status of a call, and what its answering machine detection says.

| body                                                 | meaning                  | phase                       |
|------------------------------------------------------|--------------------------|-----------------------------|
| `call_status: queued, trying, ringing, …`            | progress                 | by status                   |
| `call_status: completed`, AMD's word comes to us too | over, not told in full   | `ENDED`                     |
| any other final `call_status`                        | over                     | `REPORTED`                  |
| `type: amd_human_detected`                           | a person answered        | `CONNECTED`, by a human     |
| `type: amd_machine_detected, …stopped_speaking`      | a machine answered       | `CONNECTED`, by a machine   |
| any other `type: amd_…`                              | tells nobody apart       | none, stored and counted    |

AMD's word goes to another hook than the status and may come after `completed`; the two are joined by `call_sid`. A call
that somebody made to us (`direction: inbound`) is no call of ours, and only tells who called.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from campaigns.providers.cognigy.reports import attempt_id_of, fields_of, sid_of, status_report
from campaigns.providers.contract import AnsweredBy, CallReport, Phase, Receipt, WebhookRejectedError
from campaigns.providers.fields import text

STATUS = "call-status"
AMD = "amd_"
ANSWERED_BY: Mapping[str, AnsweredBy] = {
    "amd_human_detected": AnsweredBy.HUMAN,
    "amd_machine_detected": AnsweredBy.MACHINE,
    "amd_machine_stopped_speaking": AnsweredBy.MACHINE,
}
"""Silence, a tone or a time-out tell nobody apart: then somebody or something picked up, and nobody rings again."""

INBOUND = "inbound"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def parse_webhook(body: bytes) -> Receipt:
    """Raises `WebhookRejectedError` for a body that is no webhook of this gateway."""
    call = _call(body)
    event = _event(call)
    key = _dedupe_key(event, call)
    report = _report(event, call)
    return Receipt(key, event, report, caller=_caller(call) if report else None)


def _call(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRejectedError("the body is no JSON") from None
    if not isinstance(document, dict):
        raise WebhookRejectedError("the body is no object")
    call = fields_of(document)
    if sid_of(call) is None:
        raise WebhookRejectedError("the body has no 'call_sid'")
    return call


def _event(call: Mapping[str, Any]) -> str:
    named = text(call.get("type")) or text(call.get("event"))
    if named is not None and (named.startswith(AMD) or "call_status" not in call):
        return named
    if text(call.get("call_status")) is None:
        raise WebhookRejectedError("the body has neither 'call_status' nor the type of an event")
    return STATUS


def _report(event: str, call: Mapping[str, Any]) -> CallReport | None:
    if event == STATUS:
        return status_report(call)
    sid = sid_of(call)
    if event not in ANSWERED_BY or sid is None:
        return None
    return CallReport(sid, attempt_id_of(call), Phase.CONNECTED, answered_by=ANSWERED_BY[event])


def _caller(call: Mapping[str, Any]) -> str | None:
    number = call.get("from")
    is_known = call.get("direction") == INBOUND and isinstance(number, str) and _E164.fullmatch(number)
    return str(number) if is_known else None


def _dedupe_key(event: str, call: Mapping[str, Any]) -> str:
    """What makes the event, not when it was sent: `ringing` may be told twice. An unknown event is its whole body."""
    if event == STATUS:
        parts = [call.get(key) for key in ("call_sid", "call_status", "sip_status", "duration")]
    elif event in ANSWERED_BY:
        parts = [call.get("call_sid")]
    else:
        parts = [call]
    canonical = json.dumps([event, *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
