"""Calls that a provider accepted and of which no ring was heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class SilentCall:
    """An attempt that was accepted long ago and is not known to ring, leased to this process for a while."""

    id: UUID
    account: str
    provider_call_id: str
    given_up: bool
    """It has been tried for so long that a person has to see it."""


def lease_silent_calls(
    connection: Connection,
    *,
    accounts: Sequence[str],
    after: timedelta,
    patience: timedelta,
    lease: timedelta,
    most: int,
) -> list[SilentCall]:
    """Those whose look is due, each put off by `lease` so that a second process does not ask as well.

    `after`: counted from the dial, or from the end of the time in which the provider was told to dial by itself.
    `patience`: how much longer it is tried before a person has to see it.
    """
    rows = connection.execute(
        text("""
            UPDATE attempts t SET ring_look_at = clock_timestamp() + CAST(:lease AS interval)
            WHERE t.id = ANY(ARRAY(
                SELECT id FROM attempts
                WHERE state = 'in_progress' AND NOT rang AND late_ring_at IS NULL AND NOT connected
                    AND claimed_at <= now() - CAST(:after AS interval)
                    AND coalesce(provider_due_until, requested_at, claimed_at)
                        <= clock_timestamp() - CAST(:after AS interval)
                    AND (ring_look_at IS NULL OR ring_look_at <= clock_timestamp())
                    AND provider_call_id IS NOT NULL AND account = ANY(:accounts)
                ORDER BY claimed_at LIMIT :most FOR UPDATE SKIP LOCKED))
            RETURNING t.id, t.account, t.provider_call_id,
                coalesce(t.provider_due_until, t.requested_at, t.claimed_at)
                    <= clock_timestamp() - CAST(:after AS interval) - CAST(:patience AS interval) AS given_up
        """),
        {"accounts": list(accounts), "after": after, "patience": patience, "lease": lease, "most": most},
    )
    return [SilentCall(**row._asdict()) for row in rows]


def intend_cancel(connection: Connection, attempt_id: UUID) -> bool:
    """Put on record, before the provider is asked, that its end is our doing. False: it rang or ended meanwhile."""
    result = connection.execute(
        text("""
            UPDATE attempts SET late_cancel_at = coalesce(late_cancel_at, clock_timestamp())
            WHERE id = :id AND state = 'in_progress' AND NOT rang AND NOT connected
        """),
        {"id": attempt_id},
    )
    return result.rowcount == 1


def note_cancelled(connection: Connection, attempt_id: UUID) -> None:
    """The provider says that it took the call back."""
    connection.execute(
        text("UPDATE attempts SET late_cancelled_at = coalesce(late_cancelled_at, clock_timestamp()) WHERE id = :id"),
        {"id": attempt_id},
    )


def flag_late(connection: Connection, attempt_id: UUID) -> bool:
    """A person has to see it. True only for the first who says so, and only while it is true."""
    result = connection.execute(
        text("""
            UPDATE attempts SET late_ring_at = clock_timestamp()
            WHERE id = :id AND state = 'in_progress' AND NOT rang AND NOT connected AND late_ring_at IS NULL
        """),
        {"id": attempt_id},
    )
    return result.rowcount == 1
