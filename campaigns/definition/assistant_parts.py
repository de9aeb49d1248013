"""Parts of the assistant block that have a shape of their own."""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from campaigns.definition.base import Block
from campaigns.definition.findings import flaw
from campaigns.definition.values import Count, Template, Text, shaped

RESERVED_TAG_KEYS = ("attempt_id", "awaits_amd")
"""Ours: by the first the webhooks name the attempt, the second says that a word about who answered is to come."""

_LONGEST_ADDRESS = 2000


def _own_data(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise flaw("your own data is a mapping", allowed="a mapping of keys and values")
    taken = next((key for key in RESERVED_TAG_KEYS if key in value), None)
    if taken:
        raise flaw(f"the key {taken} is Ringfence's own", allowed=f"any keys but {' and '.join(RESERVED_TAG_KEYS)}")
    return value


Tag = Annotated[
    dict[str, Any],
    PlainValidator(_own_data),
    WithJsonSchema({"type": "object", "propertyNames": {"not": {"enum": list(RESERVED_TAG_KEYS)}}}),
]
"""A mapping of your own data; texts in it are templates."""


_HOOK = "an address such as https://example.com/hook, a path such as /hook, or {url: …, method: POST}"
_SCHEMES = ("http", "https", "ws", "wss")


def _address(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_ADDRESS:
        raise flaw("this is no address", allowed=_HOOK)
    parts = urlsplit(value.strip())
    if re.search(r"\s", value.strip()) or not (value.startswith("/") or (parts.scheme in _SCHEMES and parts.hostname)):
        raise flaw("this is no address", allowed=_HOOK)
    if parts.username or parts.password:
        raise flaw("an address in a campaign file holds no password", allowed=_HOOK)
    return value.strip()


def _hook(value: Any) -> str | dict[str, str]:
    if not isinstance(value, dict):
        return _address(value)
    if unknown := next((key for key in value if key not in ("url", "method")), None):
        raise flaw(f"a webhook has no key {unknown}", allowed=_HOOK)
    if value.get("method", "POST") not in ("GET", "POST"):
        raise flaw("a webhook's method is GET or POST", allowed=_HOOK)
    return value | {"url": _address(value.get("url"))}


Hook = Annotated[
    str | dict[str, str],
    PlainValidator(_hook),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"url": {"type": "string"}, "method": {"enum": ["GET", "POST"]}},
                    "required": ["url"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""Where the provider reports to or asks for instructions: an address, or an address with its method."""


_KEYS = "[0-9*#A-D]{1,32}"

Keys = Annotated[
    str,
    shaped(_KEYS, allowed="keys of a telephone, such as *2 or 9", why="these are no keys")[0],
    WithJsonSchema({"type": ["string", "number"], "pattern": f"^{_KEYS}$"}),
]
"""Keys of a telephone, in the order in which they are pressed."""

HeaderName = Annotated[
    str,
    *shaped(
        "[A-Za-z0-9!%*_+`'~.-]{1,64}", allowed="a SIP header's name, such as X-Campaign", why="this is no header's name"
    ),
]

Milliseconds = Annotated[Count, Field(le=300_000)]


def _as_text(value: Any) -> Any:
    """Plain digits in YAML are a number; an extension is text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class VapiCustomer(Block):
    """What Vapi is told of the customer beside number, name and external id."""

    extension: Annotated[Template, BeforeValidator(_as_text)] | None = None
    """Keys to press when the call is answered, at most ten; a template such as "{extension}"."""
    email: Template | None = None
    """For your own reference at Vapi; a template such as "{email}"."""
    sip_uri: Template | None = None
    """A SIP address instead of the number, which must be its user: "sip:{number}@sbc.example.com"."""
    number_e164_check_enabled: bool | None = Field(default=None, alias="numberE164CheckEnabled")
    """false: Vapi does not check the number's form."""
    assistant_overrides: dict[str, Any] | None = None
    """Settings for this customer's call, laid over the campaign's; texts in it are templates."""


class AmdTimers(Block):
    """How long the detection waits for what."""

    no_speech_timeout_ms: Milliseconds | None = None
    """For the first word."""
    decision_timeout_ms: Milliseconds | None = None
    """Until it must have decided."""
    tone_timeout_ms: Milliseconds | None = None
    """For the machine's tone."""
    greeting_completion_timeout_ms: Milliseconds | None = None
    """Of silence, until the machine's greeting counts as over."""


class Amd(Block):
    """Detection of answering machines. Without `actionHook` its word comes to Ringfence."""

    action_hook: Hook | None = None
    """Where the detection reports to; with an address of your own Ringfence cannot tell a machine from a person."""
    threshold_word_count: Annotated[Count, Field(le=1000)] | None = None
    """From so many words on a greeting is a machine's."""
    digit_count: Annotated[Count, Field(le=1000)] | None = None
    """From so many digits in the greeting on it is a machine's."""
    timers: AmdTimers | None = None
    """How long it waits for what, in milliseconds."""
    recognizer: dict[str, Any] | None = None
    """The speech recognizer to use, as the gateway takes it."""


class Destination(Block):
    """How the customer's phone is reached; the rules judge the customer's number in any case."""

    type: Literal["phone", "user", "sip"]
    """`phone`: the customer's number. `user`: a registered SIP user. `sip`: a SIP address."""
    trunk: Text | None = None
    """phone: the carrier to use."""
    name: Template | None = None
    """user: the SIP user, a template such as "{sipUser}"."""
    sip_uri: Template | None = None
    """sip: the address, a template such as "sip:{extension}@pbx.example.com"."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        given = [key for key, value in (("trunk", self.trunk), ("name", self.name), ("sipUri", self.sip_uri)) if value]
        needed, optional = _PARTS_OF[self.type]
        wrong = [key for key in given if key not in (needed, optional)]
        if wrong or (needed and needed not in given):
            parts = [f"{needed}" if needed else "", f"{optional} if you like" if optional else ""]
            allowed = f"type {self.type} with {' '.join(part for part in parts if part)} and nothing else"
            raise flaw(f"{wrong[0]} does not fit" if wrong else f"{needed} is missing", allowed=allowed)
        return self


_PARTS_OF = {"phone": (None, "trunk"), "user": ("name", None), "sip": ("sipUri", None)}
"""Type → the key that it needs, and the one that it may have."""


def _not_here(why: str) -> Any:
    def refuse(_value: Any) -> Any:
        raise flaw(why, allowed="leave it out; window, callingHours and schedule say when to call")

    return Annotated[Any, PlainValidator(refuse), WithJsonSchema({"not": {}})]


NotInCampaigns = _not_here(
    "the provider would dial later without asking the rules again, so in a campaign Ringfence itself decides when"
)
"""A provider's own scheduling: known by name, so that the refusal can say why."""
