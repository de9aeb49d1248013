"""What a Vapi report says of the conversation, and of people who call us."""

import json
from dataclasses import replace
from typing import Any

import pytest

from campaigns.calls.conversation import SILENCE, Conversation
from campaigns.providers.contract import NO_ARTIFACTS, CallReport, Receipt
from campaigns.providers.vapi.webhook import parse_webhook
from campaigns.services.report_json import from_json, to_json

ANN = "+12125550101"


def received(**message: Any) -> Receipt:
    body = {"type": "end-of-call-report", "endedReason": "customer-ended-call", "call": {"id": "c-1"}} | message
    return parse_webhook(json.dumps({"message": body}).encode())


def report_of(**message: Any) -> CallReport:
    report = received(**message).report
    assert report is not None
    return report


def test_structured_data_becomes_a_disposition_and_answers() -> None:
    report = report_of(
        analysis={
            "structuredData": {"disposition": "Opt out", "wantsNoCalls": True, "name": "Ann Lee-Ray Smith Jr of Ohio"}
        }
    )
    assert report.conversation == Conversation("opt_out", {"wantsNoCalls": "true"})


def test_structured_outputs_are_read_too_and_structured_data_wins() -> None:
    report = report_of(
        analysis={"structuredData": {"mood": "good"}},
        artifact={
            "structuredOutputs": {
                "id-1": {"name": "disposition", "result": "booked"},
                "id-2": {"name": "form", "result": {"mood": "bad", "optOut": False}},
                "id-3": "spoilt",
                "id-4": {"result": "nameless"},
            }
        },
    )
    assert report.conversation == Conversation("booked", {"mood": "good", "optOut": "false"})


@pytest.mark.parametrize("spoilt", [None, 7, "x", [], [{"a": 1}], {"structuredData": "x"}, {"structuredData": [1]}])
def test_a_spoilt_analysis_is_silence(spoilt: Any) -> None:
    assert report_of(analysis=spoilt, artifact={"structuredOutputs": spoilt}).conversation == SILENCE


def test_of_what_was_said_only_the_artifacts_hold_a_word() -> None:
    """So an installation that keeps no conversations drops it all in one place (`Intake`)."""
    secret = "My card number is 4111 1111 1111 1111"
    report = report_of(
        analysis={"summary": secret, "structuredData": {"disposition": "booked", "note": secret, "phone": ANN}},
        artifact={"transcript": secret, "messages": [{"role": "user", "message": secret}]},
    )
    assert "4111" in to_json(report)
    stored = to_json(replace(report, artifacts=NO_ARTIFACTS))
    assert "4111" not in stored
    assert ANN not in stored
    assert from_json(json.loads(stored)).conversation == Conversation("booked")


def test_a_report_that_comes_again_with_its_analysis_is_news_and_a_repetition_of_it_is_not() -> None:
    bare, told, again = received(), *(received(analysis={"structuredData": {"disposition": "opt_out"}}) for _ in "ab")
    assert bare.dedupe_key != told.dedupe_key
    assert told.dedupe_key == again.dedupe_key


def test_a_call_to_us_names_its_caller_and_a_call_of_ours_does_not() -> None:
    call = {"id": "c-9", "type": "inboundPhoneCall", "customer": {"number": ANN}}
    assert received(call=call).caller == ANN
    assert received(call=call | {"type": "outboundPhoneCall"}).caller is None


def test_a_caller_may_stand_beside_the_call_and_a_hidden_one_is_nobody() -> None:
    call = {"id": "c-9", "type": "inboundPhoneCall"}
    assert received(call=call, customer={"number": ANN}).caller == ANN
    for hidden in ({}, {"number": "anonymous"}, {"number": 7}, {"sipUri": "sip:ann@example.com"}):
        assert received(call=call, customer=hidden).caller is None
