"""Counting rows: where every campaign stands. Nothing is counted anywhere else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

REJECTS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """The campaign and its switch. `campaign_at`, `next_run_at`: campaign clock."""

    id: int
    name: str
    account: str
    state: str
    state_reason: str | None
    account_paused: str | None
    cooling_until: datetime | None
    slowed_to: float | None
    """Calls a second, while the provider has not yet proved that it can take more again."""
    stopped: bool
    campaign_at: datetime
    machine_at: datetime
    clock_speed: float
    rehearsal: bool
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One launch. Instants on the campaign's clock."""

    id: int
    state: str
    state_reason: str | None
    slot_at: datetime | None
    earliest_at: datetime
    latest_at: datetime
    rows_read: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """`dials`: requests that were, or may have been, made."""

    dials: int
    in_flight: int
    unknown: int
    needs_person: int
    recent_dials: int
    by_outcome: dict[str, int]


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Scheduled calls of one zone group: the next due instant (campaign clock)."""

    key: str
    calls: int
    due_at: datetime


def campaign_rows(connection: Connection, *, name: str | None) -> list[CampaignRow]:
    """One campaign, or all of them by name."""
    rows = connection.execute(
        text("""
            SELECT c.id, c.name, c.account, c.state, c.state_reason,
                coalesce(a.unproven_reason, a.paused_reason) AS account_paused,
                CASE WHEN a.cooldown_until > clock_timestamp() THEN a.cooldown_until END AS cooling_until,
                CASE WHEN a.rate_share < 1 THEN a.calls_per_second * a.rate_share END AS slowed_to,
                s.stopped, campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed) AS campaign_at,
                clock_timestamp() AS machine_at, c.clock_speed, c.clock_campaign_at IS NOT NULL AS rehearsal,
                c.next_run_at
            FROM campaigns c JOIN accounts a ON a.name = c.account CROSS JOIN system s
            WHERE CAST(:name AS text) IS NULL OR c.name = :name
            ORDER BY c.name
        """),
        {"name": name},
    )
    return [CampaignRow(**row._mapping) for row in rows]


def run_rows(connection: Connection, campaign_id: int) -> list[RunRow]:
    """Every run of the campaign, newest first."""
    rows = connection.execute(
        text("""
            SELECT id, state, state_reason, slot_at, earliest_at, latest_at, rows_read, rows_rejected
            FROM runs WHERE campaign_id = :id ORDER BY id DESC
        """),
        {"id": campaign_id},
    )
    return [RunRow(**row._mapping) for row in rows]


def calls_by_state(connection: Connection, campaign_id: int) -> dict[tuple[str, str | None], int]:
    """(state, reason) → calls, over all runs."""
    rows = connection.execute(
        text("""
            SELECT q.state, CASE WHEN q.final_at IS NOT NULL THEN q.reason END AS reason, count(*) AS calls
            FROM runs r JOIN calls q ON q.run_id = r.id
            WHERE r.campaign_id = :id GROUP BY 1, 2 ORDER BY 1, 2
        """),
        {"id": campaign_id},
    )
    return {(row.state, row.reason): row.calls for row in rows}


def attempt_counts(connection: Connection, campaign_id: int, *, recent: timedelta) -> AttemptCounts:
    """What was dialed; `recent` is machine time back from now."""
    rows = connection.execute(
        text("""
            SELECT outcome,
                count(*) FILTER (WHERE t.state <> 'not_dialed') AS dials,
                count(*) FILTER (WHERE t.state IN ('dialing', 'in_progress')) AS in_flight,
                count(*) FILTER (WHERE t.state = 'fate_unknown') AS unknown,
                count(*) FILTER (WHERE t.needs_person AND t.closed_at IS NULL) AS needs_person,
                count(*) FILTER (WHERE t.state <> 'not_dialed'
                    AND t.requested_at > clock_timestamp() - CAST(:recent AS interval)) AS recent_dials
            FROM runs r JOIN calls q ON q.run_id = r.id JOIN attempts t ON t.call_id = q.id
            WHERE r.campaign_id = :id GROUP BY outcome ORDER BY outcome
        """),
        {"id": campaign_id, "recent": recent},
    ).all()
    return AttemptCounts(
        dials=sum(row.dials for row in rows),
        in_flight=sum(row.in_flight for row in rows),
        unknown=sum(row.unknown for row in rows),
        needs_person=sum(row.needs_person for row in rows),
        recent_dials=sum(row.recent_dials for row in rows),
        by_outcome={row.outcome: row.dials for row in rows if row.outcome is not None and row.dials},
    )


def refusals_by_rule(connection: Connection, campaign_id: int) -> dict[str, int]:
    """Rule id → refusals on record, several for a call that was refused several times."""
    rows = connection.execute(
        text("""
            SELECT d.rule_id, count(*) AS refusals
            FROM runs r JOIN calls q ON q.run_id = r.id JOIN decisions d ON d.call_id = q.id
            WHERE r.campaign_id = :id AND d.verdict = 'refusal' GROUP BY 1 ORDER BY 2 DESC, 1
        """),
        {"id": campaign_id},
    )
    return {row.rule_id: row.refusals for row in rows}


def rejects_by_reason(connection: Connection, campaign_id: int) -> dict[str, int]:
    """Reject reason → rows."""
    rows = connection.execute(
        text("""
            SELECT x.reason, count(*) AS rejects FROM runs r JOIN rejects x ON x.run_id = r.id
            WHERE r.campaign_id = :id GROUP BY 1 ORDER BY 2 DESC, 1
        """),
        {"id": campaign_id},
    )
    return {row.reason: row.rejects for row in rows}


def waiting_groups(connection: Connection, campaign_id: int, *, most: int) -> list[WaitingGroup]:
    """The zone groups whose calls are due next."""
    rows = connection.execute(
        text("""
            SELECT g.key, count(*) AS calls, min(q.due_at) AS due_at
            FROM runs r JOIN calls q ON q.run_id = r.id JOIN zone_groups g ON g.id = q.group_id
            WHERE r.campaign_id = :id AND r.state IN ('expanding', 'active') AND q.state = 'scheduled'
            GROUP BY g.key ORDER BY 3, 1 LIMIT :most
        """),
        {"id": campaign_id, "most": most},
    )
    return [WaitingGroup(row.key, row.calls, row.due_at) for row in rows]


@dataclass(frozen=True, slots=True)
class RejectRow:
    row_number: int
    reason: str
    detail: str
    original: str


def rejects_of(connection: Connection, run_id: int | None) -> Iterator[RejectRow]:
    """The rejects of a run in the order of the list, page by page."""
    after_row = 0
    while page := _rejects_page(connection, run_id, after_row=after_row):
        yield from page
        after_row = page[-1].row_number


def _rejects_page(connection: Connection, run_id: int | None, *, after_row: int) -> list[RejectRow]:
    rows = connection.execute(
        text("""
            SELECT row_number, reason, detail, original FROM rejects
            WHERE run_id = :run_id AND row_number > :after_row ORDER BY row_number LIMIT :most
        """),
        {"run_id": run_id, "after_row": after_row, "most": REJECTS_AT_ONCE},
    )
    return [RejectRow(**row._mapping) for row in rows]
