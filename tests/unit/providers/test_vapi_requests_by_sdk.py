"""Every body that we can send to Vapi, read by the models of Vapi's own SDK: nothing unknown, nothing missing.

The models let unknown fields through, so these are looked for at every depth.
"""

import inspect
import itertools
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, create_model
from vapi.calls.client import CallsClient
from vapi.phone_numbers.types import CreatePhoneNumbersRequest, UpdatePhoneNumbersRequestBody

from campaigns.providers.contract import DialRequest, WebhookTarget
from campaigns.providers.numbers import NewNumber, NumberSource
from campaigns.providers.vapi import hooks
from campaigns.providers.vapi.number_bodies import creation_body, update_body
from campaigns.providers.vapi.requests import assistant_part, create_body
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.vapi.number_rules import create_problems, update_problems
from campaigns.simulator.vapi.validation import customer_problems, problems_of

NOT_IN_THE_SDK = {"metadata"}
"""Vapi's own instructions for creating calls send it at the root; the SDK takes it as an additional body parameter."""

WEBHOOK = WebhookTarget("https://calls.example.com/webhooks/vapi", {"X-Ringfence-Token": "token"})
INLINE = {
    "name": "Quick Test",
    "firstMessage": "Hello! This is a test call.",
    "model": {
        "provider": "openai",
        "model": "gpt-4.1",
        "messages": [{"role": "system", "content": "You are a test assistant."}],
    },
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
    "transcriber": {"provider": "deepgram", "model": "nova-3", "language": "en"},
}
"""The transient assistant of the owner's document."""

SOURCES: dict[str, dict[str, Any]] = {
    "saved assistant": {"id": "a"},
    "a version of it": {"id": "a", "version": "3"},
    "transient assistant": {"inline": INLINE},
    "saved squad": {"squadId": "s"},
    "a version of that": {"squadId": "s", "version": "3"},
    "transient squad": {"squad": {"members": [{"assistantId": "a"}]}},
    "saved workflow": {"workflowId": "w"},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "variables": {"variables": {"firstName": "Ann"}},
    "metadata": {"metadata": {"orderId": "ORD-12345", "department": "billing"}},
    "customer": {
        "customer": {"extension": "12", "email": "ann@example.com", "numberE164CheckEnabled": False},
    },
    "SIP": {"customer": {"sipUri": "sip:12125550123@sbc.example.com"}},
    "transport": {"transport": {"provider": "twilio", "conversationType": "voice"}},
}
OVERRIDES: dict[str, Any] = {
    "overrides": {"firstMessage": "Hello", "maxDurationSeconds": 120, "voicemailDetection": {"provider": "google"}},
    "customer": {"assistantOverrides": {"voice": {"provider": "vapi", "voiceId": "Elliot"}}},
}


class OpenPermit:
    async def turn(self) -> None:
        """Now."""

    def check(self) -> None:
        """Always good."""

    def remaining(self) -> timedelta:
        return timedelta(seconds=1)


def a_body(assistant: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "attempt_id": UUID("6f1c2d3e-0000-4000-8000-000000000001"),
        "number": "+12125550123",
        "line": "pn-1",
        "assistant": assistant,
        "customer_name": "Ann Example" * 5,
        "external_id": "row-7",
        "voicemail_action": "none",
        "webhook": WEBHOOK,
        "permit": OpenPermit(),
    }
    return create_body(DialRequest(**values | changes))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _create_call() -> type[BaseModel]:
    """A model of the body, made of the parameters of the SDK's own `calls.create`."""
    hints = get_type_hints(CallsClient.create)
    names = [
        name for name in inspect.signature(CallsClient.create).parameters if name not in ("self", "request_options")
    ]
    fields: dict[str, Any] = {name: (hints[name], Field(default=None, alias=_camel(name))) for name in names}
    fields |= {name: (dict[str, Any], None) for name in NOT_IN_THE_SDK}
    return create_model("CreateCall", __config__=ConfigDict(extra="forbid"), **fields)


CREATE_CALL = _create_call()


def unknown_fields(value: Any, path: str = "") -> Iterator[str]:
    """Every field, at any depth, that the SDK's model of its place does not know."""
    match value:
        case BaseModel():
            yield from (f"{path}.{name}" for name in value.model_extra or {})
            for name in type(value).model_fields:
                yield from unknown_fields(getattr(value, name), f"{path}.{name}")
        case list():
            for index, each in enumerate(value):
                yield from unknown_fields(each, f"{path}[{index}]")


def as_the_sdk_types_it(value: Any) -> Any:
    """A back-off plan's type is described there as an object with the values "fixed" and "exponential": the words are
    meant, so an object stands in for them."""
    match value:
        case {"backoffPlan": {"type": "fixed" | "exponential"} as plan}:
            return value | {"backoffPlan": plan | {"type": {}}}
        case dict():
            return {key: as_the_sdk_types_it(each) for key, each in value.items()}
    return value


def complaints_of_the_sdk(body: Mapping[str, Any], *, about: Any) -> list[str]:
    try:
        return list(unknown_fields(TypeAdapter(about).validate_python(as_the_sdk_types_it(body))))
    except ValidationError as error:
        return [str(problem["loc"]) for problem in error.errors()]


