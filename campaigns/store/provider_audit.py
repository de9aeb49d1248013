"""The audit against the provider: what the record knows of its calls, and what was found that it does not know."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

PAGE = 5_000
"""Attempts read at once."""


@dataclass(frozen=True, slots=True)
class AuditedAccount:
    """An account as an audit sees it, with the database's clock."""

    name: str
    now_at: datetime
    lines: frozenset[str]
    """Lines of its campaigns: an outgoing call on another line is somebody else's."""


@dataclass(frozen=True, slots=True)
class DueAudit:
    """An account whose daily audit is due, leased."""

    account: str
    now_at: datetime
    audited_until: datetime | None


@dataclass(frozen=True, slots=True)
class CalledAttempt:
    """An attempt to which the provider gave a call id."""

    id: UUID
    provider_call_id: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class LostAttempt:
    """An attempt that may or may not have a call at the provider."""

    id: UUID
    number: str
    line: str
    claimed_at: datetime
    send_by: datetime


@dataclass(frozen=True, slots=True)
class NewStray:
    """A provider's call that no attempt explains."""

    provider_call_id: str
    created_at: datetime | None
    attempt_id: UUID | None = None
    """Set: our attempt, which has another provider call already."""
    waiting_calls: Sequence[int] = ()


def audited_account(connection: Connection, account: str) -> AuditedAccount | None:
    """None: the database does not know it."""
    row = connection.execute(
        text("""
            SELECT a.name, clock_timestamp() AS now_at, array(
                SELECT DISTINCT unnest(c.lines) FROM campaigns c WHERE c.account = a.name) AS lines
            FROM accounts a WHERE a.name = :account
        """),
        {"account": account},
    ).one_or_none()
    return None if row is None else AuditedAccount(row.name, row.now_at, frozenset(row.lines))


def lease_due_audit(connection: Connection, accounts: Sequence[str], *, lease: timedelta) -> DueAudit | None:
    """One of these accounts whose audit is due, put off by `lease`; accounts without a campaign have nothing to audit.

    Until the audit is noted as done it comes up again after the lease: a provider that was away is asked once more.
    """
    row = connection.execute(
        text("""
            UPDATE accounts SET audit_due_at = clock_timestamp() + CAST(:lease AS interval)
            WHERE name = (
                SELECT a.name FROM accounts a
                WHERE a.name = ANY(:accounts) AND a.audit_due_at <= clock_timestamp()
                    AND EXISTS (SELECT FROM campaigns c WHERE c.account = a.name)
                ORDER BY a.audit_due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
            RETURNING name AS account, clock_timestamp() AS now_at, audited_until
        """),
        {"accounts": list(accounts), "lease": lease},
    ).one_or_none()
    return None if row is None else DueAudit(**row._asdict())


def note_audited(connection: Connection, account: str, *, until: datetime, next_after: timedelta) -> None:
    """This account's calls have been compared with the record up to `until`."""
    connection.execute(
        text("""
            UPDATE accounts SET audited_until = greatest(audited_until, :until),
                audit_due_at = clock_timestamp() + CAST(:next_after AS interval)
            WHERE name = :account
        """),
        {"account": account, "until": until, "next_after": next_after},
    )


# --- what the record knows -------------------------------------------------------------------------------------------
# Calls are looked up among all accounts at the same provider: two keys of one organisation list each other's calls.


def owners(connection: Connection, account: str, provider_call_ids: Sequence[str]) -> dict[str, list[UUID]]:
    """Provider call id → our attempts at this account's provider that have it: one, if all is well."""
    rows = connection.execute(
        text("""
            SELECT t.provider_call_id, t.id FROM attempts t JOIN accounts b ON b.name = t.account
            WHERE t.provider_call_id = ANY(:calls)
                AND b.provider = (SELECT a.provider FROM accounts a WHERE a.name = :account)
            ORDER BY t.claimed_at, t.id
        """),
        {"account": account, "calls": list(provider_call_ids)},
    )
    found = defaultdict[str, list[UUID]](list)
    for row in rows:
        found[row.provider_call_id].append(row.id)
    return dict(found)


