"""Our own side of the story: what the rows in Postgres say."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text


@dataclass(frozen=True, slots=True)
class CallRow:
    """A customer of the campaign, as it stands."""

    id: int
    number: str
    state: str
    reason: str | None
    final: bool
    attempts: int
    """Counted ones."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One request, as it stands."""

    id: str
    call_id: int
    attempt_no: int
    number: str
    state: str
    outcome: str | None
    needs_person: bool


@dataclass(frozen=True, slots=True)
class Books:
    """One campaign."""

    rows_read: int
    rows_rejected: int
    calls: Sequence[CallRow]
    attempts: Sequence[AttemptRow]


def read_books(database: Engine, campaign_id: int) -> Books:
    """Everything about one campaign, in one transaction."""
    with database.begin() as connection:
        wanted = {"id": campaign_id}
        run = connection.execute(
            text("SELECT rows_read, rows_rejected FROM runs WHERE campaign_id = :id"), wanted
        ).one()
        calls = connection.execute(
            text("""
                SELECT id, number, state, reason, final_at IS NOT NULL AS final, attempts
                FROM calls WHERE campaign_id = :id ORDER BY id
            """),
            wanted,
        )
        attempts = connection.execute(
            text("""
                SELECT CAST(id AS text) AS id, call_id, attempt_no, number, state, outcome, needs_person
                FROM attempts WHERE campaign_id = :id ORDER BY call_id, attempt_no
            """),
            wanted,
        )
        return Books(
            run.rows_read,
            run.rows_rejected,
            [CallRow(**row._asdict()) for row in calls],
            [AttemptRow(**row._asdict()) for row in attempts],
        )


def waiting_for_a_person(database: Engine, campaign_id: int) -> frozenset[str]:
    """The attempts that hold up their calls, if all of these wait for a person; else none."""
    with database.begin() as connection:
        rows = connection.execute(
            text("""
                SELECT CAST(t.id AS text) AS id, t.needs_person FROM calls c JOIN attempts t ON t.call_id = c.id
                WHERE c.campaign_id = :id AND c.state = 'fate_unknown' AND t.state = 'fate_unknown'
            """),
            {"id": campaign_id},
        ).all()
        return frozenset(row.id for row in rows) if all(row.needs_person for row in rows) else frozenset()


def dialing(database: Engine, campaign_id: int) -> set[str]:
    """Attempts whose answer is not recorded at this moment."""
    with database.begin() as connection:
        rows = connection.execute(
            text("SELECT CAST(id AS text) AS id FROM attempts WHERE campaign_id = :id AND state = 'dialing'"),
            {"id": campaign_id},
        )
        return {row.id for row in rows}


def unfinished(database: Engine) -> set[int]:
    """Campaigns with a run that is not finished."""
    with database.begin() as connection:
        rows = connection.execute(text("SELECT DISTINCT campaign_id FROM runs WHERE state IN ('expanding', 'active')"))
        return {row.campaign_id for row in rows}


def dials_of(database: Engine, campaign_id: int) -> int:
    """Requests of a campaign whose answer is recorded."""
    with database.begin() as connection:
        counted: int = connection.execute(
            text("SELECT count(*) FROM attempts WHERE campaign_id = :id AND requested_at IS NOT NULL"),
            {"id": campaign_id},
        ).scalar_one()
        return counted


def under_way(database: Engine, campaign_id: int) -> dict[int, int]:
    """Calls that somebody holds right now: id → epoch."""
    with database.begin() as connection:
        rows = connection.execute(
            text("""
                SELECT id, epoch FROM calls
                WHERE campaign_id = :id AND state IN ('queued', 'dialing', 'in_progress', 'fate_unknown')
            """),
            {"id": campaign_id},
        )
        return {row.id: row.epoch for row in rows}


def still_stuck(database: Engine, hit: dict[int, int]) -> int:
    """How many of these have not moved on; one that waits for a person has."""
    with database.begin() as connection:
        stuck: int = connection.execute(
            text("""
                SELECT count(*) FROM unnest(CAST(:ids AS bigint[]), CAST(:epochs AS integer[])) AS h(id, epoch)
                JOIN calls c ON c.id = h.id AND c.epoch = h.epoch
                    AND c.state IN ('queued', 'dialing', 'in_progress', 'fate_unknown')
                WHERE NOT EXISTS (SELECT FROM attempts t WHERE t.call_id = c.id AND t.needs_person)
            """),
            {"ids": list(hit), "epochs": list(hit.values())},
        ).scalar_one()
        return stuck


def summary(database: Engine) -> list[str]:
    """Where everything stands, for whoever reads of a trial that went wrong."""
    with database.begin() as connection:
        calls = connection.execute(
            text("""
                SELECT c.name, q.state, q.reason, count(*) AS calls
                FROM calls q JOIN campaigns c ON c.id = q.campaign_id
                GROUP BY c.id, c.name, q.state, q.reason ORDER BY c.id, q.state, q.reason
            """)
        )
        attempts = connection.execute(
            text("""
                SELECT c.name, t.state, t.outcome, left(t.detail, 60) AS detail, count(*) AS attempts
                FROM attempts t JOIN campaigns c ON c.id = t.campaign_id
                GROUP BY c.id, c.name, t.state, t.outcome, left(t.detail, 60) ORDER BY c.id, 2, 3, 4
            """)
        )
        accounts = connection.execute(
            text("""
                SELECT name, rate_share, unproven_reason, paused_reason, cooldown_until, released_at,
                    (SELECT consumed_at FROM consumption WHERE limit_group = a.limit_group), clock_timestamp() AS now_at
                FROM accounts a ORDER BY name
            """)
        )
        return [str(row._asdict()) for rows in (calls, attempts, accounts) for row in rows]
