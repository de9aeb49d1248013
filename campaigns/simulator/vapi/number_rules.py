"""What Vapi refuses in the bodies of `POST /phone-number` and `PATCH /phone-number/{id}`."""

from collections.abc import Iterator, Mapping
from typing import Any

from campaigns.simulator.vapi.schema import (
    E164,
    SHORT,
    missing,
    object_problems,
    one_of,
    server_problems,
    too_long,
    unknown,
)

BOUGHT = "vapi"
"""The provider of a number that was bought from Vapi, a *free* one. All others are imported."""

PROVIDERS = ("byo-phone-number", "twilio", "vonage", "vapi", "telnyx")

AREA_CODE_DIGITS = 3
MOST_SAID = 4000
MOST_PREFIX = 20
LOOSE_LENGTHS = range(3, SHORT + 1)

_COMMON = frozenset({"provider", "name", "assistantId", "squadId", "workflowId", "server", "fallbackDestination",
                     "hooks"})  # fmt: skip
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "vapi": (),
    "twilio": ("number", "twilioAccountSid"),
    "vonage": ("number", "credentialId"),
    "telnyx": ("number", "credentialId"),
    "byo-phone-number": ("credentialId",),
}
_OPTIONAL: Mapping[str, frozenset[str]] = {
    "vapi": frozenset({"numberDesiredAreaCode", "sipUri", "authentication"}),
    "twilio": frozenset({"twilioAuthToken", "twilioApiKey", "twilioApiSecret", "smsEnabled"}),
    "vonage": frozenset(),
    "telnyx": frozenset(),
    "byo-phone-number": frozenset({"number", "numberE164CheckEnabled"}),
}
_ONLY_ON_CREATE = frozenset({"numberDesiredAreaCode"})

_HOOK = frozenset({"on", "filters", "do"})
_ACTION: Mapping[str, frozenset[str]] = {
    "say": frozenset({"type", "exact", "prompt"}),
    "transfer": frozenset({"type", "destination"}),
}
_DESTINATION: Mapping[str, frozenset[str]] = {
    "number": frozenset({"type", "number", "numberE164CheckEnabled", "extension", "callerId", "transferPlan",
                         "description", "message"}),
    "sip": frozenset({"type", "sipUri", "callerId", "transferPlan", "sipHeaders", "description", "message"}),
}  # fmt: skip
_FILTER: Mapping[str, tuple[str, str]] = {
    "call.ringing": ("startsWith", "number"),
    "call.ending": ("oneOf", "call.endedReason"),
}
"""Event → the one type of its filters, and the one key they look at."""

NOT_E164 = "number must be a valid phone number in the E.164 format"


def create_problems(body: Mapping[str, Any]) -> list[str]:
    """Every complaint about a new number, none if it is fine."""
    provider = body.get("provider")
    if provider not in PROVIDERS:
        return list(one_of(body, key="provider", allowed=PROVIDERS))
    known = _COMMON | set(_REQUIRED[provider]) | _OPTIONAL[provider]
    return [
        *unknown(body, known=known, path=""),
        *missing(body, keys=_REQUIRED[provider]),
        *_field_problems(body, provider=provider),
    ]


def update_problems(body: Mapping[str, Any], *, provider: str) -> list[str]:
    """Every complaint about a change. `provider`, if given, must be the number's own."""
    if body.get("provider", provider) != provider:
        return [f"provider must be one of the following values: {provider}"]
    known = _COMMON | set(_REQUIRED[provider]) | _OPTIONAL[provider]
    given = {key: value for key, value in body.items() if value is not None}
    return [*unknown(body, known=known - _ONLY_ON_CREATE, path=""), *_field_problems(given, provider=provider)]


