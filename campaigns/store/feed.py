"""What the feed reads and writes. Everything is derived from row states; nothing is counted elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from campaigns.store.engine import BRIEFLY

PROOF_INTERVAL = timedelta(seconds=1)
"""A worker says at most so often that it takes messages."""


@dataclass(frozen=True, slots=True)
class AccountRoom:
    """The limits of one credential and how much of them is in use. `ready` False: `held_by` says why."""

    concurrency: int
    calls_per_second: float
    """The share of the account's rate that is used for now."""
    rate_share: float
    """1, unless the provider said that it was full and has not yet proved the contrary."""
    live: int
    queued: int
    held_by: str | None
    starved: bool
    """Released calls and no worker took any for a while."""


@dataclass(frozen=True, slots=True)
class CampaignRoom:
    """One active campaign with open runs, its own limits and use."""

    id: int
    name: str
    priority: int
    weight: int
    lines: tuple[str, ...]
    line_daily_limit: int | None
    line_hourly_limit: int | None
    campaign_at: datetime
    clock_speed: float
    concurrency: int | None
    calls_per_second: float | None
    budget_left: int | None
    budget_notes: int
    """Rows that had to be added up for it."""
    live: int
    queued: int


@dataclass(frozen=True, slots=True)
class DueCall:
    call_id: int
    epoch: int
    number: str
    closes_at: datetime
    line: str | None
    """The line of an earlier attempt: a person who is called again sees the same caller ID."""


def limit_groups(connection: Connection) -> list[str]:
    """Limit groups whose campaigns have calls that are due, released, or held by their provider."""
    rows = connection.execute(
        text("""
            SELECT DISTINCT a.limit_group
            FROM runs r JOIN campaigns c ON c.id = r.campaign_id JOIN accounts a ON a.name = c.account
            CROSS JOIN LATERAL (
                SELECT campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed) AS now_at
            ) clock
            WHERE r.state = 'active' AND c.state = 'active' AND (
                r.provider_from IS NOT NULL
                OR EXISTS (SELECT FROM calls q WHERE q.campaign_id = c.id AND q.state = 'queued')
                OR EXISTS (
                    SELECT FROM zone_groups g CROSS JOIN LATERAL (
                        SELECT FROM calls q
                        WHERE q.run_id = r.id AND q.group_id = g.id AND q.state = 'scheduled'
                            AND q.closes_at > clock.now_at AND q.due_at <= clock.now_at
                        LIMIT 1
                    ) due
                    WHERE g.run_id = r.id))
            ORDER BY 1
        """)
    )
    return [row.limit_group for row in rows]


def lock_accounts(connection: Connection, limit_group: str) -> None:
    """Be the only granter of this credential's limits until the transaction ends.

    NO KEY, so that a claim's new attempts may refer to the account meanwhile. A process that is frozen meanwhile holds
    it for a second, not for as long as it is frozen.
    """
    connection.execute(_LOCK_ACCOUNTS, {"limit_group": limit_group})


_LOCK_ACCOUNTS = text(f"""
    SELECT FROM {BRIEFLY}, accounts a WHERE a.limit_group = :limit_group ORDER BY a.name FOR NO KEY UPDATE OF a
""")


def account_room(connection: Connection, limit_group: str, *, starved_after: timedelta) -> AccountRoom | None:
    """Read limits and use, in a statement after the lock; None when the group has no account."""
    row = connection.execute(
        text("""
            SELECT min(a.concurrency) AS concurrency, min(a.calls_per_second) * min(a.rate_share) AS calls_per_second,
                min(a.rate_share) AS rate_share,
                (SELECT stopped FROM system) AS stopped,
                max(coalesce(a.unproven_reason, a.paused_reason)) AS paused_reason,
                max(a.cooldown_until) > clock_timestamp() AS cooling,
                (SELECT count(*) FROM live l JOIN campaigns c ON c.id = l.campaign_id
                    JOIN accounts b ON b.name = c.account
                    WHERE b.limit_group = :limit_group AND l.holds_slot) AS live,
                (SELECT count(*) FROM calls q JOIN campaigns c ON c.id = q.campaign_id
                    JOIN accounts b ON b.name = c.account
                    WHERE b.limit_group = :limit_group AND q.state = 'queued') AS queued,
                max(a.released_at) AS released_at,
                (SELECT consumed_at FROM consumption WHERE limit_group = :limit_group) AS consumed_at,
                max(a.released_at) < clock_timestamp() - CAST(:starved_after AS interval) AS watched_long
            FROM accounts a WHERE a.limit_group = :limit_group
        """),
        {"limit_group": limit_group, "starved_after": starved_after},
    ).one()
    if row.concurrency is None:
        return None
    held_by = "stopped" if row.stopped else row.paused_reason or ("cooling_down" if row.cooling else None)
    # Proofs of life are written at most once in PROOF_INTERVAL: a release shortly after one was seen as well.
    unseen = row.consumed_at is None or row.released_at is None or row.consumed_at + PROOF_INTERVAL < row.released_at
    return AccountRoom(
        concurrency=row.concurrency,
        calls_per_second=row.calls_per_second,
        rate_share=row.rate_share,
        live=row.live,
        queued=row.queued,
        held_by=held_by,
        starved=bool(row.watched_long) and unseen,
    )


