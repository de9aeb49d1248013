"""The inbox: every receipt is committed before the provider hears 2xx, and acted upon once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.store.documents import documents


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A receipt that waits to be applied."""

    id: int
    account: str
    attempt_id: UUID | None
    provider_call_id: str | None
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt as it came in. `report` is JSON, None for an event that is only counted."""

    account: str
    dedupe_key: str
    event_type: str
    attempt_id: UUID | None
    provider_call_id: str | None
    report: str | None
    caller: str | None = None
    """E.164, for an event of a call that somebody made to us."""


@dataclass(frozen=True, slots=True)
class CallerRow:
    """Somebody called us, and it waits to be acted upon."""

    id: int
    caller: str
    report: Mapping[str, Any]
    received_at: datetime


_PUT = text("""
    INSERT INTO inbox (account, dedupe_key, event_type, attempt_id, provider_call_id, report, caller, state)
    SELECT account, dedupe_key, event_type, attempt_id, provider_call_id, report, caller,
        CASE WHEN report IS NULL THEN 'stored' ELSE 'new' END
    FROM jsonb_to_recordset(CAST(:receipts AS jsonb)) AS n(account text, dedupe_key text, event_type text,
        attempt_id uuid, provider_call_id text, report jsonb, caller text)
    ON CONFLICT (account, dedupe_key) DO NOTHING
""")


def put(connection: Connection, receipts: Sequence[NewReceipt]) -> int:
    """Store receipts; returns how many were new. Whoever stores several sorts them by key."""
    return sum(
        connection.execute(_PUT, {"receipts": document}).rowcount
        for document in documents([_as_json(receipt) for receipt in receipts])
    )


def _as_json(receipt: NewReceipt) -> str:
    head = json.dumps(
        {
            "account": receipt.account,
            "dedupe_key": receipt.dedupe_key,
            "event_type": receipt.event_type,
            "attempt_id": str(receipt.attempt_id) if receipt.attempt_id else None,
            "provider_call_id": receipt.provider_call_id,
            "caller": receipt.caller,
        }
    )
    return head if receipt.report is None else f'{head[:-1]}, "report": {receipt.report}}}'


def lock_waiting(connection: Connection, *, most: int) -> list[InboxRow]:
    """Receipts that are due, oldest first; those that another process works on are left to it.

    The clock is read once: against one that may move while it is read no index can be used, and every receipt that
    waits for later would be looked at.
    """
    rows = connection.execute(
        text("""
            SELECT id, account, attempt_id, provider_call_id, report FROM inbox
            WHERE state IN ('new', 'unmatched') AND next_try_at <= (SELECT clock_timestamp()) AND caller IS NULL
            ORDER BY next_try_at, id LIMIT :most FOR UPDATE SKIP LOCKED
        """),
        {"most": most},
    )
    return [InboxRow(**row._asdict()) for row in rows]


def lock_one(connection: Connection, inbox_id: int) -> list[InboxRow]:
    """This receipt, if it still waits and nobody else works on it."""
    rows = connection.execute(
        text("""
            SELECT id, account, attempt_id, provider_call_id, report FROM inbox
            WHERE id = :id AND state IN ('new', 'unmatched') FOR UPDATE SKIP LOCKED
        """),
        {"id": inbox_id},
    )
    return [InboxRow(**row._asdict()) for row in rows]


def receipt_waits(connection: Connection, attempt_id: UUID) -> bool:
    """Whether a receipt that names this attempt has come in and is not applied yet."""
    return bool(
        connection.execute(
            text("""
                SELECT EXISTS (SELECT FROM inbox WHERE state IN ('new', 'unmatched') AND attempt_id = :attempt_id)
            """),
            {"attempt_id": attempt_id},
        ).scalar_one()
    )


def match(connection: Connection, rows: Sequence[InboxRow]) -> dict[int, UUID]:
    """Inbox id → attempt id: by the id that the provider echoes first, by its own call id second; same account only."""
    found = connection.execute(
        text("""
            SELECT n.inbox_id, coalesce(
                (SELECT t.id FROM attempts t WHERE t.id = n.attempt_id AND t.account = n.account),
                (SELECT t.id FROM attempts t WHERE t.provider_call_id = n.provider_call_id AND t.account = n.account
                    ORDER BY t.claimed_at LIMIT 1)) AS attempt_id
            FROM unnest(CAST(:ids AS bigint[]), CAST(:accounts AS text[]), CAST(:attempts AS uuid[]),
                CAST(:calls AS text[])) AS n(inbox_id, account, attempt_id, provider_call_id)
        """),
        {
            "ids": [row.id for row in rows],
            "accounts": [row.account for row in rows],
            "attempts": [row.attempt_id for row in rows],
            "calls": [row.provider_call_id for row in rows],
        },
    )
    return {row.inbox_id: row.attempt_id for row in found if row.attempt_id is not None}


def done(connection: Connection, ids: Sequence[int]) -> None:
    """These receipts have been applied; what they say of a person has reached its place and is erased here."""
    connection.execute(
        text("""
            UPDATE inbox SET state = 'done', processed_at = clock_timestamp(),
                report = report - 'conversation' - 'artifacts', caller = NULL
            WHERE id = ANY(:ids)
        """),
        {"ids": list(ids)},
    )


def lock_callers(connection: Connection, *, most: int) -> list[CallerRow]:
    """Calls to us that wait, oldest first; those that another process works on are left to it."""
    rows = connection.execute(
        text("""
            SELECT id, caller, report, received_at FROM inbox
            WHERE state IN ('new', 'unmatched') AND next_try_at <= (SELECT clock_timestamp()) AND caller IS NOT NULL
            ORDER BY next_try_at, id LIMIT :most FOR UPDATE SKIP LOCKED
        """),
        {"most": most},
    )
    return [CallerRow(**row._asdict()) for row in rows]


def put_off(connection: Connection, ids: Sequence[int]) -> None:
    """Nobody knows these calls yet: look again later, ever more slowly; after 24 hours they are foreign."""
    connection.execute(
        text("""
            UPDATE inbox SET
                state = CASE WHEN received_at < clock_timestamp() - interval '24 hours'
                    THEN 'foreign' ELSE 'unmatched' END,
                processed_at = CASE WHEN received_at < clock_timestamp() - interval '24 hours'
                    THEN clock_timestamp() END,
                report = CASE WHEN received_at < clock_timestamp() - interval '24 hours'
                    THEN report - 'conversation' - 'artifacts' ELSE report END,
                next_try_at = clock_timestamp() + greatest(interval '5 seconds',
                    (clock_timestamp() - received_at) / 4)
            WHERE id = ANY(:ids)
        """),
        {"ids": list(ids)},
    )