def _field_problems(body: Mapping[str, Any], *, provider: str) -> Iterator[str]:
    yield from too_long(body, keys=("name",), path="")
    yield from _number_problems(body, provider=provider)
    yield from server_problems(body.get("server"), path="server.")
    if "fallbackDestination" in body:
        yield from _destination_problems(body["fallbackDestination"], path="fallbackDestination.")
    if ("twilioApiKey" in body) != ("twilioApiSecret" in body):
        yield "twilioApiKey and twilioApiSecret must be given together"
    if len(str(body.get("numberDesiredAreaCode", "000"))) != AREA_CODE_DIGITS:
        yield "numberDesiredAreaCode must be longer than or equal to 3 and shorter than or equal to 3 characters"
    yield from _hooks_problems(body.get("hooks"))


def _number_problems(body: Mapping[str, Any], *, provider: str) -> Iterator[str]:
    number = body.get("number")
    if number is None:
        return
    loose = provider == "byo-phone-number" and body.get("numberE164CheckEnabled") is False
    text = number if isinstance(number, str) else ""
    if not (len(text) in LOOSE_LENGTHS if loose else E164.fullmatch(text)):
        yield NOT_E164


def _hooks_problems(hooks: object) -> Iterator[str]:
    if hooks is None:
        return
    if not isinstance(hooks, list):
        yield "hooks must be an array"
        return
    for index, hook in enumerate(hooks):
        yield from _hook_problems(hook, path=f"hooks.{index}.")


def _hook_problems(hook: object, *, path: str) -> Iterator[str]:
    if not isinstance(hook, Mapping):
        yield f"{path.rstrip('.')} must be an object"
        return
    yield from unknown(hook, known=_HOOK, path=path)
    event = str(hook.get("on"))
    if event not in _FILTER:
        yield from one_of(hook, key="on", allowed=tuple(_FILTER), path=path)
        return
    for position, condition in enumerate(hook.get("filters") or ()):
        yield from _filter_problems(condition, event=event, path=f"{path}filters.{position}.")
    yield from _do_problems(hook.get("do"), event=event, path=f"{path}do.")


def _do_problems(actions: object, *, event: str, path: str) -> Iterator[str]:
    """`call.ringing` takes a list, of which the first is carried out; `call.ending` one action, or none."""
    if event == "call.ending":
        if actions is not None:
            yield from _action_problems(actions, path=path)
        return
    if not isinstance(actions, list) or not actions:
        yield f"{path.rstrip('.')} must be an array with at least 1 element"
        return
    for position, action in enumerate(actions):
        yield from _action_problems(action, path=f"{path}{position}.")


def _action_problems(action: object, *, path: str) -> Iterator[str]:
    kind = str(action.get("type")) if isinstance(action, Mapping) else ""
    if not isinstance(action, Mapping) or kind not in _ACTION:
        yield f"{path}type must be one of the following values: transfer, say"
        return
    yield from unknown(action, known=_ACTION[kind], path=path)
    if kind == "transfer":
        if "destination" in action:
            yield from _destination_problems(action["destination"], path=f"{path}destination.")
        return
    if "prompt" not in action:
        yield from missing(action, keys=("exact",), path=path)
    yield from too_long(action, keys=("exact",), path=path, most=MOST_SAID)


def _destination_problems(destination: object, *, path: str) -> Iterator[str]:
    kind = str(destination.get("type")) if isinstance(destination, Mapping) else ""
    if not isinstance(destination, Mapping) or kind not in _DESTINATION:
        yield f"{path}type must be one of the following values: number, sip"
        return
    yield from unknown(destination, known=_DESTINATION[kind], path=path)
    yield from missing(destination, keys=("sipUri",) if kind == "sip" else ("number",), path=path)


def _filter_problems(condition: object, *, event: str, path: str) -> Iterator[str]:
    kind, key = _FILTER[event]
    yield from object_problems(condition, known=frozenset({"type", "key", kind}), path=path)
    if not isinstance(condition, Mapping):
        return
    yield from one_of(condition, key="type", allowed=(kind,), path=path)
    yield from one_of(condition, key="key", allowed=(key,), path=path)
    words = condition.get(kind)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        yield f"{path}{kind} must be an array of strings"
    elif kind == "startsWith" and (len(words) > MOST_PREFIX or any(len(word) > MOST_PREFIX for word in words)):
        yield f"{path}{kind} must hold at most {MOST_PREFIX} texts of at most {MOST_PREFIX} characters"
