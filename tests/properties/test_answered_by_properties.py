"""Who answered and how the call ended come by different roads: the outcome is the same in every order."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import AnsweredBy, CallReport, DialResult, FateUnknown, Phase, Placed
from campaigns.services.settle import AttemptView, Settled, settle_dial, settle_report

ATTEMPT = AttemptView(UUID(int=1), AttemptState.DIALING, None, connected=False)
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)
BUSY = Verdict(Outcome.BUSY, retryable=True, counts=True)

PLACED = Placed("call-1")
RINGING = CallReport("call-1", ATTEMPT.id, Phase.RINGING)
TALKING = CallReport("call-1", ATTEMPT.id, Phase.CONNECTED)
HUMAN = CallReport("call-1", None, Phase.CONNECTED, answered_by=AnsweredBy.HUMAN)
MACHINE = CallReport("call-1", None, Phase.CONNECTED, answered_by=AnsweredBy.MACHINE)
COMPLETED = CallReport("call-1", ATTEMPT.id, Phase.ENDED, ANSWERED)
"""The word about who answered is still to come."""
POLLED = CallReport("call-1", None, Phase.REPORTED, ANSWERED)
"""Asked after once the word was long overdue."""

Fact = DialResult | CallReport


def told(facts: Sequence[Fact], attempt: AttemptView = ATTEMPT) -> tuple[AttemptView, list[Verdict]]:
    """The attempt after these facts, and every next step that they asked for."""
    steps = list[Verdict]()
    for fact in facts:
        settled: Settled = settle_report(attempt, fact) if isinstance(fact, CallReport) else settle_dial(attempt, fact)
        attempt = settled.attempt
        steps += [settled.verdict] if settled.verdict else []
    return attempt, steps


@pytest.mark.parametrize("order", list(permutations([PLACED, RINGING, TALKING, MACHINE, COMPLETED])))
def test_a_machine_is_a_voicemail_in_every_order(order: Sequence[Fact]) -> None:
    attempt, steps = told(order)
    assert (attempt.state, attempt.outcome) == (AttemptState.CLOSED, Outcome.VOICEMAIL)
    assert steps == [Verdict(Outcome.VOICEMAIL, retryable=True, counts=True)]


@pytest.mark.parametrize("order", list(permutations([PLACED, RINGING, TALKING, HUMAN, COMPLETED])))
def test_a_human_is_an_answer_in_every_order(order: Sequence[Fact]) -> None:
    attempt, steps = told(order)
    assert (attempt.state, attempt.outcome) == (AttemptState.CLOSED, Outcome.ANSWERED)
    assert steps == [ANSWERED]


@given(
    st.lists(st.sampled_from([PLACED, RINGING, TALKING, MACHINE, COMPLETED, POLLED, FateUnknown("time-out")]))
    .flatmap(lambda extra: st.permutations([MACHINE, COMPLETED, *extra]))
)  # fmt: skip
def test_duplicates_and_late_words_change_nothing_and_nobody_is_rung_for_them(order: Sequence[Fact]) -> None:
    attempt, steps = told(order)
    assert (attempt.state, attempt.outcome) == (AttemptState.CLOSED, Outcome.VOICEMAIL)
    assert len(steps) == 1


@given(st.lists(st.sampled_from([HUMAN, MACHINE, COMPLETED, POLLED, TALKING])))
def test_if_both_were_said_a_person_was_reached_and_the_last_step_says_so(extra: Sequence[Fact]) -> None:
    attempt, steps = told([*extra, HUMAN, MACHINE, COMPLETED])
    assert attempt.outcome is Outcome.ANSWERED
    assert not steps[-1].retryable


def test_without_a_word_a_completed_call_waits_and_the_poll_ends_the_wait() -> None:
    waiting, steps = told([PLACED, TALKING, COMPLETED])
    assert (waiting.state, steps) == (AttemptState.ENDED, [])
    assert told([POLLED], waiting)[1] == [ANSWERED]


def test_a_word_that_comes_after_the_poll_corrects_the_record_and_asks_for_no_retry() -> None:
    closed, _ = told([PLACED, COMPLETED, POLLED])
    corrected, steps = told([MACHINE], closed)
    assert (corrected.outcome, corrected.answered_by, steps) == (Outcome.VOICEMAIL, AnsweredBy.MACHINE, [])


def test_a_person_taken_for_a_machine_stops_the_next_try() -> None:
    closed, _ = told([PLACED, MACHINE, COMPLETED])
    corrected, steps = told([HUMAN], closed)
    assert (corrected.outcome, steps) == (Outcome.ANSWERED, [ANSWERED])
    assert told([HUMAN], corrected)[1] == []


def test_a_word_about_a_call_that_was_not_answered_changes_nothing() -> None:
    busy = CallReport("call-1", ATTEMPT.id, Phase.REPORTED, BUSY)
    assert told([busy, MACHINE])[0].outcome is told([MACHINE, busy])[0].outcome is Outcome.BUSY


RANG_OUT = CallReport("call-1", ATTEMPT.id, Phase.REPORTED, Verdict(Outcome.NO_ANSWER, retryable=True, counts=True))


def test_a_call_that_we_took_back_for_a_revocation_is_cancelled_and_not_unanswered() -> None:
    attempt, steps = told([PLACED, RANG_OUT], replace(ATTEMPT, asked_back=True))
    assert (attempt.outcome, steps[0].retryable) == (Outcome.CANCELLED, False)
    assert not attempt.rang


def test_a_call_that_we_took_back_because_it_did_not_ring_may_be_tried_again_and_counts_for_nothing() -> None:
    _, steps = told([PLACED, RANG_OUT], replace(ATTEMPT, late_cancel=True, late_cancelled=True))
    assert steps == [Verdict(Outcome.PROVIDER_ERROR, retryable=True, counts=False)]


def test_a_phone_that_rang_before_we_could_take_the_call_back_was_not_answered() -> None:
    attempt, _ = told([PLACED, RINGING, RANG_OUT], replace(ATTEMPT, asked_back=True, late_cancel=True))
    assert attempt.outcome is Outcome.NO_ANSWER
