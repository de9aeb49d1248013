"""A call of the gateway as a `CallReport`: from its live store, from its call records, or from a status webhook.

| source            | keys                                  | knows                                                |
|-------------------|---------------------------------------|------------------------------------------------------|
| `…/Calls`         | `call_sid, call_status, sip_status`   | the state now; no tag, no time; forgotten in an hour |
| `…/RecentCalls`   | `call_sid, answered, attempted_at`    | ended calls with their times; no tag                 |
| status webhook    | as the first, and `customerData`      | all but the time; `customerData` is our tag          |
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from campaigns.providers.cognigy.codes import OK, code_of, trouble_of
from campaigns.providers.cognigy.requests import ATTEMPT_KEY, AWAITS_AMD_KEY
from campaigns.providers.contract import CallReport, Origin, Phase
from campaigns.providers.fields import amount, instant, mapping, text, uuid_of, whole
from campaigns.providers.words import writable

PHASE_BY_STATUS: Mapping[str, Phase] = {
    "queued": Phase.QUEUED,
    "trying": Phase.QUEUED,
    "ringing": Phase.RINGING,
    "alerting": Phase.RINGING,
    "early-media": Phase.RINGING,
    "in-progress": Phase.CONNECTED,
    "completed": Phase.REPORTED,
    "failed": Phase.REPORTED,
    "busy": Phase.REPORTED,
    "no-answer": Phase.REPORTED,
}
"""An unknown status says nothing of a call but that it is there."""

FAR_END = "caller"
"""`call_termination_by` of a call that the person ended."""

_E164 = re.compile(r"\+\d{7,15}")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_SECONDS_BELOW = 100_000_000_000
"""As milliseconds this would be 1973, as seconds the year 5138."""


def fields_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same keys whatever the spelling: `callSid` and `call_sid` are one. What is nested stays as it is."""
    return {_CAPITAL.sub("_", key).lower(): value for key, value in body.items()}


def sid_of(call: Mapping[str, Any]) -> str | None:
    """The gateway's id of the call; None: it has none."""
    return text(call.get("call_sid"))


def attempt_id_of(call: Mapping[str, Any]) -> UUID | None:
    """Our id, as the tag brought it back."""
    return uuid_of(mapping(call.get("customer_data")).get(ATTEMPT_KEY))


def status_report(call: Mapping[str, Any]) -> CallReport | None:
    """A call of the live store, or a status webhook; keys as `fields_of` gives them. None: it has no id."""
    sid = sid_of(call)
    if sid is None:
        return None
    status = text(call.get("call_status"))
    phase = PHASE_BY_STATUS.get((status or "").lower(), Phase.QUEUED)
    if phase is not Phase.REPORTED:
        return CallReport(sid, attempt_id_of(call), phase)
    report = _ended(sid, call, status=status)
    awaited = mapping(call.get("customer_data")).get(AWAITS_AMD_KEY) is True and _was_answered(call, status=status)
    return replace(report, phase=Phase.ENDED) if awaited else report


def record_report(record: Mapping[str, Any]) -> CallReport | None:
    """A call record; keys as `fields_of` gives them. None: it has no id."""
    sid = sid_of(record)
    if sid is None:
        return None
    status = "completed" if record.get("answered") is True else None
    return replace(_ended(sid, record, status=status), occurred_at=moment(record.get("terminated_at")))


def with_origin(report: CallReport, call: Mapping[str, Any]) -> CallReport:
    """The report of a listed or fetched call, with what the gateway says of its ends; live calls have no time."""
    number = text(call.get("to"))
    origin = Origin(
        inbound=call.get("direction") == "inbound",
        line=text(call.get("from")),
        number=number if number is not None and _E164.fullmatch(number) else None,
        created_at=moment(call.get("attempted_at")),
    )
    return replace(report, origin=origin)


def moment(value: object) -> datetime | None:
    """ISO text, or seconds or milliseconds since 1970."""
    number = amount(value)
    if number is not None and 0 < number < _SECONDS_BELOW:
        return datetime.fromtimestamp(number, UTC)
    return instant(value)


def _was_answered(call: Mapping[str, Any], *, status: str | None) -> bool:
    sip_status = whole(call.get("sip_status"))
    return sip_status == OK or (sip_status is None and status == "completed")


def _ended(sid: str, call: Mapping[str, Any], *, status: str | None) -> CallReport:
    sip_status = whole(call.get("sip_status"))
    # Who answered is AMD's word, and joined to this where both are known.
    verdict = code_of(sip_status, call_status=status, answered_by=None).verdict
    return CallReport(
        provider_call_id=sid,
        attempt_id=attempt_id_of(call),
        phase=Phase.REPORTED,
        verdict=verdict,
        ended_reason=_reason(call, status=status),
        duration=_duration(call),
        ended_by_customer=_was_answered(call, status=status) and call.get("call_termination_by") == FAR_END,
        trouble=trouble_of(sip_status, outcome=verdict.outcome),
    )


def _reason(call: Mapping[str, Any], *, status: str | None) -> str:
    """Such as `busy 486 Busy Here`."""
    parts = (
        status,
        whole(call.get("sip_status")),
        text(call.get("sip_reason")) or text(call.get("termination_reason")),
    )
    return writable(" ".join(str(part) for part in parts if part)) or "ended"


def _duration(call: Mapping[str, Any]) -> timedelta | None:
    """Seconds; a call that nobody answered has none."""
    seconds = whole(call.get("duration"))
    return timedelta(seconds=min(seconds, _MOST_SECONDS)) if seconds and seconds > 0 else None


_MOST_SECONDS = 7 * 86_400
"""A longer call is a wrong unit, and would not fit where it is kept."""
