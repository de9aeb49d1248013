"""A Vapi `Call` object as a `CallReport`, wherever it came from: list, fetch or webhook."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from campaigns.calls.conversation import SILENCE, Conversation
from campaigns.calls.outcomes import Verdict
from campaigns.providers.contract import NO_ARTIFACTS, CallReport, Origin, Phase
from campaigns.providers.fields import amount, instant, mapping, text, uuid_of
from campaigns.providers.vapi.artifacts import artifacts_of
from campaigns.providers.vapi.codes import trouble_of, verdict_for
from campaigns.providers.vapi.conversations import conversation_of
from campaigns.providers.words import writable

ENDED_BY_CUSTOMER = "customer-ended-call"
"""How every reason begins that says that the person called ended the call, in a transfer or not."""

OUTBOUND = "outboundPhoneCall"
"""The type of every call that we make."""

REPORT_GRACE = timedelta(seconds=60)
"""The analysis comes seconds to minutes after the end. A call that ended longer ago than this and still has none will
get none: assistants without an analysis plan, calls that nobody picked up."""

PHASE_BY_STATUS: Mapping[str, Phase] = {
    "scheduled": Phase.QUEUED,
    "queued": Phase.QUEUED,
    "ringing": Phase.RINGING,
    "in-progress": Phase.CONNECTED,
    "forwarding": Phase.CONNECTED,
    "ended": Phase.ENDED,
}
"""`not-found` and `deletion-failed` belong to bulk deletion and say nothing of a dial; nor does an unknown status."""

_SPOKEN_ROLES = frozenset({"user", "bot", "assistant"})


def report_of(call: Mapping[str, Any], *, now: datetime) -> CallReport | None:
    """One listed or fetched call. None: it has no id."""
    call_id = id_of(call)
    if call_id is None:
        return None
    phase = _polled_phase(call, now=now)
    return replace(build_report(call_id, phase=phase, call=call, message=call), origin=_origin(call))


def _origin(call: Mapping[str, Any]) -> Origin:
    """Every type but this one rings nobody's phone: web and websocket calls, and calls to our numbers."""
    return Origin(
        inbound=call.get("type", OUTBOUND) != OUTBOUND,
        line=text(call.get("phoneNumberId")),
        number=text(mapping(call.get("customer")).get("number")),
        created_at=instant(call.get("createdAt")),
    )


def id_of(call: Mapping[str, Any]) -> str | None:
    """Vapi's id of the call; None: it has none."""
    call_id = call.get("id")
    return writable(call_id) if isinstance(call_id, str) and call_id else None


def build_report(call_id: str, *, phase: Phase, call: Mapping[str, Any], message: Mapping[str, Any]) -> CallReport:
    """`message`: what carries the news (a webhook's message, or the call itself); `call`: who it is about."""
    reason = _first_text(message, call, key="endedReason")
    over = phase.rank >= Phase.ENDED.rank
    started_at, ended_at = (instant(_first(message, call, key=key)) for key in ("startedAt", "endedAt"))
    return CallReport(
        provider_call_id=call_id,
        attempt_id=attempt_id_of(call),
        phase=phase,
        verdict=_verdict(reason, message=message, call=call) if over else None,
        ended_reason=writable(reason) if over and reason else None,
        occurred_at=_occurred_at(phase, message=message, call=call),
        duration=ended_at - started_at if started_at and ended_at and ended_at >= started_at else None,
        cost_usd=amount(_first(message, call, key="cost")),
        ended_by_customer=over and (reason or "").startswith(ENDED_BY_CUSTOMER),
        trouble=trouble_of(reason) if over else None,
        conversation=_conversation(message, call=call) if over else SILENCE,
        artifacts=artifacts_of(message, call=call) if over else NO_ARTIFACTS,
    )


def attempt_id_of(call: Mapping[str, Any]) -> UUID | None:
    """Our id as Vapi echoes it: metadata first, because anyone with the account's key may rename a call."""
    candidates = (mapping(call.get("metadata")).get("attemptId"), call.get("name"),
                  mapping(call.get("customer")).get("externalId"))  # fmt: skip
    return next((found for candidate in candidates if (found := uuid_of(candidate)) is not None), None)


def phase_of(status: object, *, ended: bool) -> Phase:
    """`ended`: the object carries an end, whatever its status is called."""
    if ended:
        return Phase.ENDED
    return PHASE_BY_STATUS.get(str(status), Phase.QUEUED)


def maybe_connected(message: Mapping[str, Any], *, call: Mapping[str, Any]) -> bool:
    """In doubt, connected. Only a transcript without a spoken turn, on a call without a start, proves the contrary."""
    if _first(message, call, key="startedAt") is not None:
        return True
    turns = mapping(_first(message, call, key="artifact")).get("messages", call.get("messages"))
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        return True
    return any(mapping(turn).get("role") in _SPOKEN_ROLES for turn in turns)


def _polled_phase(call: Mapping[str, Any], *, now: datetime) -> Phase:
    ended_at = instant(call.get("endedAt"))
    phase = phase_of(call.get("status"), ended=ended_at is not None and bool(call.get("endedReason")))
    if phase is not Phase.ENDED:
        return phase
    settled = "analysis" in call or (ended_at is not None and ended_at <= now - REPORT_GRACE)
    return Phase.REPORTED if settled and call.get("endedReason") else Phase.ENDED


def _verdict(reason: str | None, *, message: Mapping[str, Any], call: Mapping[str, Any]) -> Verdict:
    return verdict_for(reason, connected=maybe_connected(message, call=call))


def _occurred_at(phase: Phase, *, message: Mapping[str, Any], call: Mapping[str, Any]) -> datetime | None:
    keys = ("endedAt", "timestamp", "updatedAt") if phase.rank >= Phase.ENDED.rank else ("timestamp", "updatedAt")
    found = (instant(_first(message, call, key=key)) for key in keys)
    return next((at for at in found if at is not None), instant(call.get("createdAt")))


def _conversation(message: Mapping[str, Any], *, call: Mapping[str, Any]) -> Conversation:
    analysis, artifact = (mapping(_first(message, call, key=key)) for key in ("analysis", "artifact"))
    return conversation_of(analysis, artifact)


def _first(*sources: Mapping[str, Any], key: str) -> Any:
    return next((source[key] for source in sources if source.get(key) is not None), None)


def _first_text(*sources: Mapping[str, Any], key: str) -> str | None:
    value = _first(*sources, key=key)
    return value if isinstance(value, str) and value else None
