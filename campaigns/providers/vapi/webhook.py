"""Vapi's webhooks: `{"message": {"type": …, "call": {…}, …}}`.

| type                 | meaning                                                | phase                         |
|----------------------|--------------------------------------------------------|-------------------------------|
| `status-update`      | progress; `endedReason` only with `ended`              | by status, `ENDED` at the end |
| `end-of-call-report` | the outcome; before or after the `ended` update        | `REPORTED`                    |
| `hang`               | the assistant is stalling: a warning, not a hang-up    | none, stored and counted      |
| anything else        | conversation, speech, tools, types yet unknown         | none, stored and counted      |

The dedupe key of the first two holds what makes the event, not when it was sent: Vapi delivers reports twice. What the
conversation achieved and what was said are part of it: a report that comes again with the analysis or the recording
that the first one lacked is news.

A call that somebody makes to one of the account's numbers (`call.type` is `inboundPhoneCall`) reports in the same way,
if that number's server URL points here; it is no call of ours, and only tells who called.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from campaigns.calls.conversation import Conversation
from campaigns.providers.contract import Artifacts, CallReport, Phase, Receipt, WebhookRejectedError
from campaigns.providers.fields import mapping
from campaigns.providers.vapi.reports import build_report, id_of, phase_of
from campaigns.providers.words import writable

STATUS_UPDATE = "status-update"
END_OF_CALL_REPORT = "end-of-call-report"
INBOUND = "inboundPhoneCall"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_NOT_PART_OF_AN_EVENT = frozenset({"timestamp"})


def parse_webhook(body: bytes) -> Receipt:
    """Raises `WebhookRejectedError` for a body that is no Vapi webhook; any event type is accepted."""
    message = _message(body)
    event_type = writable(message["type"])
    call = mapping(message.get("call"))
    report = _report(message, call=call)
    dedupe_key = _dedupe_key(event_type, message=message, call=call, report=report)
    return Receipt(dedupe_key, event_type, report, caller=_caller(message, call=call) if report else None)


def _message(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRejectedError("the body is no JSON") from None
    message = mapping(document).get("message")
    if not isinstance(message, Mapping):
        raise WebhookRejectedError("the body has no object 'message'")
    if not isinstance(message.get("type"), str) or not message["type"]:
        raise WebhookRejectedError("the message has no 'type'")
    return message


def _report(message: Mapping[str, Any], *, call: Mapping[str, Any]) -> CallReport | None:
    call_id = id_of(call)
    if call_id is None:
        return None
    if message["type"] == END_OF_CALL_REPORT:
        return build_report(call_id, phase=Phase.REPORTED, call=call, message=message)
    if message["type"] == STATUS_UPDATE:
        phase = phase_of(message.get("status"), ended=bool(message.get("endedReason")))
        return build_report(call_id, phase=phase, call=call, message=message)
    return None


def _caller(message: Mapping[str, Any], *, call: Mapping[str, Any]) -> str | None:
    """Who called us; None for our own calls, and for callers who hide their number."""
    if call.get("type") != INBOUND:
        return None
    customer = mapping(call.get("customer")) or mapping(message.get("customer"))
    number = customer.get("number")
    return number if isinstance(number, str) and _E164.fullmatch(number) else None


def _dedupe_key(
    event_type: str, *, message: Mapping[str, Any], call: Mapping[str, Any], report: CallReport | None
) -> str:
    if event_type in (STATUS_UPDATE, END_OF_CALL_REPORT):
        parts = [call.get("id"), message.get("status"), message.get("endedReason")]
        if report is not None and not report.conversation.is_empty:
            parts.append(_fields(report.conversation))
        if report is not None and not report.artifacts.is_empty:
            parts.append(_fields(report.artifacts))
    else:
        parts = [{key: value for key, value in message.items() if key not in _NOT_PART_OF_AN_EVENT}]
    canonical = json.dumps([event_type, *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _fields(part: Conversation | Artifacts) -> dict[str, Any]:
    """As `dataclasses.asdict`, which copies deeply and takes half of a report's time."""
    return {name: getattr(part, name) for name in part.__slots__}
