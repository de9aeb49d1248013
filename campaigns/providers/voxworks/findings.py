"""Finding a value in JSON whose field names nobody has published.

The answers of `get-call` and `get-call-result` are documented as `{"success": true, "call": {…}}` and no further, and
the body of an automation is whatever its author put together. So every value has several names it may go by, compared
without case, spaces, `-` and `_`, looked for at the root, in `call`, and in `call.result`; and for automations the
account's `webhookFields` may name the path.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from campaigns.providers.fields import mapping


class Value(StrEnum):
    """What we look for; the words are the keys of `webhookFields`."""

    CALL_ID = "callId"
    STATUS = "status"
    CALL_TYPE = "callType"
    PHONE = "phone"
    ENDED_AT = "endedAt"
    DURATION = "duration"
    SUMMARY = "summary"
    TRANSCRIPT = "transcript"
    RECORDING_URL = "recordingUrl"
    ANSWERS = "answers"
    OBJECTIVES = "objectives"
    ATTEMPT_ID = "attemptId"


NAMES: Mapping[Value, tuple[str, ...]] = MappingProxyType(
    {
        Value.CALL_ID: ("callid", "id"),
        Value.STATUS: ("callstatus", "status"),
        Value.CALL_TYPE: ("calltype", "direction", "type"),
        Value.PHONE: ("phoneuser", "phonenumber", "phone"),
        Value.ENDED_AT: ("endedat", "endtime", "completedat"),
        Value.DURATION: ("durationseconds", "callduration", "duration"),
        Value.SUMMARY: ("callsummary", "summary"),
        Value.TRANSCRIPT: ("calltranscript", "transcript"),
        Value.RECORDING_URL: ("recordingurl", "callrecordingurl", "recording"),
        Value.ANSWERS: ("structureddata", "extracteddata", "answers"),
        Value.OBJECTIVES: ("objectives", "callobjectives"),
        Value.ATTEMPT_ID: ("attemptid",),
    }
)
"""In order of preference. `call_id`, `call_status`, `call_summary`, `phone_user` and `call_type` are the names that the
automation screen gives; the others are guesses that cost nothing."""

_INNER = ("call", "result", "data")
_SEPARATORS = re.compile(r"[\s_-]+")


class Findings:
    """One answer or automation's body, ready to be asked for values."""

    def __init__(self, document: Mapping[str, Any], *, paths: Mapping[str, str] | None = None) -> None:
        """`paths`: value → dotted path, which goes before every name."""
        self._document = document
        self._paths = paths or {}
        self._levels = [_plain(level) for level in _levels(document)]

    def get(self, value: Value) -> Any:
        """The value wherever it is; None: nowhere."""
        if value in self._paths:
            return _at(self._document, self._paths[value])
        for name in NAMES[value]:
            for level in self._levels:
                if level.get(name) is not None:
                    return level[name]
        return None

    def first_text(self, value: Value) -> str | None:
        """The value if it is text with something in it."""
        found = self.get(value)
        return found.strip() or None if isinstance(found, str) else None


def _levels(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What lies deeper is nearer to the call, so it comes first; the root's `status` may be another thing's."""
    inner = [mapping(document.get(name)) for name in _INNER]
    deeper = [mapping(each.get(name)) for each in inner for name in _INNER]
    yield from (level for level in (*inner, *deeper, document) if level)


def _plain(level: Mapping[str, Any]) -> Mapping[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in level.items():
        plain.setdefault(_SEPARATORS.sub("", str(name).casefold()), value)
    return plain


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for part in path.split("."):
        found = mapping(found).get(part)
    return found
