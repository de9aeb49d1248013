"""The body of `POST /call`."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.providers.contract import DialRequest, WebhookTarget
from campaigns.providers.vapi.customers import NAME_LIMIT
from campaigns.providers.vapi.requests import assistant_part, create_body, encoded
from campaigns.providers.vapi.unusable import UnusableCustomerError, UnusableRequestError
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.vapi.validation import customer_problems, problems_of

ATTEMPT = UUID("6f1c2d3e-0000-4000-8000-000000000001")
WEBHOOK = WebhookTarget("https://calls.example.com/webhooks/vapi", {"X-Vapi-Secret": "token"})


class OpenPermit:
    async def turn(self) -> None:
        self.check()

    def check(self) -> None:
        """Always good."""

    def remaining(self) -> timedelta:
        return timedelta(seconds=1)


def a_body(assistant: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "attempt_id": ATTEMPT,
        "number": "+12125550123",
        "line": "pn-1",
        "assistant": assistant or {"id": "assistant-1"},
        "customer_name": "Ann Example",
        "external_id": "row-7",
        "voicemail_action": "hangUp",
        "webhook": WEBHOOK,
        "permit": OpenPermit(),
    }
    return create_body(DialRequest(**values | changes))


def test_the_attempt_id_travels_as_name_and_metadata() -> None:
    body = a_body({"id": "assistant-1", "metadata": {"campaign": "spring"}})

    assert body["name"] == str(ATTEMPT)
    assert body["metadata"] == {"campaign": "spring", "attemptId": str(ATTEMPT)}
    assert body["phoneNumberId"] == "pn-1"
    assert body["assistantId"] == "assistant-1"


def test_the_customer_is_cut_to_what_vapi_takes_and_the_whole_name_becomes_a_variable() -> None:
    body = a_body(customer_name="A" * 60, external_id="e" * 60)

    assert body["customer"] == {"number": "+12125550123", "name": "A" * NAME_LIMIT, "externalId": "e" * NAME_LIMIT}
    assert body["assistantOverrides"]["variableValues"] == {"customerName": "A" * 60}


def test_without_an_external_id_the_attempt_id_stands_in() -> None:
    assert a_body(external_id=None, customer_name=None)["customer"] == {
        "number": "+12125550123",
        "externalId": str(ATTEMPT),
    }


@pytest.mark.parametrize(
    ("assistant", "key", "overrides"),
    [
        ({"id": "a"}, "assistantId", "assistantOverrides"),
        ({"inline": {"firstMessage": "Hi"}}, "assistant", "assistantOverrides"),
        ({"assistant": {"firstMessage": "Hi"}}, "assistant", "assistantOverrides"),
        ({"squadId": "s"}, "squadId", "squadOverrides"),
        ({"squad": {"members": []}}, "squad", "squadOverrides"),
        ({"workflowId": "w"}, "workflowId", "workflowOverrides"),
    ],
)
def test_each_way_to_name_an_assistant_has_its_place(assistant: dict[str, Any], key: str, overrides: str) -> None:
    body = a_body({**assistant, "variables": {"plan": "gold"}}, voicemail_action="none")

    assert body[key] == next(iter(assistant.values()))
    assert body[overrides]["variableValues"] == {"plan": "gold"}


def test_variables_of_the_customer_go_over_those_of_the_overrides() -> None:
    body = a_body({"id": "a", "variables": {"x": "1"}, "overrides": {"variableValues": {"x": "0", "y": "0"}}})

    assert body["assistantOverrides"]["variableValues"] == {"x": "1", "y": "0"}


def test_hanging_up_on_a_machine_also_silences_a_message_of_the_saved_assistant() -> None:
    overrides = a_body()["assistantOverrides"]

    assert overrides["voicemailDetection"] == {"provider": "vapi"}
    assert overrides["voicemailMessage"] == ""


def test_overrides_of_the_campaign_go_over_ours_but_reports_always_come_to_us() -> None:
    given = {"voicemailDetection": {"provider": "google"}, "server": {"url": "https://elsewhere.example.com"}}
    overrides = a_body({"id": "a", "overrides": given})["assistantOverrides"]

    assert overrides["voicemailDetection"] == {"provider": "google"}
    assert overrides["server"]["url"] == WEBHOOK.url
    assert overrides["server"]["headers"] == {"X-Vapi-Secret": "token"}
    assert overrides["server"]["backoffPlan"]["maxRetries"] > 0
    assert overrides["serverMessages"] == ["status-update", "end-of-call-report"]


def test_without_webhooks_no_server_is_named() -> None:
    assert "server" not in a_body(webhook=None)["assistantOverrides"]


@pytest.mark.parametrize(
    ("assistant", "said"),
    [
        ({"variables": {}}, "exactly one of"),
        ({"id": "a", "squadId": "s"}, "exactly one of"),
        ({"id": "a", "voice": "x"}, "unknown key 'voice'"),
        ({"id": "a", "metadata": ["x"]}, "assistant.metadata: found a list; give a mapping"),
        ({"id": "a", "overrides": "x"}, "assistant.overrides: found a str; give a mapping"),
        ({"id": "a", "customer": "x"}, "assistant.customer: found a str; give a mapping"),
        ({"id": "a", "customer": {"number": "+12125550199"}}, "unknown key 'number'"),
        ({"id": "a", "transport": "x"}, "assistant.transport: found a str; give a mapping"),
    ],
)
def test_a_block_that_vapi_would_misread_is_refused_here(assistant: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableRequestError, match=said):
        a_body(assistant)


@pytest.mark.parametrize("value", [date(2026, 12, 1), float("nan"), {1, 2}])
def test_a_value_that_json_cannot_carry_is_refused_before_anything_is_sent(value: object) -> None:
    with pytest.raises(UnusableRequestError, match="quote it"):
        encoded(a_body({"id": "a", "metadata": {"since": value}}))


def test_an_unknown_voicemail_action_is_refused() -> None:
    with pytest.raises(UnusableRequestError, match="allowed are hangUp, leaveMessage"):
        a_body(voicemail_action="sing")


@pytest.mark.parametrize(("assistant", "key"), [({"id": "a"}, "assistantVersion"), ({"squadId": "s"}, "squadVersion")])
def test_a_version_pins_what_is_saved(assistant: dict[str, Any], key: str) -> None:
    assert a_body({**assistant, "version": 3})[key] == "3"
    assert "version" not in a_body({**assistant, "version": 3})


@pytest.mark.parametrize("assistant", [{"inline": {}}, {"squad": {}}, {"workflowId": "w"}])
def test_what_is_not_saved_or_has_no_versions_cannot_be_pinned(assistant: dict[str, Any]) -> None:
    with pytest.raises(UnusableRequestError, match="only a saved assistant"):
        a_body({**assistant, "version": "3"}, voicemail_action="none")


def test_a_message_is_left_only_with_detection_and_whatever_the_saved_assistant_would_say() -> None:
    given = {"voicemailMessage": "theirs", "voicemailDetection": {"provider": "google"}}
    overrides = a_body(
        {"id": "a", "overrides": given}, voicemail_action="leaveMessage", voicemail_message="Call 800 555 0100."
    )["assistantOverrides"]

    assert overrides["voicemailMessage"] == "Call 800 555 0100."
    assert overrides["voicemailDetection"] == {"provider": "google"}


def test_without_a_voicemail_block_machines_are_left_to_the_saved_assistant() -> None:
    assert not {"voicemailDetection", "voicemailMessage"} & set(a_body(voicemail_action="none")["assistantOverrides"])


def test_leaving_a_message_needs_one() -> None:
    with pytest.raises(UnusableRequestError, match="without a message"):
        a_body(voicemail_action="leaveMessage")


@pytest.mark.parametrize("action", ["hangUp", "leaveMessage"])
def test_a_workflow_cannot_be_told_what_to_do_at_a_machine(action: str) -> None:
    with pytest.raises(UnusableRequestError, match="a workflow takes no such setting"):
        a_body({"workflowId": "w"}, voicemail_action=action, voicemail_message="Hello")


def test_a_workflow_takes_variables_and_nothing_else() -> None:
    assert a_body({"workflowId": "w", "variables": {"x": "1"}}, voicemail_action="none")["workflowOverrides"] == {
        "variableValues": {"x": "1"}
    }
    with pytest.raises(UnusableRequestError, match="workflow takes variableValues"):
        a_body({"workflowId": "w", "overrides": {"voice": {}}}, voicemail_action="none")


def test_overrides_of_the_customer_lie_over_the_campaigns_and_never_in_their_place() -> None:
    """Vapi would replace the call's overrides by the customer's, and with them the server that reports to us."""
    assistant = {
        "id": "a",
        "overrides": {"voice": {"voiceId": "Elliot"}, "firstMessage": "Hi", "variableValues": {"x": "0", "y": "0"}},
        "customer": {"assistantOverrides": {"voice": {"voiceId": "Ana"}, "variableValues": {"y": "1"}}},
    }
    body = a_body(assistant)

    assert "assistantOverrides" not in body["customer"]
    overrides = body["assistantOverrides"]
    assert (overrides["voice"], overrides["firstMessage"]) == ({"voiceId": "Ana"}, "Hi")
    assert overrides["variableValues"] == {"x": "0", "y": "1"}
    assert overrides["server"]["url"] == WEBHOOK.url


def test_the_customers_extension_and_email_are_sent_when_they_have_them() -> None:
    customer = a_body({"id": "a", "customer": {"extension": "12#", "email": "ann@example.com"}})["customer"]
    assert (customer["extension"], customer["email"]) == ("12#", "ann@example.com")
    empty = a_body({"id": "a", "customer": {"extension": "", "email": " "}})["customer"]
    assert not {"extension", "email"} & set(empty)
    assert "email" not in a_body({"id": "a", "customer": {"email": "a" * 41}})["customer"]


@pytest.mark.parametrize("extension", ["12345678901", "ask Ann", "1;2"])
def test_an_extension_that_is_none_makes_this_customer_impossible_and_no_other(extension: str) -> None:
    with pytest.raises(UnusableCustomerError, match="extension") as caught:
        a_body({"id": "a", "customer": {"extension": extension}})
    assert extension not in str(caught.value)


def test_the_check_of_the_number_is_left_to_vapi_unless_the_file_says_otherwise() -> None:
    assert "numberE164CheckEnabled" not in a_body()["customer"]
    assert (
        a_body({"id": "a", "customer": {"numberE164CheckEnabled": False}})["customer"]["numberE164CheckEnabled"]
        is False
    )


@pytest.mark.parametrize("sip_uri", ["sip:12125550123@sbc.example.com", "sips:+12125550123@sbc.example.com"])
def test_a_sip_address_of_the_judged_number_is_dialed_in_its_place(sip_uri: str) -> None:
    customer = a_body({"id": "a", "customer": {"sipUri": sip_uri}})["customer"]
    assert (customer["sipUri"], customer.get("number")) == (sip_uri, None)


@pytest.mark.parametrize(
    "sip_uri",
    ["sip:12125550199@sbc.example.com", "sip:ann@example.com", "sip:ann@12125550123", "sip:912125550123@x", "tel:1"],
)
def test_a_sip_address_of_anybody_else_is_never_dialed(sip_uri: str) -> None:
    with pytest.raises(UnusableRequestError, match="must begin with the customer's number"):
        a_body({"id": "a", "customer": {"sipUri": sip_uri}})


def test_transport_is_sent_when_configured() -> None:
    assert "transport" not in a_body()
    assert a_body({"id": "a", "transport": {"conversationType": "voice"}})["transport"] == {"conversationType": "voice"}


def test_a_web_call_carries_the_assistant_and_no_person() -> None:
    assert assistant_part({"id": "a", "variables": {"x": "1"}, "metadata": {"k": "v"}}) == {
        "assistantId": "a",
        "assistantOverrides": {"variableValues": {"x": "1"}},
    }


@pytest.mark.parametrize("assistant", [{"id": "a", "version": "3"}, {"inline": {}}, {"squadId": "s"}, {"squad": {}}])
def test_every_body_passes_vapis_own_rules(assistant: dict[str, Any]) -> None:
    body = a_body(assistant, customer_name="Ann " * 30)

    assert problems_of(body, config=SimulatorConfig()) == []
    assert list(customer_problems(body["customer"])) == []
