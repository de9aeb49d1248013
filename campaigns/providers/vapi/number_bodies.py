"""The bodies of `POST /phone-number` and `PATCH /phone-number/{id}`, and a number as Vapi describes it.

| source | Vapi's `provider` | needs                                       | takes                              |
|--------|-------------------|---------------------------------------------|------------------------------------|
| vapi   | vapi              | –                                           | area code, SIP URI                 |
| twilio | twilio            | number, account SID, auth token or API key  | SMS switch                         |
| vonage | vonage            | number, credential id                       | –                                  |
| telnyx | telnyx            | number, credential id                       | –                                  |
| byo    | byo-phone-number  | credential id                               | number, E.164 check                |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from campaigns.providers.fields import instant
from campaigns.providers.numbers import NewNumber, NumberSource, PhoneNumber, UnusableNumberError
from campaigns.providers.vapi.customers import NAME_LIMIT
from campaigns.providers.vapi.hooks import require_sound
from campaigns.providers.words import writable

AREA_CODE_DIGITS = 3
SETTINGS = ("name", "assistantId", "squadId", "workflowId", "hooks", "server")
ANSWERERS = ("assistantId", "squadId", "workflowId")
"""Who answers a call to the number: at most one of them."""


@dataclass(frozen=True, slots=True)
class _Kind:
    provider: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_KINDS: Mapping[NumberSource, _Kind] = MappingProxyType(
    {
        NumberSource.VAPI: _Kind("vapi", optional=("numberDesiredAreaCode", "sipUri")),
        NumberSource.TWILIO: _Kind(
            "twilio",
            required=("number", "twilioAccountSid"),
            optional=("twilioAuthToken", "twilioApiKey", "twilioApiSecret", "smsEnabled"),
        ),
        NumberSource.VONAGE: _Kind("vonage", required=("number", "credentialId")),
        NumberSource.TELNYX: _Kind("telnyx", required=("number", "credentialId")),
        NumberSource.BYO: _Kind(
            "byo-phone-number", required=("credentialId",), optional=("number", "numberE164CheckEnabled")
        ),
    }
)
_PLAIN_WORDS = {"numberDesiredAreaCode": "an area code", "twilioAccountSid": "the Twilio account's SID",
                "twilioAuthToken": "an auth token", "twilioApiKey": "an API key", "twilioApiSecret": "an API secret",
                "smsEnabled": "the SMS switch", "credentialId": "a credential id", "sipUri": "a SIP URI",
                "numberE164CheckEnabled": "the E.164 check", "number": "a number"}  # fmt: skip


def creation_body(wish: NewNumber) -> dict[str, Any]:
    """Holds the secrets in clear. Raises `UnusableNumberError`."""
    kind, fields = _KINDS[wish.source], _fields(wish)
    for key in kind.required:
        if key not in fields:
            raise UnusableNumberError(f"{wish.source} needs {_PLAIN_WORDS[key]}")
    for key in fields:
        if key not in (*kind.required, *kind.optional):
            raise UnusableNumberError(f"{wish.source} takes no such thing as {_PLAIN_WORDS[key]}")
    if wish.source is NumberSource.TWILIO:
        _require_one_secret(fields)
    _require_area_code(fields.get("numberDesiredAreaCode"))
    return {"provider": kind.provider, **fields, **update_body(wish.settings)}


def update_body(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `UnusableNumberError`."""
    for key in settings:
        if key not in SETTINGS:
            raise UnusableNumberError(f"unknown setting {key!r}; allowed are {', '.join(SETTINGS)}")
    if len(settings.get("name") or "") > NAME_LIMIT:
        raise UnusableNumberError(f"name: Vapi takes at most {NAME_LIMIT} characters")
    if len(answerers := [key for key in ANSWERERS if key in settings]) > 1:
        raise UnusableNumberError(f"give one of {', '.join(answerers)}: only one can answer")
    if "hooks" in settings:
        require_sound(settings["hooks"])
    return dict(settings)


def secrets_of(wish: NewNumber) -> list[str]:
    """Words that must not come back in a message."""
    held = (wish.auth_token, wish.api_secret)
    return [secret.get_secret_value() for secret in held if secret is not None]


def number_of(body: Mapping[str, Any]) -> PhoneNumber:
    """One of Vapi's numbers. Only what is named here is taken over: the body also holds the carrier's secrets."""
    hooks = body.get("hooks")
    return PhoneNumber(
        id=_word(body, "id") or "",
        number=_word(body, "number"),
        source=_word(body, "provider") or "unknown",
        name=_word(body, "name"),
        status=_word(body, "status"),
        assistant_id=_word(body, "assistantId"),
        squad_id=_word(body, "squadId"),
        workflow_id=_word(body, "workflowId"),
        hooks=[hook for hook in hooks if isinstance(hook, Mapping)] if isinstance(hooks, list) else [],
        credential_id=_word(body, "credentialId"),
        sip_uri=_word(body, "sipUri"),
        created_at=instant(body.get("createdAt")),
    )


def _fields(wish: NewNumber) -> dict[str, Any]:
    given = {
        "number": wish.number,
        "numberDesiredAreaCode": wish.area_code,
        "credentialId": wish.credential_id,
        "twilioAccountSid": wish.account_sid,
        "twilioAuthToken": wish.auth_token and wish.auth_token.get_secret_value(),
        "twilioApiKey": wish.api_key,
        "twilioApiSecret": wish.api_secret and wish.api_secret.get_secret_value(),
        "sipUri": wish.sip_uri,
        "numberE164CheckEnabled": wish.check_e164,
        "smsEnabled": wish.sms_enabled,
    }
    return {key: value for key, value in given.items() if value is not None}


def _require_one_secret(fields: Mapping[str, Any]) -> None:
    if ("twilioApiKey" in fields) != ("twilioApiSecret" in fields):
        raise UnusableNumberError("an API key and its secret go together")
    if ("twilioAuthToken" in fields) == ("twilioApiKey" in fields):
        raise UnusableNumberError("twilio needs either an auth token or an API key with its secret")


def _require_area_code(code: str | None) -> None:
    if code is not None and not (code.isascii() and code.isdigit() and len(code) == AREA_CODE_DIGITS):
        raise UnusableNumberError("an area code has three digits, such as 415")


def _word(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    return writable(value) if isinstance(value, str) and value else None
