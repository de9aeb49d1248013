"""What jambonz refuses in the body of a create: its API server with words, its feature server with none."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from campaigns.simulator.config import SimulatorConfig

SID_LENGTH = 36
LONGEST_FROM = 256

SPEECH = (
    "speech_synthesis_vendor", "speech_synthesis_language", "speech_synthesis_voice",
    "speech_recognizer_vendor", "speech_recognizer_language",
)  # fmt: skip
HOOKS = ("call_hook", "call_status_hook")

_TEXT, _NUMBER, _FLAG, _OBJECT, _HOOK = (str,), (int, float), (bool,), (dict,), (str, dict)

CREATE: Mapping[str, tuple[type, ...]] = {
    "id": _TEXT, "account_sid": _TEXT, "application_sid": _TEXT, "call_hook": _HOOK, "call_status_hook": _HOOK,
    "from": _TEXT, "callerName": _TEXT, "fromHost": _TEXT, "tag": _OBJECT, "to": _OBJECT, "headers": _OBJECT,
    "timeout": _NUMBER, "timeLimit": _NUMBER, "amd": _OBJECT, "dual_streams": _FLAG,
    "sipRequestWithinDialogHook": _TEXT, "referHook": _HOOK, **dict.fromkeys(SPEECH, _TEXT),
}  # fmt: skip
"""The properties of a create, and of what JSON type each is."""

COGNIGY: Mapping[str, tuple[type, ...]] = {
    "actionHook": _HOOK, "confirmHook": _HOOK, "dtmfCapture": (list, dict), "dtmfHook": _HOOK, "listen": _OBJECT,
    "transcribe": _OBJECT,
}  # fmt: skip
"""What Cognigy's document lists besides, and plain jambonz does not know."""

TO: Mapping[str, tuple[type, ...]] = {
    "type": _TEXT, "confirmHook": _HOOK, "method": _TEXT, "headers": _OBJECT, "from": _OBJECT, "name": _TEXT,
    "number": _TEXT, "sipUri": _TEXT, "auth": _OBJECT, "vmail": _FLAG, "tenant": _TEXT, "trunk": _TEXT,
    "overrideTo": _TEXT, "proxy": _TEXT,
}  # fmt: skip
AMD: Mapping[str, tuple[type, ...]] = {
    "actionHook": _HOOK, "thresholdWordCount": _NUMBER, "digitCount": _NUMBER, "timers": _OBJECT, "recognizer": _OBJECT,
}  # fmt: skip
AMD_TIMERS: Mapping[str, tuple[type, ...]] = dict.fromkeys(
    ("noSpeechTimeoutMs", "decisionTimeoutMs", "toneTimeoutMs", "greetingCompletionTimeoutMs"), _NUMBER
)

DESTINATION = {"phone": "number", "teams": "number", "user": "name", "sip": "sipUri"}
"""`to.type` → the property of `to` that says where."""


def destination_of(to: Mapping[str, Any]) -> str:
    """Who is called, as the create named them."""
    return str(to[DESTINATION[to["type"]]])


def complaint(body: Mapping[str, Any], *, account_sid: str, config: SimulatorConfig) -> str | None:
    """What the API server answers 400 with; None: it passes the create on."""
    expected = config.jambonz.account_sid
    if expected is not None and account_sid != expected:
        return f"unauthorized createCall request for account {account_sid}"
    caller = body.get("from")
    if not isinstance(caller, str) or not 1 <= len(caller) <= LONGEST_FROM:
        return "missing from parameter"
    if not _is_destination(body.get("to")):
        return f"missing or invalid to property: {json.dumps(body.get('to'))}"
    if "application_sid" in body:
        return _application_complaint(body["application_sid"], config=config)
    return _own_settings_complaint(body)


def is_refused(body: Mapping[str, Any], *, config: SimulatorConfig) -> bool:
    """Whether the feature server gives up on it, without a word why."""
    jambonz = config.jambonz
    known = dict(CREATE)
    if jambonz.cognigy_properties:
        known.update(COGNIGY)
        known.update(dict.fromkeys(jambonz.notify_names, _HOOK))
    return any(_faults(body, known=known, ignore_unknown=not jambonz.refuse_unknown))


def _faults(body: Mapping[str, Any], *, known: Mapping[str, tuple[type, ...]], ignore_unknown: bool) -> Iterator[str]:
    yield from _misfits(body, known=known, ignore_unknown=ignore_unknown)
    yield from _misfits(body["to"], known=TO, ignore_unknown=ignore_unknown)
    amd = body.get("amd")
    if isinstance(amd, Mapping):
        yield from _misfits(amd, known=AMD, ignore_unknown=ignore_unknown)
        if "actionHook" not in amd:
            yield "actionHook"
        yield from _misfits(amd.get("timers") or {}, known=AMD_TIMERS, ignore_unknown=ignore_unknown)


def _misfits(part: object, *, known: Mapping[str, tuple[type, ...]], ignore_unknown: bool) -> Iterator[str]:
    """Names of properties that are unknown or of the wrong type."""
    for name, value in part.items() if isinstance(part, Mapping) else ():
        if name not in known:
            if not ignore_unknown and name != "_":
                yield name
        elif type(value) not in known[name]:
            yield name


def _is_destination(to: object) -> bool:
    if not isinstance(to, Mapping) or not isinstance(to.get("type"), str):
        return False
    name = DESTINATION.get(to["type"])
    return name is not None and isinstance(to.get(name), str)


def _application_complaint(sid: object, *, config: SimulatorConfig) -> str | None:
    known = config.jambonz.applications
    if isinstance(sid, str) and (sid in known if known else len(sid) == SID_LENGTH):
        return None
    return f"application_sid not found {sid}"


def _own_settings_complaint(body: Mapping[str, Any]) -> str | None:
    if not all(body.get(name) for name in SPEECH):
        return f"either application_sid or set of {', '.join(SPEECH)} required"
    if not body.get("call_hook"):
        return "either call_hook or application_sid required"
    return next(filter(None, (_hook_complaint(body, name) for name in HOOKS)), None)


def _hook_complaint(body: Mapping[str, Any], name: str) -> str | None:
    if name not in body:
        return None
    hook = body[name]
    url = hook.get("url") if isinstance(hook, Mapping) else hook
    if not isinstance(url, str):
        return f"{name} must be string or an object containing a url property"
    absolute = url.startswith(("http://", "https://", "ws://", "wss://"))
    return None if absolute else f"{name} url be an absolute url"
