"""What a campaign waits for: one next call a zone group, and what is used of its limits."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class NextCall:
    """The call of one zone group that is due next, and how many wait there. Instants on the campaign's clock."""

    run_id: int
    group: str
    call_id: int
    due_at: datetime
    closes_at: datetime
    waiting: int


def next_calls(connection: Connection, campaign_id: int, *, most: int) -> list[NextCall]:
    """The groups whose calls are due next. Two index seeks a group; only those shown are counted.

    Openings of one group do not overlap, so the one that closes first has the call that is due first; but calls that
    were put off for a moment may wait until the end of the run.
    """
    rows = connection.execute(
        text("""
            SELECT n.*, (SELECT count(*) FROM calls q WHERE q.run_id = n.run_id AND q.group_id = n.group_id
                AND q.state = 'scheduled') AS waiting
            FROM (
                SELECT r.id AS run_id, g.id AS group_id, g.key, due.id AS call_id, due.due_at, due.closes_at
                FROM runs r JOIN zone_groups g ON g.run_id = r.id CROSS JOIN LATERAL (
                    SELECT q.* FROM (
                        (SELECT id, due_at, closes_at FROM calls
                            WHERE run_id = r.id AND group_id = g.id AND state = 'scheduled'
                            ORDER BY closes_at, due_at LIMIT 1)
                        UNION ALL
                        (SELECT id, due_at, closes_at FROM calls
                            WHERE run_id = r.id AND group_id = g.id AND state = 'scheduled' AND closes_at = r.latest_at
                            ORDER BY due_at LIMIT 1)
                    ) q ORDER BY q.due_at LIMIT 1
                ) due
                WHERE r.campaign_id = :id AND r.state IN ('expanding', 'active') ORDER BY due.due_at, g.id LIMIT :most
            ) n ORDER BY n.due_at, n.group_id
        """),
        {"id": campaign_id, "most": most},
    )
    return [NextCall(row.run_id, row.key, row.call_id, row.due_at, row.closes_at, row.waiting) for row in rows]


def limit_group_of(connection: Connection, account: str) -> str:
    """The credential whose limits an account shares."""
    value: str = connection.execute(
        text("SELECT limit_group FROM accounts WHERE name = :account"), {"account": account}
    ).scalar_one()
    return value


def campaign_exists(connection: Connection, name: str) -> bool:
    """Whether a campaign has this name."""
    return bool(
        connection.execute(
            text("SELECT EXISTS (SELECT FROM campaigns WHERE name = :name)"), {"name": name}
        ).scalar_one()
    )
