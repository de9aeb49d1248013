"""Webhooks of the gateway, and the rows of its lists, as reports."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.cognigy.reports import fields_of, record_report, status_report
from campaigns.providers.cognigy.webhook import parse_webhook
from campaigns.providers.contract import AnsweredBy, CallReport, Phase, Receipt, Trouble, WebhookRejectedError

ATTEMPT = UUID("6f1c2a90-0000-4000-8000-000000000001")
TAG = {"attempt_id": str(ATTEMPT), "plan": "gold"}


def a_status(call_status: str, sip_status: int | None = None, *, tag: Any = TAG, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "call_sid": "call-1",
        "direction": "outbound",
        "from": "+12125550100",
        "to": "+12125550123",
        "call_id": "sip-1",
        "sip_status": sip_status,
        "sip_reason": "Reason",
        "call_status": call_status,
        "account_sid": "account-1",
        "application_sid": "application-1",
        "customerData": tag,
        **more,
    }
    return {key: value for key, value in body.items() if value is not None}


def parsed(body: Any) -> Receipt:
    return parse_webhook(body if isinstance(body, bytes) else json.dumps(body).encode())


def report_of(body: dict[str, Any]) -> CallReport:
    report = parsed(body).report
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("status", "sip", "phase"),
    [
        ("queued", None, Phase.QUEUED),
        ("trying", 100, Phase.QUEUED),
        ("ringing", 180, Phase.RINGING),
        ("early-media", 183, Phase.RINGING),
        ("in-progress", 200, Phase.CONNECTED),
        ("a-new-word", 100, Phase.QUEUED),
    ],
)
def test_progress_has_a_phase_and_no_verdict(status: str, sip: int | None, phase: Phase) -> None:
    assert report_of(a_status(status, sip)) == CallReport("call-1", ATTEMPT, phase)


@pytest.mark.parametrize(
    ("status", "sip", "outcome"),
    [
        ("completed", 200, Outcome.ANSWERED),
        ("busy", 486, Outcome.BUSY),
        ("busy", 603, Outcome.REJECTED),
        ("no-answer", 487, Outcome.NO_ANSWER),
        ("no-answer", 600, Outcome.BUSY),
        ("failed", 404, Outcome.INVALID_NUMBER),
        ("failed", 503, Outcome.PROVIDER_ERROR),
        ("failed", None, Outcome.UNKNOWN),
    ],
)
def test_a_final_status_is_the_whole_report(status: str, sip: int | None, outcome: Outcome) -> None:
    report = report_of(a_status(status, sip))
    assert report.phase is Phase.REPORTED
    assert report.verdict is not None
    assert report.verdict.outcome is outcome


def test_a_completed_call_tells_how_long_it_took_and_who_ended_it() -> None:
    report = report_of(a_status("completed", 200, duration=42, call_termination_by="caller"))
    assert (report.duration, report.ended_by_customer) == (timedelta(seconds=42), True)
    assert report.ended_reason == "completed 200 Reason"
    assert not report_of(a_status("completed", 200, call_termination_by="jambonz")).ended_by_customer
    assert not report_of(a_status("busy", 486, call_termination_by="caller")).ended_by_customer


def test_a_full_gateway_is_told_as_the_accounts_trouble() -> None:
    assert report_of(a_status("failed", 503)).trouble is Trouble.FULL


def test_a_completed_call_waits_for_the_word_that_its_tag_announces() -> None:
    tag = TAG | {"awaits_amd": True}
    assert report_of(a_status("completed", 200, tag=tag)).phase is Phase.ENDED
    assert report_of(a_status("completed", None, tag=tag)).phase is Phase.ENDED
    assert report_of(a_status("no-answer", 487, tag=tag)).phase is Phase.REPORTED


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ("amd_human_detected", AnsweredBy.HUMAN),
        ("amd_machine_detected", AnsweredBy.MACHINE),
        ("amd_machine_stopped_speaking", AnsweredBy.MACHINE),
    ],
)
@pytest.mark.parametrize("status", ["in-progress", "completed", None])
def test_a_word_about_who_answered_is_joined_by_the_calls_id(event: str, word: AnsweredBy, status: str | None) -> None:
    body = {"type": event, "call_sid": "call-1", "reason": "hint", "transcript": "please leave a message"}
    receipt = parsed(body | ({"call_status": status, "sip_status": 200} if status else {}))
    assert receipt.report == CallReport("call-1", None, Phase.CONNECTED, answered_by=word)
    assert receipt.event_type == event


def test_a_word_with_the_tag_names_the_attempt_as_well() -> None:
    assert report_of(a_status("in-progress", 200, type="amd_human_detected")).attempt_id == ATTEMPT


@pytest.mark.parametrize(
    "event",
    ["amd_no_speech_detected", "amd_decision_timeout", "amd_tone_detected", "amd_tone_timeout", "amd_error",
     "amd_stopped", "something-new"],
)  # fmt: skip
def test_events_that_tell_nobody_apart_are_stored_and_counted(event: str) -> None:
    receipt = parsed({"type": event, "call_sid": "call-1"})
    assert (receipt.event_type, receipt.report) == (event, None)


@pytest.mark.parametrize("tag", [None, "text", {}, {"attempt_id": 7}, {"attempt_id": "no-uuid"}])
def test_a_call_without_our_tag_names_no_attempt(tag: Any) -> None:
    assert report_of(a_status("ringing", 180, tag=tag)).attempt_id is None


def test_both_spellings_of_the_keys_are_read() -> None:
    body = {"callSid": "call-1", "callStatus": "busy", "sipStatus": "486", "customerData": TAG}
    report = report_of(body)
    assert (report.provider_call_id, report.attempt_id) == ("call-1", ATTEMPT)
    assert report.verdict is not None
    assert report.verdict.outcome is Outcome.BUSY


def test_the_same_event_has_the_same_key_and_another_event_another() -> None:
    ringing = parsed(a_status("ringing", 180))
    again = parsed(a_status("ringing", 180, trace_id="another", fs_sip_address="10.0.0.2"))
    assert ringing.dedupe_key == again.dedupe_key
    keys = {
        parsed(body).dedupe_key
        for body in (
            a_status("ringing", 180),
            a_status("early-media", 183),
            a_status("in-progress", 200),
            a_status("completed", 200, duration=4),
            a_status("ringing", 180, call_sid="call-2"),
            {"type": "amd_human_detected", "call_sid": "call-1"},
            {"type": "amd_machine_detected", "call_sid": "call-1"},
            {"type": "amd_stopped", "call_sid": "call-1"},
        )
    }
    assert len(keys) == 8


def test_a_word_has_one_key_however_it_is_told() -> None:
    first = parsed({"type": "amd_human_detected", "call_sid": "call-1", "reason": "short greeting"})
    again = parsed(a_status("completed", 200, type="amd_human_detected"))
    assert first.dedupe_key == again.dedupe_key


def test_somebody_who_calls_us_is_told_by_number() -> None:
    body = a_status("ringing", 180, tag=None, direction="inbound") | {"from": "+12125550123", "to": "+12125550100"}
    assert parsed(body).caller == "+12125550123"
    assert parsed(body | {"from": "anonymous"}).caller is None
    assert parsed(a_status("ringing", 180)).caller is None


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no object"),
        (b'"text"', "no object"),
        (b'{"call_status": "busy"}', "no 'call_sid'"),
        (b'{"call_sid": 7, "call_status": "busy"}', "no 'call_sid'"),
        (b'{"call_sid": "call-1"}', "neither 'call_status'"),
        (b'{"call_sid": "call-1", "call_status": 7}', "neither 'call_status'"),
    ],
)
def test_a_body_that_is_no_webhook_is_rejected_without_its_content(body: bytes, complaint: str) -> None:
    with pytest.raises(WebhookRejectedError, match=complaint):
        parsed(body)


def test_a_body_full_of_nonsense_still_makes_a_report_that_can_be_kept() -> None:
    body = a_status("completed", 200, duration=10**400, sip_reason="a\0b\ud800" * 200, call_termination_by=[1])
    report = report_of(body)
    assert report.duration == timedelta(days=7)
    assert report.ended_reason is not None
    assert len(report.ended_reason) <= 200
    report.ended_reason.encode()


@pytest.mark.parametrize("stamp", ["2026-12-02T17:00:30.000Z", 1_796_230_830, 1_796_230_830_000])
def test_a_record_says_when_the_call_ended_however_it_writes_an_instant(stamp: object) -> None:
    record = {"call_sid": "call-1", "answered": True, "sip_status": 200, "duration": 30, "terminated_at": stamp,
              "termination_reason": "caller hungup"}  # fmt: skip
    report = record_report(fields_of(record))
    assert report is not None
    assert (report.phase, report.attempt_id) == (Phase.REPORTED, None)
    assert report.occurred_at == datetime(2026, 12, 2, 17, 0, 30, tzinfo=UTC)
    assert report.ended_reason == "completed 200 caller hungup"


def test_a_record_of_a_call_that_nobody_answered_goes_by_its_sip_status() -> None:
    record = {"call_sid": "call-1", "answered": False, "sip_status": 404, "duration": 0, "terminated_at": None}
    report = record_report(record)
    assert report is not None
    assert report.verdict is not None
    assert (report.verdict.outcome, report.duration, report.occurred_at) == (Outcome.INVALID_NUMBER, None, None)


def test_a_row_without_an_id_is_no_call() -> None:
    assert status_report({"call_status": "busy"}) is None
    assert record_report({"sip_status": 200}) is None
