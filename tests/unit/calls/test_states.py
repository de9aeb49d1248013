"""The state machine, walked whole."""

import pytest

from campaigns.calls.states import ALLOWED_MOVES, FINAL_CALL_STATES, CallState, may_move
from campaigns.store.moves import ForbiddenMoveError, Move


def test_every_state_has_its_moves_written_down():
    assert set(ALLOWED_MOVES) == set(CallState)


@pytest.mark.parametrize("state", sorted(FINAL_CALL_STATES))
def test_nothing_leaves_a_final_state(state):
    assert ALLOWED_MOVES[state] == frozenset()


@pytest.mark.parametrize("state", sorted(set(CallState) - FINAL_CALL_STATES))
def test_every_other_state_can_still_reach_an_end(state):
    reached, frontier = {state}, [state]
    while frontier:
        for target in ALLOWED_MOVES[frontier.pop()] - reached:
            reached.add(target)
            frontier.append(target)
    assert reached & FINAL_CALL_STATES


def test_an_unknown_fate_never_goes_straight_back_to_dialing():
    assert not may_move(CallState.FATE_UNKNOWN, CallState.QUEUED)
    assert not may_move(CallState.FATE_UNKNOWN, CallState.DIALING)


def test_only_a_queued_call_can_be_dialed():
    assert [state for state in CallState if may_move(state, CallState.DIALING)] == [CallState.QUEUED]


def test_a_forbidden_move_cannot_even_be_written_down():
    with pytest.raises(ForbiddenMoveError, match="completed → queued"):
        Move(7, CallState.COMPLETED, CallState.QUEUED, 1)
