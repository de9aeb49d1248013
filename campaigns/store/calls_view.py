"""What is on record about single attempts, for people who look: never in a dialing path."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """Which attempts to list; None: any. Instants are those of the claim, by the machine's clock."""

    since: datetime
    until: datetime | None = None
    campaign: str | None = None
    account: str | None = None
    number: str | None = None
    most: int = 50


@dataclass(frozen=True, slots=True)
class ListedAttempt:
    """One line of a list."""

    attempt_id: UUID
    call_id: int
    campaign: str
    attempt_no: int
    account: str
    line: str
    number: str
    state: str
    outcome: str | None
    disposition: str | None
    claimed_at: datetime
    ended_at: datetime | None
    duration: timedelta | None
    cost_usd: float | None
    provider_call_id: str | None


_LISTED = """
    t.id AS attempt_id, t.call_id, k.name AS campaign, t.attempt_no, t.account, t.line, t.number, t.state, t.outcome,
    t.disposition, t.claimed_at, t.ended_at, t.duration, t.cost_usd, t.provider_call_id
"""


def list_attempts(connection: Connection, wanted: AttemptFilter) -> list[ListedAttempt]:
    """The newest first."""
    rows = connection.execute(
        text(f"""
            SELECT {_LISTED} FROM attempts t JOIN campaigns k ON k.id = t.campaign_id
            WHERE t.claimed_at >= :since AND t.claimed_at < coalesce(:until, 'infinity'::timestamptz)
                AND (CAST(:campaign AS text) IS NULL OR k.name = :campaign)
                AND (CAST(:account AS text) IS NULL OR t.account = :account)
                AND (CAST(:number AS text) IS NULL OR t.call_id IN (SELECT id FROM calls WHERE number = :number))
            ORDER BY t.claimed_at DESC, t.id LIMIT :most
        """),  # noqa: S608 - a constant of this module
        {
            "since": wanted.since,
            "until": wanted.until,
            "campaign": wanted.campaign,
            "account": wanted.account,
            "number": wanted.number,
            "most": wanted.most,
        },
    )
    return [ListedAttempt(**row._asdict()) for row in rows]


def owners_of(connection: Connection, *, account: str, provider_call_ids: Sequence[str]) -> dict[str, UUID]:
    """Which of a provider's calls are attempts of ours, on this account or one of the same credential."""
    rows = connection.execute(
        text("""
            SELECT t.provider_call_id, t.id FROM attempts t JOIN accounts a ON a.name = t.account
            WHERE t.provider_call_id = ANY(:ids)
                AND (a.name = :account OR a.limit_group = (SELECT limit_group FROM accounts WHERE name = :account))
        """),
        {"ids": list(provider_call_ids), "account": account},
    )
    return {row.provider_call_id: row.id for row in rows}


def find_attempts(connection: Connection, wanted: str) -> list[ListedAttempt]:
    """The attempts that bear this id, ours or the provider's: none, one, or one of each of several accounts."""
    rows = connection.execute(
        text(f"""
            SELECT {_LISTED} FROM attempts t JOIN campaigns k ON k.id = t.campaign_id
            WHERE t.provider_call_id = :wanted OR t.id = CAST(:ours AS uuid) ORDER BY t.claimed_at DESC
        """),  # noqa: S608 - a constant of this module
        {"wanted": wanted, "ours": _uuid(wanted)},
    )
    return [ListedAttempt(**row._asdict()) for row in rows]


def attempt_details(connection: Connection, attempt_id: UUID) -> dict[str, Any]:
    """Everything else about an attempt and its call; the person's name is among it."""
    row = connection.execute(
        text("""
            SELECT t.send_by, t.requested_at, t.connected, t.rang, t.counts, t.ended_reason, t.detail, t.answered_by,
                t.needs_person, t.late_ring_at, t.provider_due_from, t.provider_due_until, t.closed_at, t.hung_up,
                c.state AS call_state, c.reason AS call_reason, u.name, u.external_id
            FROM attempts t JOIN calls c ON c.id = t.call_id JOIN customers u ON u.id = c.id WHERE t.id = :id
        """),
        {"id": attempt_id},
    ).one()
    return dict(row._mapping)


def permit_of(connection: Connection, *, call_id: int, attempt_id: UUID) -> dict[str, Any] | None:
    """The decision that allowed this attempt."""
    row = connection.execute(
        text("""
            SELECT d.id, d.decided_at, d.campaign_at, d.zones, d.jurisdictions, d.consent_id, d.rules_digest,
                d.tzdata_version, d.checks, l.seq AS ledger_seq
            FROM decisions d LEFT JOIN ledger l ON l.decision_id = d.id
            WHERE d.call_id = :call_id AND d.attempt_id = :attempt_id
        """),
        {"call_id": call_id, "attempt_id": attempt_id},
    ).one_or_none()
    return None if row is None else dict(row._mapping)


def _uuid(wanted: str) -> UUID | None:
    try:
        return UUID(wanted)
    except ValueError:
        return None
