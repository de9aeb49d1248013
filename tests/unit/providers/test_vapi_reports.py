"""A Vapi call object in our words."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import Phase, WebhookRejectedError
from campaigns.providers.fields import instant
from campaigns.providers.vapi.reports import attempt_id_of, report_of
from campaigns.providers.vapi.webhook import parse_webhook

ATTEMPT = UUID("6f1c2d3e-0000-4000-8000-000000000001")
OTHER = UUID("6f1c2d3e-0000-4000-8000-000000000002")
NOW = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
PIPELINE = "pipeline-error-openai-llm-failed"


def a_call(**changes: Any) -> dict[str, Any]:
    return {
        "id": "c-1",
        "status": "queued",
        "createdAt": "2026-12-01T14:00:00.000Z",
        "updatedAt": "2026-12-01T14:00:01.500Z",
        "name": str(ATTEMPT),
        "metadata": {"attemptId": str(ATTEMPT)},
    } | changes


def an_ended_call(reason: str = "customer-ended-call", **changes: Any) -> dict[str, Any]:
    ended = {"status": "ended", "endedReason": reason, "endedAt": "2026-12-01T14:01:30.000Z", "analysis": {}}
    return a_call(**ended | changes)


def a_webhook(message_type: str, **message: Any) -> bytes:
    return json.dumps(
        {"message": {"type": message_type, "timestamp": 1796133600000, "call": a_call()} | message}
    ).encode()


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("scheduled", Phase.QUEUED),
        ("queued", Phase.QUEUED),
        ("ringing", Phase.RINGING),
        ("in-progress", Phase.CONNECTED),
        ("forwarding", Phase.CONNECTED),
        ("not-found", Phase.QUEUED),
        ("a status of tomorrow", Phase.QUEUED),
    ],
)
def test_a_status_has_its_phase_and_a_live_call_no_verdict(status: str, phase: Phase) -> None:
    report = report_of(a_call(status=status), now=NOW)

    assert report is not None
    assert (report.phase, report.verdict) == (phase, None)


def test_an_ended_call_with_an_analysis_is_all_we_shall_hear() -> None:
    report = report_of(an_ended_call(startedAt="2026-12-01T14:00:10.000Z", cost=0.12), now=NOW)

    assert report is not None
    assert report.phase is Phase.REPORTED
    assert report.verdict is not None
    assert report.verdict.outcome is Outcome.ANSWERED
    assert report.duration == timedelta(seconds=80)
    assert report.cost_usd == 0.12
    assert report.occurred_at == datetime(2026, 12, 1, 14, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("later", "phase"), [(5, Phase.ENDED), (61, Phase.REPORTED)])
def test_an_ended_call_without_an_analysis_is_given_a_minute(later: int, phase: Phase) -> None:
    call = an_ended_call()
    del call["analysis"]
    report = report_of(call, now=datetime(2026, 12, 1, 14, 1, 30, tzinfo=UTC) + timedelta(seconds=later))

    assert report is not None
    assert report.phase is phase


@pytest.mark.parametrize(
    ("call", "retryable"),
    [
        (an_ended_call(PIPELINE, artifact={"messages": []}), True),
        (an_ended_call(PIPELINE, artifact={"messages": [{"role": "system"}]}), True),
        (an_ended_call(PIPELINE), False),
        (an_ended_call(PIPELINE, artifact={"messages": [{"role": "bot"}]}), False),
        (an_ended_call(PIPELINE, artifact={"messages": [{"role": "user"}]}), False),
        (an_ended_call(PIPELINE, artifact={"messages": []}, startedAt="2026-12-01T14:00:10.000Z"), False),
    ],
)
def test_a_pipeline_fault_is_retryable_only_if_surely_nobody_picked_up(call: dict[str, Any], retryable: bool) -> None:
    report = report_of(call, now=NOW)

    assert report is not None
    assert report.verdict is not None
    assert report.verdict.retryable is retryable


@pytest.mark.parametrize(
    ("reason", "by_customer"),
    [
        ("customer-ended-call", True),
        ("customer-ended-call-during-transfer", True),
        ("assistant-ended-call", False),
        ("customer-did-not-answer", False),
    ],
)
def test_a_report_says_whether_the_person_ended_the_call(reason: str, by_customer: bool) -> None:
    report = report_of(an_ended_call(reason), now=NOW)
    assert report is not None
    assert report.ended_by_customer is by_customer


def test_metadata_goes_before_a_name_that_anybody_can_change() -> None:
    assert attempt_id_of(a_call(name=str(OTHER))) == ATTEMPT
    assert attempt_id_of(a_call(metadata=None)) == ATTEMPT
    assert attempt_id_of(a_call(metadata="x", name="lunch", customer={"externalId": str(OTHER)})) == OTHER
    assert attempt_id_of({"name": 7, "customer": None}) is None


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-12-01T14:00:00.123Z", datetime(2026, 12, 1, 14, 0, 0, 123000, tzinfo=UTC)),
        ("2026-12-01T09:00:00-05:00", datetime(2026, 12, 1, 14, tzinfo=UTC)),
        ("2026-12-01T14:00:00", datetime(2026, 12, 1, 14, tzinfo=UTC)),
        (1796133600000, datetime(2026, 12, 1, 14, tzinfo=UTC)),
        ("soon", None),
        (None, None),
        (True, None),
        (1e300, None),
    ],
)
def test_every_instant_is_aware_utc_or_none(value: object, at: datetime | None) -> None:
    assert instant(value) == at


def test_a_call_without_an_id_is_no_report() -> None:
    assert report_of(a_call(id=None), now=NOW) is None


def test_a_long_ended_reason_is_cut() -> None:
    report = report_of(an_ended_call("x" * 1000), now=NOW)

    assert report is not None
    assert report.ended_reason == "x" * 200


def test_a_hang_is_a_warning_and_no_outcome() -> None:
    receipt = parse_webhook(a_webhook("hang"))

    assert (receipt.event_type, receipt.report) == ("hang", None)


def test_a_status_update_of_the_end_carries_a_verdict() -> None:
    receipt = parse_webhook(a_webhook("status-update", status="ended", endedReason="customer-busy"))

    assert receipt.report is not None
    assert receipt.report.phase is Phase.ENDED
    assert receipt.report.verdict is not None
    assert receipt.report.verdict.outcome is Outcome.BUSY


def test_a_report_may_name_a_reason_that_is_in_no_list() -> None:
    receipt = parse_webhook(a_webhook("end-of-call-report", endedReason="hangup"))

    assert receipt.report is not None
    assert receipt.report.phase is Phase.REPORTED
    assert receipt.report.verdict is not None
    assert receipt.report.verdict.outcome is Outcome.UNKNOWN


def test_the_same_event_sent_again_later_has_the_same_key() -> None:
    first = parse_webhook(a_webhook("status-update", status="ringing"))
    again = parse_webhook(a_webhook("status-update", status="ringing", timestamp=1796133699999, artifact={"x": 1}))

    assert first.dedupe_key == again.dedupe_key


def test_different_events_have_different_keys() -> None:
    bodies = [
        a_webhook("status-update", status="queued"),
        a_webhook("status-update", status="ringing"),
        a_webhook("status-update", status="ended", endedReason="customer-busy"),
        a_webhook("status-update", status="ringing", call=a_call(id="c-2")),
        a_webhook("end-of-call-report", endedReason="customer-busy"),
        a_webhook("speech-update", role="user"),
        a_webhook("speech-update", role="assistant"),
    ]

    assert len({parse_webhook(body).dedupe_key for body in bodies}) == len(bodies)


def test_a_report_that_comes_again_with_the_recording_that_it_lacked_is_news() -> None:
    plain = a_webhook("end-of-call-report", call={"id": "c"}, endedReason="customer-busy")
    whole = a_webhook(
        "end-of-call-report",
        call={"id": "c"},
        endedReason="customer-busy",
        artifact={"recordingUrl": "https://recordings.example.com/1"},
    )
    assert parse_webhook(plain).dedupe_key != parse_webhook(whole).dedupe_key
    assert parse_webhook(whole).dedupe_key == parse_webhook(whole).dedupe_key


def test_an_event_without_a_call_is_stored_and_not_acted_upon() -> None:
    assert parse_webhook(b'{"message": {"type": "status-update", "status": "ended"}}').report is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"{}",
        b'{"message": []}',
        b'{"message": {}}',
        b'{"message": {"type": 7}}',
        b"[" * 99_999,
    ],
)
def test_a_body_that_is_no_webhook_is_rejected_without_repeating_it(body: bytes) -> None:
    with pytest.raises(WebhookRejectedError) as rejected:
        parse_webhook(body)

    assert "\n" not in str(rejected.value)
    assert len(str(rejected.value)) < 60


def test_a_report_keeps_the_key_under_which_it_may_be_stored_already() -> None:
    said = {"transcript": 'AI: Good "morning".', "recordingUrl": "https://files.example/1.wav"}
    analysis = {"summary": "Kurz.", "structuredData": {"disposition": "booked", "callback": True}}
    body = a_webhook("end-of-call-report", endedReason="customer-ended-call", artifact=said, analysis=analysis,
                     costBreakdown={"total": 0.5, "llmPromptTokens": 3})  # fmt: skip
    report = parse_webhook(body).report
    assert report is not None
    parts = ["c-1", None, "customer-ended-call", asdict(report.conversation), asdict(report.artifacts)]
    text = json.dumps(["end-of-call-report", *parts], sort_keys=True, separators=(",", ":"))
    assert parse_webhook(body).dedupe_key == hashlib.sha256(text.encode()).hexdigest()


def test_an_amount_that_no_column_can_hold_costs_nothing_but_itself() -> None:
    """A listing holds the calls of a whole account: one number in one of them must not hide the others."""
    costs = {"total": 0.5, "llm": 10**400}
    listed = report_of(an_ended_call(costBreakdown=costs), now=NOW)
    told = parse_webhook(a_webhook("end-of-call-report", endedReason="x", costBreakdown=costs)).report
    assert listed is not None
    assert told is not None
    assert (listed.artifacts.cost_breakdown, told.artifacts.cost_breakdown) == ({"total": 0.5}, {"total": 0.5})
