"""Adoption: a call that waits for its next try is taken back, because an earlier try turns out to have been made.

A "not dialed" that the provider reports all the same, an attempt given up as absent and then heard of: the redial that
has not left yet must not leave. What has left cannot be unsent; then at least nothing follows it.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from campaigns.calls.states import FINAL_ATTEMPT_STATES, FINAL_CALL_STATES, AttemptState, CallState
from campaigns.services.attempt_rows import view_of
from campaigns.services.settle import AttemptView, Settled, is_given_up
from campaigns.store import facts as rows
from campaigns.store.moves import Move

WAITING = frozenset({CallState.SCHEDULED, CallState.QUEUED})


def newest(attempts: Sequence[rows.AttemptRow], call_id: int) -> UUID | None:
    """The attempt that the call follows."""
    return next((attempt.id for attempt in reversed(attempts) if attempt.call_id == call_id), None)


def was_made_after_all(attempt: AttemptView, view: AttemptView) -> bool:
    """Whether an attempt that was over without a provider call has one now."""
    if attempt.state is AttemptState.NOT_DIALED:
        return view.state is not AttemptState.NOT_DIALED
    return is_given_up(attempt) and not is_given_up(view)


def is_found_too_late(call: rows.LockedCall, attempt: rows.AttemptRow, view: AttemptView) -> bool:
    """Whether an attempt is heard of for the first time when `latestAt` has ended its call.

    The call stays `failed`; nobody who reads that alone is to take its person for not called.
    """
    is_news = attempt.provider_call_id is None and view.provider_call_id is not None
    return is_news and attempt.state is AttemptState.FATE_UNKNOWN and call.state in FINAL_CALL_STATES


def is_conclusive(over: Settled | None) -> bool:
    """Whether this end of an attempt rules out that its person is called again."""
    return over is not None and over.verdict is not None and not over.verdict.retryable


def adoption(call: rows.LockedCall, attempt: rows.AttemptRow) -> Move:
    """Back from the queue. What the end of the attempt had given back is spent again: the try, a contended request."""
    contended = attempt.state is AttemptState.NOT_DIALED and attempt.outcome is None
    spent = int(is_given_up(view_of(attempt)) or (attempt.state in FINAL_ATTEMPT_STATES and not attempt.counts))
    return Move(call.id, call.state, CallState.IN_PROGRESS, call.epoch, attempts=spent, requests=int(contended))


def adopted(call: rows.LockedCall, move: Move) -> rows.LockedCall:
    """The call as it is after the move."""
    return replace(
        call, state=move.target, attempts=call.attempts + move.attempts, requests=call.requests + move.requests
    )
