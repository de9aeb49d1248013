"""What a create carries to the gateway: every parameter of its document, each only when it is configured."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.definition.assistant import SETTINGS_BY_PROVIDER, SOURCES_BY_PROVIDER
from campaigns.providers.cognigy.requests import (
    KEYS,
    RETRIES,
    UnusableCustomerError,
    UnusableRequestError,
    create_body,
    dials_a_phone,
    encoded,
)
from campaigns.providers.contract import DialRequest, WebhookTarget

ATTEMPT = UUID("6f1c2a90-0000-4000-8000-000000000001")
APPLICATION = "6d1d1c1e-2e3f-4a4b-8c5d-6e7f80910a11"
NUMBER = "+12125550123"
HOOK = WebhookTarget("https://calls.example.com/webhooks/cognigy/main/7/token", {})


class Permit:
    async def turn(self) -> None:
        return None

    def check(self) -> None:
        return None

    def remaining(self) -> timedelta:
        return timedelta(seconds=1)


def a_request(*, webhook: WebhookTarget | None = HOOK, **assistant: Any) -> DialRequest:
    return DialRequest(
        attempt_id=ATTEMPT,
        number=NUMBER,
        line="+12125550100",
        assistant={"applicationSid": APPLICATION, **assistant},
        customer_name="Ann Example",
        external_id="row-7",
        voicemail_action="none",
        webhook=webhook,
        permit=Permit(),
    )


def body_of(*, webhook: WebhookTarget | None = HOOK, notify: bool = True, **assistant: Any) -> dict[str, Any]:
    return create_body(a_request(webhook=webhook, **assistant), notify=notify)


def test_the_least_that_a_create_holds() -> None:
    assert body_of(webhook=None) == {
        "application_sid": APPLICATION,
        "from": "+12125550100",
        "to": {"type": "phone", "number": NUMBER},
        "tag": {"attempt_id": str(ATTEMPT)},
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timeout", 45),
        ("timeLimit", 900),
        ("actionHook", "https://example.com/ended"),
        ("confirmHook", {"url": "https://example.com/confirm", "method": "GET"}),
        ("dtmfCapture", ["*2", "9"]),
        ("dtmfHook", "/keys"),
        ("listen", {"url": "wss://example.com/audio", "mixType": "stereo"}),
        ("referHook", "https://example.com/refer"),
        ("transcribe", {"transcriptionHook": "/words", "recognizer": {"vendor": "google"}}),
        ("callerName", "Example Energy"),
    ],
)
def test_a_parameter_travels_as_it_is_written_and_only_if_it_is(key: str, value: object) -> None:
    assert body_of(**{key: value})[key] == value
    assert key not in body_of()


@pytest.mark.parametrize(
    ("key", "sent_as"),
    [
        ("speechSynthesisVendor", "speech_synthesis_vendor"),
        ("speechSynthesisLanguage", "speech_synthesis_language"),
        ("speechSynthesisVoice", "speech_synthesis_voice"),
        ("speechRecognizerVendor", "speech_recognizer_vendor"),
        ("speechRecognizerLanguage", "speech_recognizer_language"),
    ],
)
def test_speech_settings_have_the_gateways_spelling(key: str, sent_as: str) -> None:
    assert body_of(**{key: "google"})[sent_as] == "google"
    assert sent_as not in body_of()


def test_every_key_that_a_campaign_file_may_hold_is_sent() -> None:
    assert {*SOURCES_BY_PROVIDER["cognigy"], *SETTINGS_BY_PROVIDER["cognigy"]} == KEYS


def test_the_tag_holds_the_attempt_and_the_authors_own_data() -> None:
    tag = body_of(tag={"plan": "gold", "deep": {"tries": 3}, "attempt_id": "another"})["tag"]
    assert tag == {"plan": "gold", "deep": {"tries": 3}, "attempt_id": str(ATTEMPT)}


def test_the_detection_of_machines_reports_to_us_and_the_tag_says_so() -> None:
    body = body_of(amd={"digitCount": 5, "timers": {"noSpeechTimeoutMs": 5000}})
    assert body["amd"] == {
        "digitCount": 5,
        "timers": {"noSpeechTimeoutMs": 5000},
        "actionHook": HOOK.url + RETRIES,
    }
    assert body["tag"]["awaits_amd"] is True


def test_the_detection_of_machines_is_turned_on_by_an_empty_block() -> None:
    assert body_of(amd={})["amd"] == {"actionHook": HOOK.url + RETRIES}


def test_a_detection_that_reports_elsewhere_is_not_waited_for() -> None:
    body = body_of(amd={"actionHook": "https://example.com/amd"})
    assert body["amd"] == {"actionHook": "https://example.com/amd"}
    assert "awaits_amd" not in body["tag"]


def test_a_detection_that_nobody_would_hear_is_refused_before_anything_leaves() -> None:
    with pytest.raises(UnusableRequestError, match=r"assistant\.amd: nobody would hear its word"):
        body_of(webhook=None, amd={})


def test_headers_are_one_line_each() -> None:
    headers = body_of(headers={"X-Plan": "gold\r\nX-Evil: yes", "X-Tier": "\t1 "})["headers"]
    assert headers == {"X-Plan": "gold X-Evil: yes", "X-Tier": "1"}
    assert "headers" not in body_of()


def test_statuses_are_sent_to_our_address_which_holds_the_token() -> None:
    assert body_of()["notifyUrl"] == HOOK.url + RETRIES


@pytest.mark.parametrize("options", [{"webhook": None}, {"notify": False}])
def test_without_webhooks_or_for_a_gateway_that_knows_no_such_key_none_is_sent(options: dict[str, Any]) -> None:
    assert "notifyUrl" not in body_of(**options)


def test_the_number_may_leave_by_a_trunk() -> None:
    to = body_of(to={"type": "phone", "trunk": "carrier-1"})["to"]
    assert to == {"type": "phone", "number": NUMBER, "trunk": "carrier-1"}


def test_a_customer_may_be_reached_as_a_sip_user() -> None:
    assert body_of(to={"type": "user", "name": "ann@pbx.example.com"})["to"] == {
        "type": "user",
        "name": "ann@pbx.example.com",
    }
    assert not dials_a_phone(a_request(to={"type": "user", "name": "ann"}))


def test_a_customer_may_be_reached_at_a_sip_address() -> None:
    to = body_of(to={"type": "sip", "sipUri": "sip:42@pbx.example.com"})["to"]
    assert to == {"type": "sip", "sipUri": "sip:42@pbx.example.com"}


@pytest.mark.parametrize(
    "to",
    [
        {"type": "sip", "sipUri": "sip:12125550123@carrier.example.com"},
        {"type": "sip", "sipUri": "sips:+12125550123@carrier.example.com;transport=tls"},
        {"type": "user", "name": "+12125550123"},
    ],
)
def test_an_address_that_is_the_customers_own_number_is_fine(to: dict[str, str]) -> None:
    assert body_of(to=to)["to"]["type"] == to["type"]


@pytest.mark.parametrize(
    "to",
    [
        {"type": "sip", "sipUri": "sip:+12125550199@carrier.example.com"},
        {"type": "user", "name": "12125550199"},
        {"type": "user", "name": "2125550199@carrier.example.com"},
    ],
)
def test_no_other_number_than_the_one_that_the_rules_judged_is_ever_called(to: dict[str, str]) -> None:
    with pytest.raises(UnusableCustomerError, match="another phone number") as caught:
        body_of(to=to)
    assert "5550199" not in str(caught.value)


@pytest.mark.parametrize(
    "to",
    [
        {"type": "sip", "sipUri": "ann@example.com"},
        {"type": "sip", "sipUri": "sip:@example.com"},
        {"type": "user", "name": " "},
        {"type": "user", "name": "ann <sip:x>"},
    ],
)
def test_an_address_that_is_none_is_this_customers_trouble_alone(to: dict[str, str]) -> None:
    with pytest.raises(UnusableCustomerError, match="empty or no SIP address"):
        body_of(to=to)


@pytest.mark.parametrize(
    ("assistant", "complaint"),
    [
        ({"id": "x"}, "unknown key 'id'"),
        ({"tag": "plan"}, "assistant.tag: found a str"),
        ({"to": {"type": "teams"}}, "allowed are phone, user, sip"),
        ({"applicationSid": ""}, "assistant.applicationSid: missing"),
    ],
)
def test_settings_that_cannot_be_sent_are_named(assistant: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnusableRequestError, match=complaint):
        body_of(**assistant)


def test_what_json_cannot_hold_is_named_without_its_value() -> None:
    with pytest.raises(UnusableRequestError, match="quote it") as caught:
        encoded(body_of(tag={"since": date(2026, 1, 2)}))
    assert "2026" not in str(caught.value)


def test_the_body_is_json() -> None:
    assert json.loads(encoded(body_of(tag={"name": "Ännchen"})))["tag"]["name"] == "Ännchen"


def test_voicemail_settings_of_other_providers_change_nothing() -> None:
    request = a_request()
    assert create_body(replace(request, voicemail_action="hangUp"), notify=True) == create_body(request, notify=True)
