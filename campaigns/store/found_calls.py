"""Calls that turn up after they were taken for lost: who has said no since their gate was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.compliance.revocations import RevocationScope
from campaigns.store.suppressions import ListTarget


@dataclass(frozen=True, slots=True)
class RevokedSince:
    """A revocation that went on record after the gate was asked about the attempt."""

    attempt_id: UUID
    revocation_id: int
    scope: RevocationScope
    value: str | None


@dataclass(frozen=True, slots=True)
class ListedSince:
    """The same for an entry of a suppression list."""

    attempt_id: UUID
    target: ListTarget
    added_by: str


def take_up_again(connection: Connection, attempt_ids: Sequence[UUID]) -> None:
    """Ask back once more what was thought to be over."""
    connection.execute(
        text("""
            UPDATE provider_cancels SET settled_at = NULL, settled_as = NULL, tries = 0,
                next_try_at = clock_timestamp()
            WHERE attempt_id = ANY(:ids) AND settled_as = 'over'
        """),
        {"ids": list(attempt_ids)},
    )


def ask_back_switched_off(connection: Connection, attempt_ids: Sequence[UUID]) -> None:
    """Calls that a provider holds until their time, if their campaign or everything is switched off by now."""
    connection.execute(
        text("""
            INSERT INTO provider_cancels (attempt_id, asked_by)
            SELECT t.id, coalesce(c.state_reason, s.changed_by, 'ringfence')
            FROM attempts t JOIN campaigns c ON c.id = t.campaign_id, system s
            WHERE t.id = ANY(:ids) AND t.provider_due_from IS NOT NULL AND (c.state <> 'active' OR s.stopped)
            ORDER BY t.id ON CONFLICT DO NOTHING
        """),
        {"ids": list(attempt_ids)},
    )


def revoked_since(connection: Connection, attempt_ids: Sequence[UUID], *, unseen: timedelta) -> list[RevokedSince]:
    """Revocations of these attempts' numbers that went on record after the claims, or up to `unseen` before them."""
    rows = connection.execute(
        text("""
            SELECT t.id AS attempt_id, r.id AS revocation_id, r.scope, r.scope_value AS value
            FROM attempts t JOIN revocations r ON r.number = t.number
                AND r.recorded_at >= t.claimed_at - CAST(:unseen AS interval)
            WHERE t.id = ANY(:ids) ORDER BY t.id, r.id
        """),
        {"ids": list(attempt_ids), "unseen": unseen},
    )
    return [RevokedSince(**row._asdict()) for row in rows]


def listed_since(connection: Connection, attempt_ids: Sequence[UUID], *, unseen: timedelta) -> list[ListedSince]:
    """Entries of these attempts' numbers that are in force, the same way."""
    rows = connection.execute(
        text("""
            SELECT t.id AS attempt_id, s.list_name, s.scope, s.scope_value, s.added_by
            FROM attempts t JOIN suppressions s ON s.number = t.number AND s.removed_at IS NULL
                AND s.added_at >= t.claimed_at - CAST(:unseen AS interval)
            WHERE t.id = ANY(:ids) ORDER BY t.id, s.id
        """),
        {"ids": list(attempt_ids), "unseen": unseen},
    )
    return [
        ListedSince(row.attempt_id, ListTarget(row.list_name, row.scope, row.scope_value), row.added_by) for row in rows
    ]
