"""Is this still the database that wrote the record? A restore, a copy or a promotion may have lost the newest calls.

`system.identity` names cluster, timeline, database and table; what a backup brings back names another one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class UnprovenAccount:
    """An account that dials nothing until its calls from `since` to `held_at` are compared with the record."""

    account: str
    reason: str
    since: datetime
    held_at: datetime


def forget_foreign_identity(connection: Connection) -> str | None:
    """Take this database's identity for the known one; returns the former, None if it is the same or cannot be told.

    The row stays locked until the transaction ends, so of several processes one gets the answer.
    """
    former: str | None = connection.execute(
        text("""
            WITH former AS (SELECT identity FROM system FOR UPDATE)
            UPDATE system SET identity = database_identity() FROM former
            WHERE former.identity IS DISTINCT FROM database_identity() RETURNING former.identity
        """)
    ).scalar_one_or_none()
    return former


def hold_real_accounts(connection: Connection, *, reason: str, margin: timedelta) -> list[str]:
    """Let no account that dials real people dial until it is proven what it dialed; returns their names.

    Each has to be looked at from `margin` before its newest attempt on record; one without attempts, from the day of
    its first campaign. Accounts without a campaign have nothing to prove.
    """
    rows = connection.execute(
        text("""
            UPDATE accounts a SET unproven_reason = :reason, unproven_at = clock_timestamp(),
                unproven_since = least(a.unproven_since, s.since)
            FROM (
                SELECT c.account, coalesce(
                    (SELECT max(t.claimed_at) FROM attempts t WHERE t.account = c.account) - CAST(:margin AS interval),
                    min(c.created_at)) AS since
                FROM campaigns c GROUP BY c.account
            ) s
            WHERE s.account = a.name AND NOT a.simulator RETURNING a.name
        """),
        {"reason": reason, "margin": margin},
    )
    return sorted(row.name for row in rows)


def unproven_accounts(connection: Connection) -> list[UnprovenAccount]:
    """Accounts that wait until it is proven what they dialed."""
    rows = connection.execute(
        text("""
            SELECT name AS account, unproven_reason AS reason, unproven_since AS since, unproven_at AS held_at
            FROM accounts WHERE unproven_reason IS NOT NULL ORDER BY name
        """)
    )
    return [UnprovenAccount(**row._asdict()) for row in rows]


def lift_hold(connection: Connection, account: str, *, since: datetime, until: datetime) -> bool:
    """Let the account dial again if what was audited, `since` to `until`, covers all that it has to prove."""
    result = connection.execute(
        text("""
            UPDATE accounts SET unproven_reason = NULL, unproven_since = NULL, unproven_at = NULL
            WHERE name = :account AND unproven_since >= :since AND unproven_at <= :until
        """),
        {"account": account, "since": since, "until": until},
    )
    return result.rowcount == 1
