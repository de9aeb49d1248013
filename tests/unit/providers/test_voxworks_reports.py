"""What Voxworks says of a call, whichever names and spellings its answers turn out to have."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from campaigns.calls.conversation import Conversation
from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import Phase, WebhookRejectedError
from campaigns.providers.voxworks.codes import end_of, phase_of
from campaigns.providers.voxworks.findings import Findings, Value
from campaigns.providers.voxworks.reports import report_of
from campaigns.providers.voxworks.webhook import parse_webhook
from config.settings_model import WEBHOOK_FIELDS

NOW = datetime(2026, 12, 2, 12, 0, tzinfo=UTC)
ATTEMPT = UUID("0199a8c4-0000-7000-8000-000000000001")


def report(**call):
    return report_of("call-1", Findings({"success": True, "call": call}), now=NOW)


def receipt(document, **paths):
    return parse_webhook(json.dumps(document).encode(), paths=paths, now=NOW)


@pytest.mark.parametrize(
    ("status", "outcome", "retryable", "counts"),
    [
        ("completed", Outcome.ANSWERED, False, True),
        ("voicemail", Outcome.VOICEMAIL, True, True),
        ("rang-out", Outcome.NO_ANSWER, True, True),
        ("user unavailable", Outcome.NO_ANSWER, True, True),
        ("user rejected", Outcome.REJECTED, False, True),
        ("hang-up", Outcome.ANSWERED, False, True),
        ("dropout", Outcome.UNKNOWN, False, True),
        ("failed", Outcome.PROVIDER_ERROR, True, True),
        ("cancelled", Outcome.CANCELLED, False, False),
    ],
)
def test_every_final_status_has_its_outcome(status, outcome, retryable, counts):
    verdict = end_of(status).verdict
    assert (verdict.outcome, verdict.retryable, verdict.counts) == (outcome, retryable, counts)


@pytest.mark.parametrize("spelling", ["rang-out", "Rang Out", "RANG_OUT", "rangOut", " rang - out "])
def test_a_status_is_known_in_every_spelling(spelling):
    assert end_of(spelling) == end_of("rang-out") is not None


def test_canceled_with_one_l_is_cancelled():
    assert end_of("Canceled") == end_of("cancelled") is not None


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("scheduled", Phase.QUEUED),
        ("Ringing", Phase.RINGING),
        ("in_progress", Phase.CONNECTED),
        ("completed", Phase.ENDED),
        ("pondering", Phase.QUEUED),
    ],
)
def test_a_call_on_its_way_is_as_far_as_its_status_says(status, phase):
    assert phase_of(status) is phase


def test_an_unknown_status_of_a_call_that_has_an_end_is_an_unknown_outcome():
    told = report(status="pondered", ended_at="2026-12-02T11:00:00Z")
    assert told.phase is Phase.REPORTED
    assert (told.verdict.outcome, told.verdict.retryable) == (Outcome.UNKNOWN, False)


@pytest.mark.parametrize("status", ["completed", "hang-up", "dropout"])
def test_a_conversation_is_not_reported_before_its_details_are_there(status):
    assert report(status=status).phase is Phase.ENDED
    assert report(status=status, call_summary="All well.").phase is Phase.REPORTED


def test_details_that_do_not_come_are_given_up_after_a_while():
    assert report(status="completed", ended_at="2026-12-02T11:59:00Z").phase is Phase.ENDED
    assert report(status="completed", ended_at="2026-12-02T11:57:00Z").phase is Phase.REPORTED


@pytest.mark.parametrize("status", ["rang-out", "User rejected", "User unavailable", "voicemail", "failed"])
def test_what_was_no_conversation_is_reported_at_once(status):
    assert report(status=status).phase is Phase.REPORTED


@pytest.mark.parametrize(
    "call",
    [
        {"status": "completed", "call_summary": "Short.", "recording_url": "https://r/1", "duration": 61},
        {"Call Status": "Completed", "summary": "Short.", "recording": {"url": "https://r/1"}, "durationSeconds": 61},
        {"callStatus": "COMPLETED", "result": {"summary": "Short.", "recordingUrl": "https://r/1", "duration": 61.0}},
    ],
)
def test_details_are_found_under_any_of_their_names(call):
    told = report(**call)
    assert told.phase is Phase.REPORTED
    assert told.verdict.outcome is Outcome.ANSWERED
    assert (told.artifacts.summary, told.artifacts.recording_url) == ("Short.", "https://r/1")
    assert told.duration == timedelta(seconds=61)


@pytest.mark.parametrize(
    "data",
    [
        {"disposition": "Opt out", "wants_callback": "no"},
        {"disposition": {"value": "opt_out"}, "wants_callback": {"result": False}},
        [{"name": "disposition", "value": "opt-out"}, {"label": "wants_callback", "answer": False}],
    ],
)
def test_what_was_achieved_is_read_whatever_shape_it_has(data):
    said = report(status="completed", structured_data=data).conversation
    assert said == Conversation(disposition="opt_out", answers={"wants_callback": "false"})


def test_objectives_are_answers_too_and_a_structured_answer_goes_before_them():
    said = report(
        status="completed",
        objectives=[{"objective": "booked", "achieved": True}, {"name": "paid", "met": False}],
        structured_data={"paid": "yes"},
    ).conversation
    assert said.answers == {"booked": "true", "paid": "true"}


def test_a_transcript_of_turns_becomes_text():
    turns = [{"role": "agent", "text": "Hello?"}, "Hi."]
    assert report(status="completed", transcript=turns).artifacts.transcript == "agent Hello?\nHi."


def test_a_person_who_hung_up_is_told_from_a_call_that_was_completed():
    assert report(status="hang-up").ended_by_customer
    assert not report(status="completed").ended_by_customer


@pytest.mark.parametrize("value", [None, True, [], {}, "1:30", -1, 1e12, float("nan"), 10**400])
def test_a_duration_that_is_no_number_of_seconds_is_left_out(value):
    assert report(status="voicemail", duration=value).duration is None


# --- automations ------------------------------------------------------------------------------------------------


def test_an_automation_with_the_names_of_the_screen_needs_no_mapping():
    told = receipt(
        {
            "call_id": "call-1",
            "call_type": "outbound",
            "call_status": "Rang Out",
            "contact_name": "Ann",
            "phone_user": "0429069971",
            "call": {"call_summary": "", "rating": 4},
        }
    )
    assert told.event_type == "call-completed"
    assert (told.report.provider_call_id, told.report.phase) == ("call-1", Phase.REPORTED)
    assert told.report.verdict.outcome is Outcome.NO_ANSWER
    assert told.caller is None


def test_an_automation_with_names_of_its_own_is_read_by_the_accounts_mapping():
    document = {"ref": {"call": "call-1"}, "how": "hang-up", "status": "sent", "notes": "Rude.", "mine": str(ATTEMPT)}
    told = receipt(document, callId="ref.call", status="how", summary="notes", attemptId="mine").report
    assert (told.provider_call_id, told.attempt_id, told.phase) == ("call-1", ATTEMPT, Phase.REPORTED)
    assert told.artifacts.summary == "Rude."


def test_a_mapped_path_that_is_not_there_is_not_replaced_by_a_guess():
    assert receipt({"call_id": "call-1", "status": "completed"}, status="outcome").report is None


def test_a_body_that_does_not_say_how_the_call_ended_is_stored_and_not_acted_upon():
    told = receipt({"call_id": "call-1", "note": "hello"})
    assert told.report is None


def test_an_automation_that_runs_twice_has_one_key_and_news_has_another():
    first = receipt({"call_id": "call-1", "status": "completed"})
    again = receipt({"call_id": "call-1", "status": "Completed", "sent_at": "later"})
    news = receipt({"call_id": "call-1", "status": "completed", "structured_data": {"disposition": "opt_out"}})
    assert first.dedupe_key == again.dedupe_key != news.dedupe_key


@pytest.mark.parametrize(("number", "caller"), [("+61429069971", "+61429069971"), ("0429069971", None), (None, None)])
def test_somebody_who_called_us_is_told_as_a_caller(number, caller):
    told = receipt({"call_id": "call-9", "call_type": "Inbound", "call_status": "completed", "phone_user": number})
    assert told.caller == caller


@pytest.mark.parametrize("body", [b"", b"call_id=1", b"[]", b"{}", b'{"call_id": 5}', b"\xff", b"[" * 100_000])
def test_a_body_without_a_call_is_rejected_without_repeating_it(body):
    with pytest.raises(WebhookRejectedError, match="the body"):
        parse_webhook(body, paths={}, now=NOW)


def test_the_settings_know_the_same_values_as_the_adapter():
    assert set(WEBHOOK_FIELDS) == {value.value for value in Value}
