"""Facts that come after an attempt seemed to be decided."""

from uuid import UUID

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, NotDialed, NotDialedKind, Phase, Placed
from campaigns.services.settle import AttemptView, close_unknown, settle_dial, settle_report

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


def test_our_own_late_answer_for_a_redialed_attempt_raises_the_alarm_once() -> None:
    late = settle_dial(REDIALED, Placed("call-1"))
    assert (late.attempt.state, late.alarm) == (AttemptState.CLOSED, "late_answer_of_unknown_attempt")
    assert settle_dial(late.attempt, Placed("call-1")).alarm is None
