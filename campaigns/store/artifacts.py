"""What was said in an attempt and what its parts cost: kept apart from the attempt's row, and deleted by its age."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.store.documents import documents


@dataclass(frozen=True, slots=True)
class StoredArtifacts:
    """One attempt's row. `cost_breakdown`: USD by part, the provider's own names."""

    attempt_id: UUID
    transcript: str | None
    summary: str | None
    recording_url: str | None
    cost_breakdown: Mapping[str, float]
    stored_at: datetime
    delete_after: datetime


@dataclass(frozen=True, slots=True)
class NewArtifacts:
    """What a report brought; None or empty: nothing of that kind."""

    attempt_id: UUID
    transcript: str | None
    summary: str | None
    recording_url: str | None
    cost_breakdown: Mapping[str, float]


def keep_artifacts(connection: Connection, news: Sequence[NewArtifacts], *, keep: timedelta) -> None:
    """Store what there is, one an attempt at most; a later report adds to an earlier one and does not prolong it."""
    for document in documents([_as_json(each) for each in news]):
        connection.execute(_KEEP, {"news": document, "keep": keep})


_KEEP = text("""
    INSERT INTO attempt_artifacts AS a (attempt_id, transcript, summary, recording_url, cost_breakdown, delete_after)
    SELECT attempt_id, transcript, summary, recording_url, cost_breakdown,
        clock_timestamp() + CAST(:keep AS interval)
    FROM jsonb_to_recordset(CAST(:news AS jsonb)) AS n(attempt_id uuid, transcript text, summary text,
        recording_url text, cost_breakdown jsonb)
    ON CONFLICT (attempt_id) DO UPDATE SET
        transcript = coalesce(excluded.transcript, a.transcript),
        summary = coalesce(excluded.summary, a.summary),
        recording_url = coalesce(excluded.recording_url, a.recording_url),
        cost_breakdown = a.cost_breakdown || excluded.cost_breakdown
""")


def _as_json(news: NewArtifacts) -> str:
    return json.dumps(
        {
            "attempt_id": str(news.attempt_id),
            "transcript": news.transcript,
            "summary": news.summary,
            "recording_url": news.recording_url,
            "cost_breakdown": dict(news.cost_breakdown),
        }
    )


def artifacts_of(connection: Connection, attempt_ids: Sequence[UUID]) -> dict[UUID, StoredArtifacts]:
    """What is kept of these attempts; those of which nothing is kept are missing."""
    rows = connection.execute(
        text("""
            SELECT attempt_id, transcript, summary, recording_url, cost_breakdown, stored_at, delete_after
            FROM attempt_artifacts WHERE attempt_id = ANY(:ids)
        """),
        {"ids": list(attempt_ids)},
    )
    return {row.attempt_id: StoredArtifacts(**row._asdict()) for row in rows}


def delete_due_artifacts(connection: Connection, *, keep: timedelta, most: int) -> int:
    """Delete what has been kept for as long as was promised when it came, or for longer than `keep` says by now.

    `now()`, for an index is of no use against a clock that may move while it is read.
    """
    result = connection.execute(
        text("""
            DELETE FROM attempt_artifacts WHERE attempt_id = ANY(ARRAY(
                SELECT attempt_id FROM attempt_artifacts
                WHERE delete_after <= now() OR stored_at <= now() - CAST(:keep AS interval)
                LIMIT :most FOR UPDATE SKIP LOCKED))
        """),
        {"keep": keep, "most": most},
    )
    return result.rowcount


def strip_waiting_artifacts(connection: Connection, *, most: int) -> int:
    """Take what was said out of receipts that still wait: for an installation that keeps nothing any more."""
    result = connection.execute(
        text("""
            UPDATE inbox SET report = report - 'artifacts' WHERE id = ANY(ARRAY(
                SELECT id FROM inbox WHERE state IN ('new', 'unmatched') AND report ->> 'artifacts' IS NOT NULL
                LIMIT :most FOR UPDATE SKIP LOCKED))
        """),
        {"most": most},
    )
    return result.rowcount


def forget_artifacts(connection: Connection, number: str) -> int:
    """Delete what is kept of this number's conversations, in receipts that wait too; returns how many attempts had any.

    What waits there goes first: a receipt that is being applied is waited for, and what it stores is deleted after it.
    """
    connection.execute(
        text("""
            WITH his AS (SELECT id, account, provider_call_id FROM attempts WHERE number = :number)
            UPDATE inbox SET report = report - 'artifacts'
            WHERE state IN ('new', 'unmatched') AND report ->> 'artifacts' IS NOT NULL AND (
                attempt_id IN (SELECT id FROM his)
                OR (account, provider_call_id) IN (SELECT account, provider_call_id FROM his))
        """),
        {"number": number},
    )
    result = connection.execute(
        text("DELETE FROM attempt_artifacts WHERE attempt_id IN (SELECT id FROM attempts WHERE number = :number)"),
        {"number": number},
    )
    return result.rowcount


def delete_old_receipts(connection: Connection, *, keep: timedelta, most: int) -> int:
    """Delete receipts that nobody waits for any more."""
    result = connection.execute(
        text("""
            DELETE FROM inbox WHERE id = ANY(ARRAY(
                SELECT id FROM inbox WHERE state IN ('done', 'stored', 'foreign')
                    AND received_at < now() - CAST(:keep AS interval)
                ORDER BY received_at LIMIT :most FOR UPDATE SKIP LOCKED))
        """),
        {"keep": keep, "most": most},
    )
    return result.rowcount
