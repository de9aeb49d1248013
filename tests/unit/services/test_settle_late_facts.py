"""Facts that come after an attempt seemed to be decided."""

from dataclasses import replace
from uuid import UUID

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, NotDialed, NotDialedKind, Phase, Placed
from campaigns.services.decided import Decided, DecidedAs, settle_decision
from campaigns.services.settle import AttemptView, Settled, close_unknown, settle_dial, settle_report

ATTEMPT = AttemptView(UUID(int=1), AttemptState.DIALING, None, connected=False)
REFUSED = settle_dial(ATTEMPT, NotDialed(NotDialedKind.NO_CONNECTION, "refused")).attempt
REDIALED = close_unknown(ATTEMPT, detail="absent")
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.QUEUED, AttemptState.IN_PROGRESS),
        (Phase.CONNECTED, AttemptState.IN_PROGRESS),
        (Phase.ENDED, AttemptState.ENDED),
        (Phase.REPORTED, AttemptState.CLOSED),
    ],
)
def test_a_reported_call_is_believed_over_the_answer_that_it_was_not_dialed(phase: Phase, state: AttemptState) -> None:
    settled = settle_report(REFUSED, CallReport("call-1", ATTEMPT.id, phase, ANSWERED))
    assert (settled.attempt.state, settled.alarm) == (state, "reported_but_not_dialed")
    assert settled.attempt.provider_call_id == "call-1"
    assert settled.verdict == (ANSWERED if phase is Phase.REPORTED else None)


def test_the_second_report_of_an_adopted_call_raises_no_second_alarm() -> None:
    adopted = settle_report(REFUSED, CallReport("call-1", ATTEMPT.id, Phase.RINGING)).attempt
    assert settle_report(adopted, CallReport("call-1", ATTEMPT.id, Phase.CONNECTED)).alarm is None


def test_our_own_late_answer_for_a_redialed_attempt_brings_it_back_and_raises_the_alarm_once() -> None:
    late = settle_dial(REDIALED, Placed("call-1"))
    assert (late.attempt.state, late.alarm) == (AttemptState.IN_PROGRESS, "late_answer_of_unknown_attempt")
    assert (late.attempt.provider_call_id, late.attempt.outcome) == ("call-1", None)
    assert settle_dial(late.attempt, Placed("call-1")).alarm is None


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.RINGING, AttemptState.IN_PROGRESS),
        (Phase.ENDED, AttemptState.ENDED),
        (Phase.REPORTED, AttemptState.CLOSED),
    ],
)
def test_a_call_that_was_given_up_is_what_its_report_says(phase: Phase, state: AttemptState) -> None:
    late = settle_report(REDIALED, CallReport("call-1", ATTEMPT.id, phase, ANSWERED))
    assert (late.attempt.state, late.alarm) == (state, "late_report_of_unknown_attempt")
    assert late.verdict == (ANSWERED if phase is Phase.REPORTED else None)
    again = settle_report(late.attempt, CallReport("call-1", ATTEMPT.id, phase, ANSWERED))
    assert again.alarm is None
    if phase is Phase.REPORTED:
        assert again.verdict is None, "a duplicate takes no step"


UNKNOWN = replace(ATTEMPT, state=AttemptState.FATE_UNKNOWN)


@pytest.mark.parametrize(
    ("how", "state", "outcome", "reason"),
    [
        (DecidedAs.NOT_DIALED, AttemptState.NOT_DIALED, Outcome.PROVIDER_ERROR, None),
        (DecidedAs.REACHED, AttemptState.CLOSED, Outcome.ANSWERED, None),
        (DecidedAs.GIVEN_UP, AttemptState.CLOSED, Outcome.UNKNOWN, "fate_unknown"),
    ],
)
def test_a_persons_word_ends_an_unknown_fate(
    how: DecidedAs, state: AttemptState, outcome: Outcome, reason: str | None
) -> None:
    settled = settle_decision(UNKNOWN, Decided(how, "decided by ann: seen in the portal"))
    assert (settled.attempt.state, settled.attempt.outcome, settled.reason) == (state, outcome, reason)
    assert settled.attempt.detail == "decided by ann: seen in the portal"
    assert settled.verdict is not None
    assert settled.verdict.retryable is (how is DecidedAs.NOT_DIALED), "only a call that nobody made is made again"


@pytest.mark.parametrize("state", sorted(set(AttemptState) - {AttemptState.FATE_UNKNOWN}))
@pytest.mark.parametrize("how", list(DecidedAs))
def test_nobody_decides_what_is_known(state: AttemptState, how: DecidedAs) -> None:
    attempt = replace(ATTEMPT, state=state, outcome=Outcome.NO_ANSWER)
    assert settle_decision(attempt, Decided(how, "too late")) == Settled(attempt)


def test_a_call_that_a_person_closed_learns_its_id_from_a_late_report_and_nothing_else() -> None:
    reached = settle_decision(UNKNOWN, Decided(DecidedAs.REACHED, "she called us back")).attempt
    late = settle_report(reached, CallReport("call-1", ATTEMPT.id, Phase.REPORTED, ANSWERED))
    assert late == Settled(replace(reached, provider_call_id="call-1"))
