"""What answers and ends leave behind on accounts, campaigns and lines: pauses, a slower rate, lines that are closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class AttemptPlace:
    """Where an attempt belongs."""

    id: UUID
    account: str
    campaign_id: int
    line: str
    number: str


def places_of(connection: Connection, attempt_ids: Sequence[UUID]) -> list[AttemptPlace]:
    """Account, campaign, line and number of each attempt."""
    rows = connection.execute(
        text("SELECT id, account, campaign_id, line, number FROM attempts WHERE id = ANY(:ids)"),
        {"ids": list(attempt_ids)},
    )
    return [AttemptPlace(**row._asdict()) for row in rows]


_OF_GROUP = """
    name IN (SELECT a.name FROM accounts a WHERE a.limit_group =
        (SELECT limit_group FROM accounts WHERE name = :account) ORDER BY a.name FOR NO KEY UPDATE)
"""
"""Accounts that share the credential, locked in the feed's order."""


def slow_down(connection: Connection, account: str, *, factor: float, slowest: float) -> None:
    """Use only `factor` of the rate's present share, for every account of the credential.

    Not while one of them cools down: what is refused then had left before the last cut could show.
    """
    connection.execute(
        text(f"""
            UPDATE accounts SET rate_share = greatest(:slowest, rate_share * :factor),
                rate_changed_at = clock_timestamp()
            WHERE {_OF_GROUP} AND NOT EXISTS (SELECT FROM accounts c
                WHERE c.limit_group = accounts.limit_group AND c.cooldown_until > clock_timestamp())
        """),  # noqa: S608 -- the piece put in is the constant above
        {"account": account, "factor": factor, "slowest": slowest},
    )


def speed_up(
    connection: Connection, account: str, *, recovery: timedelta, longest: timedelta, every: timedelta
) -> None:
    """Give back a part of the rate: as much as the time since the last change is of `recovery`.

    `longest`: time beyond this proves nothing, for nobody dialed. `every`: not more often than this.
    """
    connection.execute(
        text(f"""
            UPDATE accounts SET rate_changed_at = clock_timestamp(), rate_share = least(1, rate_share
                + extract(epoch FROM least(clock_timestamp() - rate_changed_at, CAST(:longest AS interval)))
                / extract(epoch FROM CAST(:recovery AS interval)))
            WHERE rate_share < 1 AND rate_changed_at <= clock_timestamp() - CAST(:every AS interval) AND {_OF_GROUP}
        """),  # noqa: S608 -- the piece put in is the constant above
        {"account": account, "recovery": recovery, "longest": longest, "every": every},
    )


def is_slowed(connection: Connection, account: str) -> bool:
    """Whether the account's rate is cut; without a lock, so that a flush of results waits for nobody."""
    return bool(
        connection.execute(
            text("SELECT rate_share < 1 FROM accounts WHERE name = :account"), {"account": account}
        ).scalar_one_or_none()
    )


def count_account_refusals(
    connection: Connection, account: str, *, creates: int, ends: int, most: int, reason: str
) -> bool:
    """Add refusals in a row, of creates or told by ends; at `most` of either the account pauses. Whether it did now."""
    row = connection.execute(
        text("""
            UPDATE accounts SET config_errors = config_errors + :creates, config_ends = config_ends + :ends,
                paused_reason = CASE WHEN config_errors + :creates >= :most OR config_ends + :ends >= :most
                    THEN coalesce(paused_reason, :reason) ELSE paused_reason END
            WHERE name = :account RETURNING paused_reason = :reason AS paused
        """),
        {"account": account, "creates": creates, "ends": ends, "most": most, "reason": reason},
    ).one_or_none()
    return bool(row and row.paused)


def account_works(connection: Connection, account: str, *, creates: bool, ends: bool) -> None:
    """A create, or a conversation, shows that the account is in order: its refusals are no longer in a row."""
    connection.execute(
        text("""
            UPDATE accounts SET config_errors = CASE WHEN :creates THEN 0 ELSE config_errors END,
                config_ends = CASE WHEN :ends THEN 0 ELSE config_ends END
            WHERE name = :account AND ((:creates AND config_errors > 0) OR (:ends AND config_ends > 0))
        """),
        {"account": account, "creates": creates, "ends": ends},
    )


