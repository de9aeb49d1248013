"""What a campaign file may say about machines, and what a message left there must say itself."""

from typing import Any

import pytest

from campaigns.definition.assistant_checks import assistant_findings
from campaigns.definition.voicemail_checks import voicemail_findings

WAY_OUT = "To be left alone call 1 (800) 555-0100."
SALES: dict[str, Any] = {"purpose": "telemarketing", "assistant": {"id": "a"}}


def complaints(**changes: Any) -> list[tuple[str, str]]:
    """Where, and why."""
    return [(".".join(map(str, each.path)), each.message) for each in voicemail_findings(SALES | changes)]


def leaving(message: str) -> dict[str, str]:
    return {"action": "leaveMessage", "message": message}


@pytest.mark.parametrize(
    "number", ["1-800-555-0100", "(833) 555 0100", "+1 844.555.0100", "8555550100", "18665550100", "877 555 0100"]
)
def test_a_sales_message_with_a_toll_free_number_is_sound(number: str) -> None:
    assert complaints(voicemail=leaving(f"Hello {{{{firstName}}}}. To be left alone call {number}.")) == []


@pytest.mark.parametrize("number", ["", "1-212-555-0100", "800 555", "555-800-0100", "28005550100"])
def test_a_sales_message_without_a_toll_free_number_is_refused(number: str) -> None:
    ((path, why),) = complaints(voicemail=leaving(f"Hello, call {number}."))
    assert path == "voicemail.message"
    assert "47 CFR 64.1200(b)(3)" in why


def test_the_rule_is_about_sales_to_americans() -> None:
    assert complaints(voicemail=leaving("Hello."), purpose="informational") == []
    assert complaints(voicemail=leaving("Hello."), customers={"defaultRegion": "AU"}) == []
    assert complaints(voicemail=leaving("Hello."), customers={"defaultRegion": "US"}) != []


def test_a_column_in_the_message_would_be_read_aloud() -> None:
    ((path, why),) = complaints(voicemail=leaving(f"Hello {{name}}. {WAY_OUT}"))
    assert path == "voicemail.message"
    assert "{{firstName}}" in why


@pytest.mark.parametrize(
    ("voicemail", "said"),
    [({"action": "leaveMessage"}, "needs a message"), ({"action": "hangUp", "message": "Hi"}, "leaves no message")],
)
def test_message_and_action_go_together(voicemail: dict[str, str], said: str) -> None:
    assert said in complaints(voicemail=voicemail)[0][1]


def test_one_place_says_what_a_machine_hears() -> None:
    assistant = {"id": "a", "overrides": {"voicemailMessage": "Hi"}}
    assert complaints(assistant=assistant) == []
    assert [path for path, _ in complaints(assistant=assistant, voicemail={"action": "hangUp"})] == [
        "assistant.overrides.voicemailMessage"
    ]


@pytest.mark.parametrize("source", ["workflowId", "workflow"])
def test_a_workflow_decides_itself(source: str) -> None:
    assert [path for path, _ in complaints(assistant={source: "w"}, voicemail={"action": "hangUp"})] == ["voicemail"]


@pytest.mark.parametrize("spoilt", [None, "x", 7, [], {"action": 7, "message": 7}])
def test_what_is_malformed_is_told_by_the_model(spoilt: Any) -> None:
    assert complaints(voicemail=spoilt) == []


@pytest.mark.parametrize("address", ["sip:{number}@sbc.example.com", "sips:{ number }@sbc.example.com"])
def test_a_sip_address_of_the_customers_number_is_sound(address: str) -> None:
    assert list(assistant_findings({"assistant": {"id": "a", "customer": {"sipUri": address}}})) == []


@pytest.mark.parametrize("address", ["sip:desk@example.com", "sip:{extension}@example.com", "{sipUri}", "{number}"])
def test_a_sip_address_of_anybody_else_is_refused(address: str) -> None:
    (finding,) = assistant_findings({"assistant": {"id": "a", "customer": {"sipUri": address}}})
    assert finding.path == ("assistant", "customer", "sipUri")
    assert "sip:{number}@" in finding.allowed
