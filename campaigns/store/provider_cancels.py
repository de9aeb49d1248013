"""Calls that were created at a provider before somebody said no: asked back while they wait there, not hung up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.calls.states import AttemptState
from campaigns.compliance.facts import Purpose
from campaigns.compliance.revocations import Subject


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that is not over and that nobody is known to have picked up."""

    id: UUID
    subject: Subject


@dataclass(frozen=True, slots=True)
class DueCancel:
    """A call to ask back. `provider_call_id` None: the provider has not answered the create yet."""

    attempt_id: UUID
    account: str
    provider_call_id: str | None
    state: AttemptState
    tries: int
    """Looks until now, this one counted."""


@dataclass(frozen=True, slots=True)
class CancelOnRecord:
    """How asking back went; `settled_as` None: still tried."""

    attempt_id: UUID
    asked_at: datetime
    tries: int
    last_error: str | None
    settled_at: datetime | None
    settled_as: str | None


_OPEN = """
    SELECT t.id, c.name AS campaign, v.definition ->> 'purpose' AS purpose, v.definition ->> 'seller' AS seller
    FROM attempts t JOIN campaigns c ON c.id = t.campaign_id
    JOIN runs n ON n.id = t.run_id JOIN campaign_versions v ON v.id = n.version_id
    WHERE t.counts AND t.closed_at IS NULL AND t.state <> 'ended' AND NOT t.connected
"""
"""Attempts that may wait at their provider. One that is not over counts, whatever has become of its hold on the number:
so the index of counted attempts leads to it."""


def open_attempts(connection: Connection, number: str) -> list[OpenAttempt]:
    """Those at this number."""
    return [_open(row) for row in connection.execute(text(f"{_OPEN} AND t.number = :number"), {"number": number})]


def open_staged(connection: Connection) -> list[OpenAttempt]:
    """Those at the numbers of this transaction's `suppression_stage`."""
    staged = "AND t.number IN (SELECT number FROM suppression_stage)"
    return [_open(row) for row in connection.execute(text(f"{_OPEN} {staged}"))]


def subjects_of(connection: Connection, attempt_ids: Sequence[UUID]) -> dict[UUID, OpenAttempt]:
    """Those of these attempts."""
    rows = connection.execute(text(f"{_OPEN} AND t.id = ANY(:ids)"), {"ids": list(attempt_ids)})
    return {row.id: _open(row) for row in rows}


def _open(row: Any) -> OpenAttempt:
    return OpenAttempt(row.id, Subject(row.campaign, Purpose(row.purpose), row.seller))


def ask_back(
    connection: Connection,
    attempt_ids: Sequence[UUID],
    *,
    revocation_id: int | None = None,
    asked_by: str | None = None,
) -> None:
    """Put them on the list, for a revocation or for somebody; one that stands there already stays as it is."""
    if attempt_ids:
        connection.execute(
            text("""
                INSERT INTO provider_cancels (attempt_id, revocation_id, asked_by)
                SELECT a, :revocation_id, :asked_by FROM unnest(CAST(:ids AS uuid[])) AS a ORDER BY a
                ON CONFLICT DO NOTHING
            """),
            {"ids": list(attempt_ids), "revocation_id": revocation_id, "asked_by": asked_by},
        )


def lease_due(connection: Connection, *, accounts: Sequence[str], lease: timedelta, most: int) -> list[DueCancel]:
    """Those of these accounts that are due, each put off by `lease` so that no second process asks at the same time."""
    rows = connection.execute(
        text("""
            WITH due AS (
                UPDATE provider_cancels p SET next_try_at = clock_timestamp() + CAST(:lease AS interval),
                    tries = p.tries + 1
                WHERE p.attempt_id = ANY(ARRAY(
                    SELECT d.attempt_id FROM provider_cancels d JOIN attempts o ON o.id = d.attempt_id
                    WHERE d.settled_at IS NULL AND d.next_try_at <= clock_timestamp() AND o.account = ANY(:accounts)
                    ORDER BY d.next_try_at LIMIT :most FOR UPDATE OF d SKIP LOCKED))
                RETURNING p.attempt_id, p.tries
            )
            SELECT t.id AS attempt_id, t.account, t.provider_call_id, t.state, due.tries
            FROM due JOIN attempts t ON t.id = due.attempt_id
        """),
        {"accounts": list(accounts), "lease": lease, "most": most},
    )
    return [DueCancel(**{**row._asdict(), "state": AttemptState(row.state)}) for row in rows]


def settle(connection: Connection, attempt_id: UUID, *, settled_as: str) -> None:
    """It is done: `cancelled` by us, `over` by itself, or `live` and left alone."""
    connection.execute(
        text("""
            UPDATE provider_cancels SET settled_at = clock_timestamp(), settled_as = :settled_as, last_error = NULL
            WHERE attempt_id = :id AND settled_at IS NULL
        """),
        {"id": attempt_id, "settled_as": settled_as},
    )


def note_failure(connection: Connection, attempt_id: UUID, *, error: str) -> None:
    """It did not work this time; asked again at the next look, ever more slowly, up to once a minute."""
    connection.execute(
        text("""
            UPDATE provider_cancels SET last_error = :error,
                next_try_at = clock_timestamp() + least(interval '1 minute', tries * tries * interval '1 second')
            WHERE attempt_id = :id AND settled_at IS NULL
        """),
        {"id": attempt_id, "error": error},
    )


def cancels_of(connection: Connection, number: str) -> list[CancelOnRecord]:
    """Every call of this number that was asked back, the oldest first."""
    rows = connection.execute(
        text("""
            SELECT p.attempt_id, p.asked_at, p.tries, p.last_error, p.settled_at, p.settled_as
            FROM provider_cancels p JOIN revocations r ON r.id = p.revocation_id
            WHERE r.number = :number ORDER BY p.asked_at
        """),
        {"number": number},
    )
    return [CancelOnRecord(**row._asdict()) for row in rows]