def echoed(connection: Connection, account: str, attempt_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Which of these ids are our attempts at this account's provider → the provider call that each has."""
    rows = connection.execute(
        text("""
            SELECT t.id, t.provider_call_id FROM attempts t JOIN accounts b ON b.name = t.account
            WHERE t.id = ANY(:ids) AND b.provider = (SELECT a.provider FROM accounts a WHERE a.name = :account)
        """),
        {"account": account, "ids": list(attempt_ids)},
    )
    return {row.id: row.provider_call_id for row in rows}


def attempt_after(connection: Connection, account: str, *, claimed_from: datetime, attempts: int) -> datetime | None:
    """When the attempt was claimed that follows so many others from `claimed_from` on; None: there are fewer."""
    claimed_at: datetime | None = connection.execute(
        text("""
            SELECT claimed_at FROM attempts WHERE account = :account AND claimed_at >= :claimed_from
            ORDER BY claimed_at OFFSET :attempts LIMIT 1
        """),
        {"account": account, "claimed_from": claimed_from, "attempts": attempts},
    ).scalar_one_or_none()
    return claimed_at


def lost_attempts(
    connection: Connection, account: str, *, claimed_from: datetime, claimed_to: datetime
) -> list[LostAttempt]:
    """Attempts of the span whose fate is unknown, or that were given up without a call."""
    rows = connection.execute(
        text("""
            SELECT id, number, line, claimed_at, send_by FROM attempts
            WHERE account = :account AND claimed_at >= :claimed_from AND claimed_at < :claimed_to
                AND provider_call_id IS NULL AND (state = 'fate_unknown' OR (state = 'closed' AND outcome = 'unknown'))
            ORDER BY claimed_at
        """),
        {"account": account, "claimed_from": claimed_from, "claimed_to": claimed_to},
    )
    return [LostAttempt(**row._asdict()) for row in rows]


def called_attempts(
    connection: Connection, account: str, *, claimed_from: datetime, claimed_to: datetime
) -> Iterator[list[CalledAttempt]]:
    """Attempts of the span that have a provider call, a page at a time."""
    after = (claimed_from, UUID(int=0))
    while True:
        rows = connection.execute(
            text("""
                SELECT id, provider_call_id, claimed_at FROM attempts
                WHERE account = :account AND claimed_at < :claimed_to AND provider_call_id IS NOT NULL
                    AND claimed_at >= :after_at AND (claimed_at, id) > (:after_at, :after_id)
                ORDER BY claimed_at, id LIMIT :most
            """),
            {
                "account": account,
                "claimed_to": claimed_to,
                "after_at": after[0],
                "after_id": after[1],
                "most": PAGE,
            },
        )
        page = [CalledAttempt(**row._asdict()) for row in rows]
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = (page[-1].claimed_at, page[-1].id)


def count_held(connection: Connection, account: str, *, claimed_from: datetime, claimed_to: datetime) -> int:
    """Attempts of the span whose fate is still unknown."""
    return int(
        connection.execute(
            text("""
                SELECT count(*) FROM attempts WHERE account = :account AND state = 'fate_unknown'
                    AND claimed_at >= :claimed_from AND claimed_at < :claimed_to
            """),
            {"account": account, "claimed_from": claimed_from, "claimed_to": claimed_to},
        ).scalar_one()
    )


def waiting_calls(connection: Connection, numbers: Sequence[str]) -> dict[str, list[int]]:
    """Number → calls to it that are still to be made."""
    rows = connection.execute(
        text("""
            SELECT number, array_agg(id ORDER BY id) AS calls FROM calls
            WHERE number = ANY(:numbers) AND state IN ('scheduled', 'queued') GROUP BY number
        """),
        {"numbers": list(numbers)},
    )
    return {row.number: list(row.calls) for row in rows}


# --- what it does not know -------------------------------------------------------------------------------------------


def put_strays(connection: Connection, account: str, strays: Sequence[NewStray]) -> list[str]:
    """Write down calls that nobody explains; returns those that were not written down before."""
    if not strays:
        return []
    new = list[str]()
    for stray in sorted(strays, key=lambda each: each.provider_call_id):
        values = asdict(stray) | {"account": account, "waiting_calls": list(stray.waiting_calls)}
        row = connection.execute(
            text("""
                INSERT INTO stray_calls (account, provider_call_id, created_at, attempt_id, waiting_calls)
                VALUES (:account, :provider_call_id, :created_at, :attempt_id, :waiting_calls)
                ON CONFLICT (account, provider_call_id) DO NOTHING RETURNING provider_call_id
            """),
            values,
        ).one_or_none()
        new += [] if row is None else [row.provider_call_id]
    return new


def count_open_strays(connection: Connection, account: str) -> int:
    """Calls of this account that still nobody has explained, whenever they were found."""
    return int(
        connection.execute(
            text("SELECT count(*) FROM stray_calls WHERE account = :account AND resolved_at IS NULL"),
            {"account": account},
        ).scalar_one()
    )


def alarm_once(connection: Connection, *, kind: str, attempt_id: UUID, detail: str) -> bool:
    """Raise this alarm for the attempt unless it was raised before, decided or not."""
    row = connection.execute(
        text("""
            INSERT INTO alarms (kind, attempt_id, detail) SELECT :kind, :attempt_id, :detail
            WHERE NOT EXISTS (SELECT FROM alarms WHERE attempt_id = :attempt_id AND kind = :kind) RETURNING id
        """),
        {"kind": kind, "attempt_id": attempt_id, "detail": detail},
    ).one_or_none()
    return row is not None
