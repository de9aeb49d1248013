"""The body of `POST /call`."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.providers.contract import DialRequest, WebhookTarget
from campaigns.providers.vapi.requests import NAME_LIMIT, UnusableRequestError, create_body, encoded
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
    body = a_body({**assistant, "variables": {"plan": "gold"}})

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
    with pytest.raises(UnusableRequestError, match="allowed is hangUp"):
        a_body(voicemail_action="sing")


@pytest.mark.parametrize("assistant", [{"id": "a", "version": "3"}, {"inline": {}}, {"squadId": "s"}, {"squad": {}}])
def test_every_body_passes_vapis_own_rules(assistant: dict[str, Any]) -> None:
    body = a_body(assistant, customer_name="Ann " * 30)

    assert problems_of(body, config=SimulatorConfig()) == []
    assert list(customer_problems(body["customer"])) == []