def complaints_of_the_simulator(body: Mapping[str, Any]) -> list[str]:
    return [*problems_of(body, config=SimulatorConfig()), *customer_problems(body["customer"])]


def sound(body: Mapping[str, Any]) -> None:
    assert complaints_of_the_sdk(body, about=CREATE_CALL) == []
    assert complaints_of_the_simulator(body) == []


@pytest.mark.parametrize(
    ("source", "settings"), list(itertools.product(SOURCES, SETTINGS)), ids=lambda word: str(word).replace(" ", "-")
)
def test_every_assistant_with_every_setting_is_a_sound_body(source: str, settings: str) -> None:
    sound(a_body({**SOURCES[source], **SETTINGS[settings]}))


@pytest.mark.parametrize("source", [source for source in SOURCES if "workflow" not in source])
@pytest.mark.parametrize("webhook", [None, WEBHOOK], ids=["polled", "reported"])
@pytest.mark.parametrize("action", ["none", "hangUp", "leaveMessage"])
def test_every_assistant_at_a_machine_is_a_sound_body(source: str, webhook: WebhookTarget | None, action: str) -> None:
    assistant = {**SOURCES[source], **OVERRIDES}
    sound(a_body(assistant, webhook=webhook, voicemail_action=action, voicemail_message="Call 800 555 0100."))


def test_an_unknown_field_at_any_depth_would_be_seen() -> None:
    reported = a_body({"id": "a"})["assistantOverrides"]
    for spoilt in (
        {"assistantOverrides": reported | {"colour": "red"}},
        {"assistantOverrides": reported | {"server": reported["server"] | {"colour": "red"}}},
        {"colour": "red"},
        {"customer": {"number": "+12125550123", "colour": "red"}},
        {"assistantOverrides": {"server": {"url": "https://x", "colour": "red"}}},
        {"assistant": {"voice": {"provider": "vapi", "voiceId": "Elliot", "colour": "red"}}},
    ):
        assert complaints_of_the_sdk(spoilt, about=CREATE_CALL) != []


@pytest.mark.parametrize("source", ["saved assistant", "transient assistant", "saved squad"])
def test_a_web_call_is_a_part_of_a_sound_body(source: str) -> None:
    body = assistant_part({**SOURCES[source], "variables": {"firstName": "Ann"}})
    assert complaints_of_the_sdk(body, about=CREATE_CALL) == []
    assert not {"customer", "customers", "phoneNumberId"} & set(body)


NUMBERS = {
    "bought": NewNumber(source=NumberSource.VAPI, area_code="415", settings={"name": "Main", "assistantId": "a"}),
    "a SIP address": NewNumber(source=NumberSource.VAPI, sip_uri="sip:main@sip.vapi.ai", settings={"squadId": "s"}),
    "twilio": NewNumber(
        source=NumberSource.TWILIO,
        number="+12025550141",
        account_sid="AC1",
        auth_token=SecretStr("t"),
        sms_enabled=True,
    ),
    "twilio by key": NewNumber(
        source=NumberSource.TWILIO, number="+12025550141", account_sid="AC1", api_key="SK1", api_secret=SecretStr("s")
    ),
    "vonage": NewNumber(source=NumberSource.VONAGE, number="+12025550143", credential_id="c"),
    "telnyx": NewNumber(source=NumberSource.TELNYX, number="+12025550144", credential_id="c"),
    "byo": NewNumber(source=NumberSource.BYO, number="4144", credential_id="c", check_e164=False),
}
CHANGES: dict[str, dict[str, Any]] = {
    "name": {"name": "Updated Name"},
    "assistant": {"assistantId": "a"},
    "squad": {"squadId": "s"},
    "say": {"hooks": [hooks.say("Please hold.", on=hooks.RINGING), hooks.say("Goodbye.", on=hooks.ENDING)]},
    "transfer": {"hooks": [hooks.transfer("+12025550199", on=hooks.RINGING)]},
    "transfer by SIP": {"hooks": [hooks.transfer("sip:desk@example.com", on=hooks.ENDING)]},
    "reports": {"server": {"url": WEBHOOK.url, "headers": dict(WEBHOOK.headers)}},
}


@pytest.mark.parametrize("wish", NUMBERS.values(), ids=NUMBERS.keys())
def test_every_new_number_is_a_sound_body(wish: NewNumber) -> None:
    body = creation_body(wish)
    assert complaints_of_the_sdk(body, about=CreatePhoneNumbersRequest) == []
    assert create_problems(body) == []


@pytest.mark.parametrize("settings", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("provider", ["vapi", "twilio", "vonage", "telnyx", "byo-phone-number"])
def test_every_change_of_a_number_is_a_sound_body(settings: dict[str, Any], provider: str) -> None:
    """The owner's document sends no provider; the SDK's union needs it to choose a model."""
    body = update_body(settings)
    assert complaints_of_the_sdk({"provider": provider, **body}, about=UpdatePhoneNumbersRequestBody) == []
    assert update_problems(body, provider=provider) == []
