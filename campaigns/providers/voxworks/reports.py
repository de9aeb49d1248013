"""A Voxworks call as a `CallReport`: from `get-call` and `get-call-result`, or from an automation's body.

The status tells how the call ended; the details of a conversation come apart from it, and later. A call that may have
been a conversation is `ENDED` until they are there (an opt-out may be among them), and `REPORTED` after that, or when
it ended long enough ago that none will come.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from campaigns.calls.conversation import Conversation, answers_of, word_of
from campaigns.providers.contract import Artifacts, CallReport, Phase
from campaigns.providers.fields import amount, instant, mapping, uuid_of
from campaigns.providers.voxworks.codes import HANG_UP, UNKNOWN_END, end_of, folded, phase_of
from campaigns.providers.voxworks.findings import Findings, Value
from campaigns.providers.words import MOST_TRANSCRIPT, writable, writable_text

DETAILS_GRACE = timedelta(minutes=2)
"""Summary and answers are made after the call; what ended longer ago than this will get none."""

MOST_URL = 2_000
DISPOSITION = "disposition"
_NAME = ("name", "key", "label", "field", "objective")
_ANSWER = ("value", "result", "answer", "achieved", "completed", "met")


def report_of(call_id: str, findings: Findings, *, now: datetime) -> CallReport:
    """What is known of one call. `call_id`: Voxworks' id of it."""
    status = findings.first_text(Value.STATUS) or ""
    end, ended_at = end_of(status), instant(findings.get(Value.ENDED_AT))
    artifacts, conversation = _artifacts(findings), _conversation(findings)
    phase = phase_of(status)
    over = phase.rank >= Phase.ENDED.rank or ended_at is not None
    if over:
        told = not artifacts.is_empty or not conversation.is_empty
        late = ended_at is not None and ended_at <= now - DETAILS_GRACE
        phase = Phase.REPORTED if told or late or (end is not None and not end.talked) else Phase.ENDED
    return CallReport(
        provider_call_id=writable(call_id),
        attempt_id=uuid_of(findings.get(Value.ATTEMPT_ID)),
        phase=phase,
        verdict=(end.verdict if end else UNKNOWN_END) if over else None,
        ended_reason=writable(status) if over and status else None,
        occurred_at=ended_at,
        duration=_duration(findings.get(Value.DURATION)),
        conversation=conversation,
        ended_by_customer=folded(status) == HANG_UP,
        artifacts=artifacts,
    )


def _duration(value: object) -> timedelta | None:
    """A number of seconds; a text such as `1:30` has no documented meaning."""
    seconds = amount(value)
    return timedelta(seconds=seconds) if seconds is not None and 0 <= seconds <= 86_400 else None


def _artifacts(findings: Findings) -> Artifacts:
    return Artifacts(
        transcript=_transcript(findings.get(Value.TRANSCRIPT)),
        summary=_said(findings.get(Value.SUMMARY)),
        recording_url=_url(findings.get(Value.RECORDING_URL)),
    )


def _said(value: object) -> str | None:
    return writable_text(value, most=MOST_TRANSCRIPT) if isinstance(value, str) and value.strip() else None


def _transcript(value: object) -> str | None:
    """Text, or a list of turns, each a text or an object with a text under a name of its own."""
    if not isinstance(value, list):
        return _said(value)
    turns = (turn if isinstance(turn, str) else " ".join(_texts(turn)) for turn in value)
    return _said("\n".join(turn for turn in turns if turn))


def _texts(turn: object) -> Iterator[str]:
    return (text for text in mapping(turn).values() if isinstance(text, str))


def _url(value: object) -> str | None:
    found = mapping(value).get("url", value)
    return writable_text(found, most=MOST_URL) if isinstance(found, str) and found.startswith("http") else None


def _conversation(findings: Findings) -> Conversation:
    given = dict(_named(findings.get(Value.OBJECTIVES))) | dict(_named(findings.get(Value.ANSWERS)))
    fields = {name: value for name, value in given.items() if isinstance(name, str)}
    return Conversation(disposition=word_of(fields.pop(DISPOSITION, None)), answers=answers_of(fields))


def _named(value: object) -> Iterator[tuple[str, Any]]:
    """`{name: answer}`, `{name: {"value": answer}}` or `[{"name": …, "value": …}]`."""
    if isinstance(value, Mapping):
        yield from ((name, _answer(answer)) for name, answer in value.items())
    for each in value if isinstance(value, list) else ():
        name = next((found for key in _NAME if isinstance(found := mapping(each).get(key), str)), None)
        if name is not None:
            yield name, _answer(each)


def _answer(value: object) -> Any:
    if not isinstance(value, Mapping):
        return value
    return next((value[key] for key in _ANSWER if key in value), None)
