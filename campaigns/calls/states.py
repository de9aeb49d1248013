"""The states of a call and of an attempt, and the only moves between them.

A call is the intent to reach one customer in one run. An attempt is one request to a provider.
The tables below are the whole state machine: the SQL that moves rows asks them, tests walk them.
"""

from enum import StrEnum


class CallState(StrEnum):
    """Where a call stands. The last six are final and carry a reason."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    DIALING = "dialing"
    IN_PROGRESS = "in_progress"
    FATE_UNKNOWN = "fate_unknown"
    COMPLETED = "completed"
    EXHAUSTED = "exhausted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class AttemptState(StrEnum):
    """Where one request to a provider stands. `not_dialed` and `closed` are final."""

    DIALING = "dialing"
    """Committed; the request may leave, may have left, or may never leave."""
    IN_PROGRESS = "in_progress"
    """The provider gave it an id."""
    ENDED = "ended"
    """The conversation is over: the slot is free, the report is awaited."""
    FATE_UNKNOWN = "fate_unknown"
    """The provider may or may not have dialed. Only reconciliation, a person or `latestAt` ends this."""
    NOT_DIALED = "not_dialed"
    """Certainly no request was accepted: spends no attempt, counts for no cap."""
    CLOSED = "closed"
    """The outcome is known."""


FINAL_CALL_STATES = frozenset(
    {
        CallState.COMPLETED,
        CallState.EXHAUSTED,
        CallState.BLOCKED,
        CallState.EXPIRED,
        CallState.CANCELLED,
        CallState.FAILED,
    }
)
FINAL_ATTEMPT_STATES = frozenset({AttemptState.NOT_DIALED, AttemptState.CLOSED})

_NEXT_STEP = frozenset(
    {
        CallState.SCHEDULED,
        CallState.COMPLETED,
        CallState.EXHAUSTED,
        CallState.EXPIRED,
        CallState.CANCELLED,
        CallState.FAILED,
        CallState.BLOCKED,
    }
)
"""What a finished attempt can lead to: another try, or any end."""

ALLOWED_MOVES: dict[CallState, frozenset[CallState]] = {
    CallState.SCHEDULED: frozenset(
        {
            CallState.QUEUED,
            CallState.IN_PROGRESS,  # adopted: the provider reports a call that it had said it did not dial
            CallState.BLOCKED,
            CallState.EXPIRED,
            CallState.CANCELLED,
            CallState.FAILED,
        }
    ),
    CallState.QUEUED: frozenset(
        {
            CallState.SCHEDULED,
            CallState.DIALING,
            CallState.IN_PROGRESS,  # adopted, as above; a message about it claims nothing, for it is no longer queued
            CallState.BLOCKED,
            CallState.EXPIRED,
            CallState.CANCELLED,
            CallState.FAILED,
        }
    ),
    CallState.DIALING: _NEXT_STEP | {CallState.IN_PROGRESS, CallState.FATE_UNKNOWN},
    CallState.IN_PROGRESS: _NEXT_STEP | {CallState.FATE_UNKNOWN},
    CallState.FATE_UNKNOWN: _NEXT_STEP | {CallState.IN_PROGRESS},
} | {state: frozenset() for state in FINAL_CALL_STATES}


def may_move(origin: CallState, target: CallState) -> bool:
    """Whether the state machine allows `origin → target`."""
    return target in ALLOWED_MOVES[origin]