def campaign_rooms(connection: Connection, limit_group: str) -> list[CampaignRoom]:
    """Active campaigns of the group that have an open run. A paused one costs one index row."""
    rows = connection.execute(
        text("""
            SELECT c.id, c.name, c.priority, c.weight, c.lines, c.line_daily_limit, c.line_hourly_limit,
                c.concurrency, c.calls_per_second, c.clock_speed,
                campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed) AS campaign_at,
                (SELECT count(*) FROM live l WHERE l.campaign_id = c.id AND l.holds_slot) AS live,
                (SELECT count(*) FROM calls q WHERE q.campaign_id = c.id AND q.state = 'queued') AS queued,
                c.dial_budget - u.dials AS budget_left, coalesce(u.notes, 0) AS budget_notes
            FROM campaigns c JOIN accounts a ON a.name = c.account
                LEFT JOIN LATERAL (SELECT coalesce(sum(b.dials), 0) AS dials, count(*) AS notes
                    FROM budget_use b WHERE b.campaign_id = c.id) u ON c.dial_budget IS NOT NULL
            WHERE a.limit_group = :limit_group AND c.state = 'active'
                AND EXISTS (SELECT FROM runs r WHERE r.campaign_id = c.id AND r.state = 'active')
            ORDER BY c.id
        """),
        {"limit_group": limit_group},
    )
    return [
        CampaignRoom(**{**row._asdict(), "lines": tuple(row.lines)})  # one mapping, one place that knows the columns
        for row in rows
    ]


_DUE = text("""
    SELECT due.id AS call_id, due.epoch, due.number, due.closes_at, due.line
    FROM (
        SELECT g.run_id, g.id, first.closes_at, first.due_at
        FROM runs r
        JOIN zone_groups g ON g.run_id = r.id
        CROSS JOIN LATERAL (
            SELECT q.closes_at, q.due_at FROM calls q
            WHERE q.run_id = r.id AND q.group_id = g.id AND q.state = 'scheduled'
                AND q.closes_at > :campaign_at AND q.due_at <= :campaign_at
            ORDER BY q.closes_at, q.due_at LIMIT 1
        ) first
        WHERE r.campaign_id = :campaign_id AND r.state = 'active' AND r.latest_at > :campaign_at
            AND r.provider_from IS NULL
        ORDER BY first.closes_at, first.due_at, g.id
    ) soonest
    CROSS JOIN LATERAL (
        SELECT q.id, q.epoch, q.number, q.closes_at, q.line FROM calls q
        WHERE q.run_id = soonest.run_id AND q.group_id = soonest.id AND q.state = 'scheduled'
            AND q.closes_at > :campaign_at AND q.due_at <= :campaign_at
        ORDER BY q.closes_at, q.due_at LIMIT :most
    ) due
    ORDER BY soonest.closes_at, soonest.due_at, soonest.id
    LIMIT :most
""")


def due_calls(connection: Connection, *, campaign_id: int, campaign_at: datetime, most: int) -> list[DueCall]:
    """Up to `most` calls that may be dialed now, zone group by zone group, those whose window closes soonest first.

    One index seek per zone group and run, then those calls alone that are taken: the cost does not grow with the
    calls that wait.
    """
    rows = connection.execute(_DUE, {"campaign_id": campaign_id, "campaign_at": campaign_at, "most": most})
    return [DueCall(**row._asdict()) for row in rows]


def fold_budget_use(connection: Connection, campaign_id: int) -> None:
    """Many changes become one row of the same sum. To be called under the account's lock: one folds at a time."""
    connection.execute(
        text("""
            WITH folded AS (DELETE FROM budget_use WHERE campaign_id = :campaign_id RETURNING dials)
            INSERT INTO budget_use (campaign_id, dials) SELECT :campaign_id, sum(dials) FROM folded HAVING count(*) > 0
        """),
        {"campaign_id": campaign_id},
    )


def held_lines(connection: Connection, lines: Sequence[str]) -> frozenset[str]:
    """Lines that their provider refuses for the rest of the day."""
    rows = connection.execute(
        text("SELECT line FROM line_holds WHERE line = ANY(:lines) AND held_until > clock_timestamp()"),
        {"lines": list(lines)},
    )
    return frozenset(row.line for row in rows)


@dataclass(frozen=True, slots=True)
class UnclaimedCall:
    campaign_id: int
    call_id: int
    epoch: int


def unclaimed(connection: Connection, limit_group: str, *, lease_left: timedelta) -> list[UnclaimedCall]:
    """Queued calls of the group that have at most `lease_left` of their lease: released a while ago, not claimed."""
    rows = connection.execute(
        text("""
            SELECT q.campaign_id, q.id AS call_id, q.epoch FROM accounts a JOIN campaigns c ON c.account = a.name
            JOIN calls q ON q.campaign_id = c.id AND q.state = 'queued'
            JOIN runs r ON r.id = q.run_id AND r.provider_from IS NULL
            WHERE a.limit_group = :limit_group AND q.lease_until < clock_timestamp() + CAST(:lease_left AS interval)
            ORDER BY q.campaign_id, q.id
        """),
        {"limit_group": limit_group, "lease_left": lease_left},
    )
    return [UnclaimedCall(**row._asdict()) for row in rows]


def note_release(connection: Connection, limit_group: str) -> None:
    """Start watching for a worker, unless an earlier release is still unseen."""
    connection.execute(
        text("""
            UPDATE accounts a SET released_at = clock_timestamp()
            WHERE a.limit_group = :limit_group AND (a.released_at IS NULL OR EXISTS (
                SELECT FROM consumption c WHERE c.limit_group = a.limit_group
                    AND c.consumed_at + CAST(:proof_interval AS interval) >= a.released_at))
        """),
        {"limit_group": limit_group, "proof_interval": PROOF_INTERVAL},
    )


def note_consumption(connection: Connection, limit_group: str) -> None:
    """A worker took a message of this group just now."""
    connection.execute(
        text("""
            INSERT INTO consumption (limit_group, consumed_at) VALUES (:limit_group, clock_timestamp())
            ON CONFLICT (limit_group) DO UPDATE SET consumed_at = excluded.consumed_at
        """),
        {"limit_group": limit_group},
    )
