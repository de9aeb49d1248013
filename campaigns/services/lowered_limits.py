"""A limit that is lowered holds for the next dial, not for the one after those that are under way.

Calls that feed released under the old limit go back, and are released again as far as the new one allows. Dial instants
that were taken are used; the next ones come a whole second later, when none of the old rate counts any more.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from campaigns.calls.pacing import spacing
from campaigns.calls.states import CallState
from campaigns.store import limits as rows
from campaigns.store.limits import GroupLimits
from campaigns.store.moves import Move, apply_moves


def keep_to(connection: Connection, before: Mapping[str, GroupLimits], after: Mapping[str, GroupLimits]) -> None:
    """Carry out what is lower in `after`, or new there.

    A key that was changed is the same account at its provider; accounts that have one key from now on share its limits,
    and each brings along what it released and reserved under its own.
    """
    for limit_group, limits in sorted(after.items()):
        old = before.get(limit_group)
        came = old is None or not limits.accounts <= old.accounts
        if old is None or came or limits.concurrency < old.concurrency:
            _take_back(connection, limit_group)
        if old is None or came or limits.calls_per_second < old.calls_per_second:
            # Last: what a worker was claiming was waited for above, and its turns lie within the second from now.
            whole_second = max(spacing(1), spacing(limits.calls_per_second))
            rows.pause_pace(connection, [limit_group], seconds=whole_second)


def _take_back(connection: Connection, limit_group: str) -> None:
    moves = [
        Move(
            call.call_id,
            CallState.QUEUED,
            CallState.SCHEDULED,
            call.epoch,
            due_at=call.due_at,
            closes_at=call.closes_at,
        )
        for call in rows.lock_released(connection, limit_group)
    ]
    apply_moves(connection, moves)
