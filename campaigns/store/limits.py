"""The limits in force of each credential, and what has to change when one of them is lowered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from campaigns.store.pace import ACCOUNT


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """What all accounts of one credential may do together."""

    concurrency: int
    calls_per_second: float
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReleasedCall:
    """A call that feed released and no worker has claimed."""

    call_id: int
    epoch: int
    due_at: datetime
    closes_at: datetime


def lock_limits(connection: Connection) -> dict[str, GroupLimits]:
    """Limit group → its limits. No feed grants by them until the transaction ends."""
    connection.execute(text("SELECT FROM accounts ORDER BY name FOR NO KEY UPDATE"))
    rows = connection.execute(
        text("""
            SELECT limit_group, min(concurrency) AS concurrency, min(calls_per_second) AS calls_per_second,
                array_agg(name) AS accounts
            FROM accounts GROUP BY limit_group
        """)
    )
    return {
        row.limit_group: GroupLimits(row.concurrency, row.calls_per_second, frozenset(row.accounts)) for row in rows
    }


def lock_released(connection: Connection, limit_group: str) -> list[ReleasedCall]:
    """Released calls, by id. Those that a worker is claiming this moment are waited for, and are its own then."""
    rows = connection.execute(
        text("""
            SELECT q.id AS call_id, q.epoch, q.due_at, q.closes_at
            FROM calls q JOIN runs r ON r.id = q.run_id AND r.provider_from IS NULL
                JOIN campaigns c ON c.id = q.campaign_id JOIN accounts a ON a.name = c.account
            WHERE a.limit_group = :limit_group AND q.state = 'queued' ORDER BY q.id FOR UPDATE OF q
        """),
        {"limit_group": limit_group},
    )
    return [ReleasedCall(**row._asdict()) for row in rows]


def pause_pace(connection: Connection, limit_groups: Sequence[str], *, seconds: float) -> None:
    """Let no dial instant be taken until `seconds` after the last one that was."""
    connection.execute(
        text("""
            INSERT INTO pace (scope, next_at)
            SELECT CAST(:account AS text) || g, clock_timestamp() + :seconds * interval '1 second'
            FROM unnest(CAST(:groups AS text[])) AS g ORDER BY g
            ON CONFLICT (scope) DO UPDATE SET gaps = '[]',
                next_at = greatest(pace.next_at, clock_timestamp()) + :seconds * interval '1 second'
        """),
        {"account": ACCOUNT, "groups": list(limit_groups), "seconds": seconds},
    )
