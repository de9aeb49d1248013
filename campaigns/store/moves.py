"""The one function that moves calls: compare-and-set on (state, epoch), by the table of allowed moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from campaigns.calls.states import FINAL_CALL_STATES, CallState, may_move


@dataclass(frozen=True, slots=True)
class Move:
    """One call's step. Fields left None are cleared, except `line`, and the due times while a call is queued.

    `due_at`, `closes_at`: campaign clock, needed for `scheduled`. `lease_seconds`: machine time, needed for `queued`.
    A move to `queued` raises the epoch, so that every older message about the call is stale.
    """

    call_id: int
    origin: CallState
    target: CallState
    epoch: int
    reason: str | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    lease_seconds: float | None = None
    line: str | None = None
    attempts: int = 0
    """Counted attempts to add (negative when an attempt turns out not to count)."""
    requests: int = 0
    """Requests to add."""

    def __post_init__(self) -> None:
        if not may_move(self.origin, self.target):
            raise ForbiddenMoveError(f"call {self.call_id} may not move {self.origin} → {self.target}")


class ForbiddenMoveError(Exception):
    """A move that the state machine does not have: a bug, never a user's mistake."""


_APPLY = text("""
    UPDATE calls SET
        state = m.target,
        reason = m.reason,
        epoch = calls.epoch + CASE WHEN m.target = 'queued' THEN 1 ELSE 0 END,
        due_at = CASE WHEN m.target = 'queued' THEN calls.due_at ELSE m.due_at END,
        closes_at = CASE WHEN m.target = 'queued' THEN calls.closes_at ELSE m.closes_at END,
        lease_until = clock_timestamp() + m.lease_seconds * interval '1 second',
        line = coalesce(m.line, calls.line),
        attempts = calls.attempts + m.attempts,
        requests = calls.requests + m.requests,
        final_at = CASE WHEN m.target = ANY(:final) THEN clock_timestamp() END
    FROM unnest(
        CAST(:ids AS bigint[]), CAST(:origins AS text[]), CAST(:epochs AS integer[]), CAST(:targets AS text[]),
        CAST(:reasons AS text[]), CAST(:dues AS timestamptz[]), CAST(:closes AS timestamptz[]),
        CAST(:leases AS double precision[]), CAST(:lines AS text[]), CAST(:attempts AS integer[]),
        CAST(:requests AS integer[])
    ) AS m(id, origin, epoch, target, reason, due_at, closes_at, lease_seconds, line, attempts, requests)
    WHERE calls.id = m.id AND calls.state = m.origin AND calls.epoch = m.epoch
    RETURNING calls.id, calls.epoch
""")


def apply_moves(connection: Connection, moves: Sequence[Move]) -> dict[int, int]:
    """Carry the moves out; returns id → epoch of the calls that moved.

    A call that is missing from the answer was moved by somebody else first: a normal answer, not an error.
    """
    if not moves:
        return {}
    rows = connection.execute(
        _APPLY,
        {
            "final": [state.value for state in FINAL_CALL_STATES],
            "ids": [move.call_id for move in moves],
            "origins": [move.origin.value for move in moves],
            "epochs": [move.epoch for move in moves],
            "targets": [move.target.value for move in moves],
            "reasons": [move.reason for move in moves],
            "dues": [move.due_at for move in moves],
            "closes": [move.closes_at for move in moves],
            "leases": [move.lease_seconds for move in moves],
            "lines": [move.line for move in moves],
            "attempts": [move.attempts for move in moves],
            "requests": [move.requests for move in moves],
        },
    )
    return {row.id: row.epoch for row in rows}
