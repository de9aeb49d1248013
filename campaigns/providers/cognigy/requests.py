"""The body of a create for one attempt: the one place that decides what is sent, and only what is configured.

| campaign file                                   | body                                                            |
|-------------------------------------------------|-----------------------------------------------------------------|
| assistant.applicationSid                        | `application_sid`                                               |
| the campaign's line, the list's row             | `from`, `to.number`                                             |
| assistant.to                                    | `to`: the number over a trunk, a SIP user, a SIP address        |
| assistant.tag                                   | `tag`, with our `attempt_id`                                    |
| assistant.amd                                   | `amd`; its `actionHook` is ours if the file names none          |
| assistant.speechSynthesisVendor, …              | `speech_synthesis_vendor`, …                                    |
| timeout, timeLimit, actionHook, … (`AS_WRITTEN`)| the same key                                                    |
| publicUrl of the settings                       | `notifyUrl`                                                     |

The attempt id travels in the tag and comes back with every webhook as `customerData`; lists do not hold it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from campaigns.providers.contract import DialRequest, WebhookTarget

ATTEMPT_KEY = "attempt_id"
AWAITS_AMD_KEY = "awaits_amd"
"""In the tag when a word about who answered will come to us: only then is a completed call not yet told in full."""

RETRIES = "#rc=5&rp=ct,rt,5xx"
"""Asks the gateway to repeat a webhook that met no server, a slow one or an error: without it each is sent once. Five
tries, from half a second doubling, span some fifteen seconds; what takes longer is asked after by the poll."""

AS_WRITTEN = ("timeout", "timeLimit", "actionHook", "confirmHook", "dtmfCapture", "dtmfHook", "listen", "referHook",
              "transcribe", "callerName")  # fmt: skip
SPEECH: Mapping[str, str] = {
    "speechSynthesisVendor": "speech_synthesis_vendor",
    "speechSynthesisLanguage": "speech_synthesis_language",
    "speechSynthesisVoice": "speech_synthesis_voice",
    "speechRecognizerVendor": "speech_recognizer_vendor",
    "speechRecognizerLanguage": "speech_recognizer_language",
}
KEYS = frozenset({"applicationSid", "to", "tag", "amd", "headers", *AS_WRITTEN, *SPEECH})
"""What an assistant block for this provider may hold."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SIP_ADDRESS = re.compile(r"sips?:[^\s@<>\"]+@[^\s@<>\"]+")
_SIP_USER = re.compile(r"[^\s<>\"]+")
_PHONE_LIKE = re.compile(r"(?:sips?:)?\+?(\d{7,15})(?:[@;].*)?")


class UnusableRequestError(ValueError):
    """The campaign's `assistant` block cannot be sent to this gateway. Says which key, never its value."""


class UnusableCustomerError(ValueError):
    """A value of this customer makes the call impossible; the others' may go on. Says which key, never its value."""


def create_body(request: DialRequest, *, notify: bool) -> dict[str, Any]:
    """`notify`: the gateway knows `notifyUrl`. Raises `UnusableRequestError`, `UnusableCustomerError`."""
    assistant = request.assistant
    _require_known_keys(assistant)
    body: dict[str, Any] = {
        "application_sid": assistant["applicationSid"],
        "from": request.line,
        "to": _to(request),
        "tag": _tag(request),
        **{key: assistant[key] for key in AS_WRITTEN if key in assistant},
        **{SPEECH[key]: assistant[key] for key in SPEECH if key in assistant},
    }
    if "amd" in assistant:
        body["amd"] = _amd(_mapping(assistant, "amd"), webhook=request.webhook)
    if headers := _mapping(assistant, "headers"):
        body["headers"] = {name: _one_line(value) for name, value in headers.items()}
    if notify and request.webhook is not None:
        body["notifyUrl"] = request.webhook.url + RETRIES
    return body


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON. Raises `UnusableRequestError` for what YAML can hold and JSON cannot."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UnusableRequestError("assistant: a value is neither text, number, list nor mapping; quote it") from error


def dials_a_phone(request: DialRequest) -> bool:
    """Whether the destination is the customer's number itself."""
    return bool(_mapping(request.assistant, "to").get("type", "phone") == "phone")


def _require_known_keys(assistant: Mapping[str, Any]) -> None:
    if unknown := sorted(key for key in assistant if key not in KEYS):
        raise UnusableRequestError(
            f"assistant: unknown key {unknown[0]!r}; a Cognigy account takes {', '.join(sorted(KEYS))}"
        )
    if not assistant.get("applicationSid"):
        raise UnusableRequestError("assistant.applicationSid: missing; it names the application that takes the call")


def _mapping(assistant: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = assistant.get(key) or {}
    if not isinstance(part, Mapping):
        raise UnusableRequestError(f"assistant.{key}: found a {type(part).__name__}; give a mapping")
    return part


def _to(request: DialRequest) -> dict[str, str]:
    told = _mapping(request.assistant, "to")
    match told.get("type", "phone"):
        case "phone":
            trunk = {"trunk": str(told["trunk"])} if told.get("trunk") else {}
            return {"type": "phone", "number": request.number, **trunk}
        case "user":
            return {"type": "user", "name": _address(told, "name", shape=_SIP_USER, number=request.number)}
        case "sip":
            return {"type": "sip", "sipUri": _address(told, "sipUri", shape=_SIP_ADDRESS, number=request.number)}
        case _:
            raise UnusableRequestError("assistant.to.type: unknown; allowed are phone, user, sip")


def _address(told: Mapping[str, Any], key: str, *, shape: re.Pattern[str], number: str) -> str:
    """Another way to the same person. What looks like a phone number must be the one that the rules have judged."""
    address = str(told.get(key) or "").strip()
    if not shape.fullmatch(address):
        raise UnusableCustomerError(f"assistant.to.{key}: this customer's is empty or no SIP address")
    phone = _PHONE_LIKE.fullmatch(address)
    if phone is not None and phone[1] != number.removeprefix("+"):
        raise UnusableCustomerError(
            f"assistant.to.{key}: it names another phone number than the customer's, which alone the rules have judged"
        )
    return address


def _tag(request: DialRequest) -> dict[str, Any]:
    ours: dict[str, Any] = {ATTEMPT_KEY: str(request.attempt_id)}
    if "amd" in request.assistant and "actionHook" not in _mapping(request.assistant, "amd"):
        ours[AWAITS_AMD_KEY] = True
    return {**_mapping(request.assistant, "tag"), **ours}


def _amd(told: Mapping[str, Any], *, webhook: WebhookTarget | None) -> dict[str, Any]:
    if "actionHook" in told:
        return dict(told)
    if webhook is None:
        raise UnusableRequestError(
            "assistant.amd: nobody would hear its word; set publicUrl and leave webhooks on, or give amd.actionHook"
        )
    return {**told, "actionHook": webhook.url + RETRIES}


def _one_line(value: object) -> str:
    """A header with a line break in it would be another header."""
    return _CONTROL.sub(" ", str(value)).strip()
