"""What a "Call Completed" automation sends us. Its author made the body, and nothing signs it.

Any JSON object with the call's id will do. Where a value goes by a name that `findings.py` does not know, the account's
`webhookFields` says the path: `webhookFields = {callId = "ref.call", summary = "notes"}`.

A body that says how the call ended is acted upon. One that does not is stored and counted, and the call is asked after.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from campaigns.providers.contract import CallReport, Phase, Receipt, WebhookRejectedError
from campaigns.providers.voxworks.codes import folded
from campaigns.providers.voxworks.findings import Findings, Value
from campaigns.providers.voxworks.reports import report_of

CALL_COMPLETED = "call-completed"
"""Under which name automations are counted; their bodies name no event."""
INBOUND = "inbound"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def parse_webhook(body: bytes, *, paths: Mapping[str, str], now: datetime) -> Receipt:
    """`paths`: the account's `webhookFields`. Raises `WebhookRejectedError`."""
    findings = Findings(_document(body), paths=paths)
    call_id = findings.first_text(Value.CALL_ID)
    if call_id is None:
        raise WebhookRejectedError("the body has no call id; name its place in the account's webhookFields.callId")
    report = report_of(call_id, findings, now=now)
    known = report.phase.rank >= Phase.ENDED.rank
    return Receipt(_dedupe_key(report), CALL_COMPLETED, report if known else None, caller=_caller(findings))


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRejectedError("the body is no JSON") from None
    if not isinstance(document, Mapping):
        raise WebhookRejectedError("the body is no JSON object")
    return document


def _caller(findings: Findings) -> str | None:
    """Who called us; None for our own calls, and for numbers in a form that only their country understands."""
    if folded(findings.first_text(Value.CALL_TYPE) or "") != INBOUND:
        return None
    number = findings.first_text(Value.PHONE)
    return number if number is not None and _E164.fullmatch(number) else None


def _dedupe_key(report: CallReport) -> str:
    """Of the call, how it ended and what it achieved: an automation that runs again with answers tells news."""
    parts = [
        report.provider_call_id,
        report.phase.value,
        folded(report.ended_reason or ""),
        asdict(report.conversation),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