def count_campaign_refusals(
    connection: Connection, campaign_id: int, *, creates: int, ends: int, most: int, reason: str
) -> bool:
    """The same for a campaign, which is paused as if by hand: `resume` lets it go on. Whether it was paused now."""
    row = connection.execute(
        text("""
            WITH counted AS (
                SELECT id, state = 'active' AND (config_errors + :creates >= :most OR config_ends + :ends >= :most)
                    AS pauses FROM campaigns WHERE id = :id FOR NO KEY UPDATE
            )
            UPDATE campaigns c SET config_errors = c.config_errors + :creates, config_ends = c.config_ends + :ends,
                state = CASE WHEN counted.pauses THEN 'paused' ELSE c.state END,
                state_reason = CASE WHEN counted.pauses THEN :reason ELSE c.state_reason END
            FROM counted WHERE c.id = counted.id RETURNING counted.pauses
        """),
        {"id": campaign_id, "creates": creates, "ends": ends, "most": most, "reason": reason},
    ).one_or_none()
    return bool(row and row.pauses)


def campaigns_work(connection: Connection, *, created: Sequence[int], talked: Sequence[int]) -> None:
    """As `account_works`, for campaigns: those with a create that was accepted, those with a conversation."""
    connection.execute(
        text("""
            UPDATE campaigns SET config_errors = CASE WHEN id = ANY(:created) THEN 0 ELSE config_errors END,
                config_ends = CASE WHEN id = ANY(:talked) THEN 0 ELSE config_ends END
            WHERE id IN (
                SELECT id FROM campaigns
                WHERE (id = ANY(:created) AND config_errors > 0) OR (id = ANY(:talked) AND config_ends > 0)
                ORDER BY id FOR NO KEY UPDATE
            )
        """),
        {"created": list(created), "talked": list(talked)},
    )


def hold_lines(connection: Connection, lines: Sequence[str]) -> None:
    """These lines have nothing left today: providers reset their daily limits at 00:00 UTC."""
    if lines:
        connection.execute(
            text("""
                INSERT INTO line_holds (line, held_until)
                SELECT line, date_trunc('day', clock_timestamp(), 'UTC') + interval '1 day'
                FROM unnest(CAST(:lines AS text[])) AS line ORDER BY line
                ON CONFLICT (line) DO UPDATE SET held_until = excluded.held_until
            """),
            {"lines": sorted(set(lines))},
        )


def bar_line(connection: Connection, line: str, *, country: str, lasts: timedelta) -> bool:
    """This line cannot call numbers of that country; returns whether that was not known yet."""
    row = connection.execute(
        text("""
            INSERT INTO line_bars (line, country, until)
            VALUES (:line, :country, clock_timestamp() + CAST(:lasts AS interval))
            ON CONFLICT (line, country) DO UPDATE SET until = excluded.until
            RETURNING xmax = 0 AS is_new
        """),
        {"line": line, "country": country, "lasts": lasts},
    ).one()
    return bool(row.is_new)


def barred_lines(connection: Connection, lines: Sequence[str]) -> dict[str, frozenset[str]]:
    """Line → countries whose numbers it cannot call; lines without any are left out."""
    rows = connection.execute(
        text("""
            SELECT line, array_agg(country) AS countries FROM line_bars
            WHERE line = ANY(:lines) AND until > clock_timestamp() GROUP BY line
        """),
        {"lines": list(lines)},
    )
    return {row.line: frozenset(row.countries) for row in rows}


def forget_campaign_refusals(connection: Connection, campaign_id: int) -> None:
    """Somebody looked into it: the counting starts anew."""
    connection.execute(
        text("""
            UPDATE campaigns SET config_errors = 0, config_ends = 0
            WHERE id = :id AND (config_errors > 0 OR config_ends > 0)
        """),
        {"id": campaign_id},
    )
