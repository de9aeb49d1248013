"""The reckoning itself: it must see every kind of double dial and of loss, or the trials prove nothing."""

from dataclasses import replace
from datetime import UTC, datetime

from harness.books import AttemptRow, Books, CallRow
from harness.reckoning import double_dials, losses, too_late
from harness.witness import Dial

DIAL = Dial("a1", "+12125550100", "12:00:00.000", "12:00:01.000", "no_answer")
LATER = replace(DIAL, attempt="a2", created_at="12:00:05.000", ended_at="12:00:06.000", outcome="answered")
CALL = CallRow(1, DIAL.number, "completed", "answered", final=True, attempts=2)
BOOKS = Books(
    rows_read=2,
    rows_rejected=1,
    calls=[CALL],
    attempts=[
        AttemptRow("a1", 1, 1, DIAL.number, "closed", "no_answer", needs_person=False),
        AttemptRow("a2", 1, 2, DIAL.number, "closed", "answered", needs_person=False),
    ],
)


def test_a_second_try_in_good_order_is_neither_a_double_dial_nor_a_loss() -> None:
    assert double_dials(BOOKS, [DIAL, LATER], max_attempts=2) == []
    assert losses(BOOKS, [DIAL, LATER], rows=2) == []


def test_one_attempt_requested_twice_is_a_double_dial() -> None:
    again = replace(LATER, attempt="a1", outcome="no_answer")

    assert double_dials(BOOKS, [DIAL, again], max_attempts=2) == ["attempt a1 was requested 2 times"]


def test_two_calls_to_one_person_at_one_time_are_a_double_dial() -> None:
    overlapping = replace(LATER, created_at="12:00:00.500")
    endless = replace(DIAL, ended_at=None)

    assert double_dials(BOOKS, [DIAL, overlapping], max_attempts=2) == ["attempt a2 rang while a1 was live"]
    assert double_dials(BOOKS, [endless, LATER], max_attempts=2) == ["attempt a2 rang while a1 was live"]


def test_a_call_to_somebody_who_has_answered_is_a_double_dial() -> None:
    answered = replace(DIAL, outcome="answered")

    assert double_dials(BOOKS, [answered, LATER], max_attempts=2) == ["attempt a2 rang somebody who had answered a1"]


def test_a_call_beyond_the_allowed_attempts_is_a_double_dial() -> None:
    found = double_dials(BOOKS, [DIAL, LATER], max_attempts=1)

    assert found == ["attempt a2 was call 2 to one person, of 1 allowed"]


def test_a_call_that_failed_before_any_phone_rang_spends_no_attempt() -> None:
    assert double_dials(BOOKS, [replace(DIAL, may_ring=False), LATER], max_attempts=1) == []


def test_an_attempt_given_up_although_the_provider_had_it_is_a_double_dial() -> None:
    given_up = replace(BOOKS, attempts=[replace(BOOKS.attempts[0], outcome="unknown")])

    assert double_dials(given_up, [DIAL], max_attempts=2) == ["attempt a1 was given up although the provider had it"]


def test_a_row_that_is_neither_rejected_nor_a_call_is_a_loss() -> None:
    assert losses(BOOKS, [], rows=3) == ["3 rows were on the list, 2 were read"]
    assert losses(replace(BOOKS, rows_rejected=0), [], rows=2) == ["2 rows were read, 0 rejected, 1 became calls"]


def test_a_customer_without_an_end_or_without_a_reason_is_a_loss() -> None:
    open_call = replace(CALL, state="dialing", final=False)
    mute = replace(CALL, reason=None)

    assert losses(replace(BOOKS, calls=[open_call]), [], rows=2) == ["call 1 is still dialing"]
    assert losses(replace(BOOKS, calls=[mute]), [], rows=2) == ["call 1 is completed for no reason"]


def test_a_call_that_the_books_do_not_know_or_tell_otherwise_is_a_loss() -> None:
    stranger = replace(DIAL, attempt="a9")
    otherwise = replace(DIAL, outcome="busy")

    assert losses(BOOKS, [stranger], rows=2) == ["the provider has a call of attempt a9, and we have no such attempt"]
    assert losses(BOOKS, [otherwise], rows=2) == ["attempt a1 came to busy; the books say no_answer"]


def test_a_call_that_we_hung_up_may_have_come_to_anything() -> None:
    hung_up = replace(DIAL, hung_up=True)
    closed = replace(BOOKS, attempts=[replace(BOOKS.attempts[0], outcome="unknown"), BOOKS.attempts[1]])

    assert losses(closed, [hung_up, LATER], rows=2) == []
    assert double_dials(closed, [hung_up, LATER], max_attempts=2) == []
    assert losses(closed, [DIAL, LATER], rows=2) == ["attempt a1 came to no_answer; the books say unknown"]


def test_a_call_after_the_window_is_found() -> None:
    latest_at = datetime(2026, 12, 2, 12, tzinfo=UTC)
    dials = [replace(DIAL, created_at=f"2026-12-02T12:00:0{second}.500Z") for second in (0, 2)]
    in_time, late = (too_late([dial], latest_at=latest_at) for dial in dials)

    assert in_time == []
    assert late == ["attempt a1 was requested 2.5 s after the end of the window"]
