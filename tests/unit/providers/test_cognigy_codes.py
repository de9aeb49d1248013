"""SIP status and call status in our words."""

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.cognigy.codes import code_of, table, trouble_of
from campaigns.providers.contract import AnsweredBy, Trouble

BY_SIP_STATUS = {
    Outcome.BUSY: (486, 600),
    Outcome.REJECTED: (603, 607, 608),
    Outcome.NO_ANSWER: (487, 408, 480),
    Outcome.INVALID_NUMBER: (404, 410, 484, 604),
    Outcome.CONFIG_ERROR: (400, 401, 402, 403, 405, 407, 415, 488, 606),
    Outcome.PROVIDER_ERROR: (500, 501, 502, 503, 504, 505, 513, 580, 599),
    Outcome.UNKNOWN: (406, 409, 416, 420, 481, 491, 699),
}
RETRIED = {Outcome.BUSY, Outcome.NO_ANSWER, Outcome.PROVIDER_ERROR}
FREE = {Outcome.CONFIG_ERROR, Outcome.PROVIDER_ERROR}


@pytest.mark.parametrize(("outcome", "statuses"), BY_SIP_STATUS.items())
def test_the_sip_status_decides_whatever_the_gateway_calls_it(outcome: Outcome, statuses: tuple[int, ...]) -> None:
    for status in statuses:
        for call_status in ("failed", "busy", "no-answer", None):
            verdict = code_of(status, call_status=call_status, answered_by=None).verdict
            assert verdict.outcome is outcome
            assert verdict.retryable is (outcome in RETRIED)
            assert verdict.counts is (outcome not in FREE)


@pytest.mark.parametrize(
    ("word", "outcome", "retryable"),
    [
        (None, Outcome.ANSWERED, False),
        (AnsweredBy.HUMAN, Outcome.ANSWERED, False),
        (AnsweredBy.MACHINE, Outcome.VOICEMAIL, True),
    ],
)
def test_an_answered_call_is_what_the_word_about_it_says(
    word: AnsweredBy | None, outcome: Outcome, *, retryable: bool
) -> None:
    verdict = code_of(200, call_status="completed", answered_by=word).verdict
    assert (verdict.outcome, verdict.retryable, verdict.counts) == (outcome, retryable, True)


@pytest.mark.parametrize(
    ("call_status", "outcome"),
    [
        ("completed", Outcome.ANSWERED),
        ("busy", Outcome.BUSY),
        ("no-answer", Outcome.NO_ANSWER),
        ("failed", Outcome.UNKNOWN),
        ("new-word", Outcome.UNKNOWN),
        (None, Outcome.UNKNOWN),
    ],
)
def test_without_a_sip_status_the_call_status_counts(call_status: str | None, outcome: Outcome) -> None:
    assert code_of(None, call_status=call_status, answered_by=None).outcome is outcome
    assert code_of(0, call_status=call_status, answered_by=None).outcome is outcome


def test_an_unknown_end_is_never_retried() -> None:
    assert not code_of(799, call_status="failed", answered_by=None).verdict.retryable


def test_every_row_of_the_table_is_read() -> None:
    assert len(table()) == 30


@pytest.mark.parametrize(
    ("status", "trouble"), [(503, Trouble.FULL), (403, Trouble.SETTINGS), (500, None), (486, None), (None, None)]
)
def test_an_end_may_say_something_beyond_its_own_call(status: int | None, trouble: Trouble | None) -> None:
    outcome = code_of(status, call_status="failed", answered_by=None).outcome
    assert trouble_of(status, outcome=outcome) is trouble
