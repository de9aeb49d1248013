"""Calls that a provider holds until their time: which are to be handed over, and the slots that they will need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from campaigns.calls.permits import LIVE_MARGIN


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run of which calls wait to be handed over. `made`: attempts it has made already."""

    run_id: int
    campaign_id: int
    account: str
    limit_group: str
    lines: Sequence[str]
    line_daily_limit: int | None
    line_hourly_limit: int | None
    provider_from: datetime
    provider_until: datetime
    now_at: datetime
    made: int


@dataclass(frozen=True, slots=True)
class WaitingCall:
    call_id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The credential of an account, and how many calls of it may be in flight."""

    limit_group: str
    concurrency: int


def limits_of(connection: Connection, account: str) -> Limits | None:
    """None: there is no account of that name."""
    row = connection.execute(
        text("""
            SELECT a.limit_group,
                (SELECT min(b.concurrency) FROM accounts b WHERE b.limit_group = a.limit_group) AS concurrency
            FROM accounts a WHERE a.name = :account
        """),
        {"account": account},
    ).one_or_none()
    return None if row is None else Limits(**row._asdict())


def waiting_runs(connection: Connection) -> list[WaitingRun]:
    """Runs of active campaigns with calls to hand over, whose time is not past; the soonest first."""
    rows = connection.execute(
        text("""
            SELECT r.id AS run_id, r.campaign_id, c.account, a.limit_group, c.lines, c.line_daily_limit,
                c.line_hourly_limit, r.provider_from, r.provider_until, t.now_at,
                (SELECT count(*) FROM attempts p
                    WHERE p.run_id = r.id AND p.provider_due_from IS NOT NULL) AS made
            FROM (SELECT clock_timestamp() AS now_at) t, runs r
            JOIN campaigns c ON c.id = r.campaign_id JOIN accounts a ON a.name = c.account
            WHERE r.provider_from IS NOT NULL AND r.state = 'active' AND c.state = 'active'
                AND r.provider_until > t.now_at
                AND EXISTS (SELECT FROM calls q WHERE q.run_id = r.id AND q.state = 'scheduled')
            ORDER BY r.provider_from, r.id
        """)
    )
    return [WaitingRun(**row._asdict()) for row in rows]


def waiting_calls(connection: Connection, run_id: int, *, most: int) -> list[WaitingCall]:
    """Calls of this run that wait, in the order of the list."""
    rows = connection.execute(
        text("""
            SELECT q.id AS call_id, q.epoch FROM calls q JOIN customers u ON u.id = q.id
            WHERE q.run_id = :run_id AND q.state = 'scheduled' ORDER BY u.row_number LIMIT :most
        """),
        {"run_id": run_id, "most": most},
    )
    return [WaitingCall(**row._asdict()) for row in rows]


def slots_taken(connection: Connection, limit_group: str, *, due_from: datetime, due_until: datetime) -> int:
    """Slots that may be in use while calls of this span ring or talk.

    Held calls whose own span, lengthened by the longest call, meets it; and, if it begins before what is live now is
    surely over, everything that is live or released now.
    """
    taken: int = connection.execute(
        text("""
            SELECT count(*) FILTER (WHERE s.held AND s.due_from < :due_until + s.longest
                        AND s.due_until + s.longest > :due_from)
                + count(*) FILTER (WHERE NOT s.held AND :due_from < clock_timestamp() + s.longest)
            FROM (
                SELECT t.provider_due_from IS NOT NULL AS held, t.provider_due_from AS due_from,
                    t.provider_due_until AS due_until,
                    a.ring_timeout + a.max_duration + CAST(:margin AS interval) AS longest
                FROM live l JOIN attempts t ON t.id = l.attempt_id JOIN accounts a ON a.name = t.account
                WHERE l.limit_group = :limit_group AND t.state <> 'ended'
                    AND (l.holds_slot OR t.provider_due_from IS NOT NULL)
                UNION ALL
                SELECT false, NULL, NULL, a.ring_timeout + a.max_duration + CAST(:margin AS interval)
                FROM accounts a JOIN campaigns c ON c.account = a.name JOIN calls q ON q.campaign_id = c.id
                JOIN runs r ON r.id = q.run_id
                WHERE a.limit_group = :limit_group AND q.state = 'queued' AND r.provider_from IS NULL
            ) s
        """),
        {"limit_group": limit_group, "due_from": due_from, "due_until": due_until, "margin": LIVE_MARGIN},
    ).scalar_one()
    return taken


def being_handed_over(connection: Connection, limit_group: str) -> int:
    """Calls that another process has released to itself and not claimed yet; they have no attempt to be counted by."""
    count: int = connection.execute(
        text("""
            SELECT count(*) FROM accounts a JOIN campaigns c ON c.account = a.name
            JOIN calls q ON q.campaign_id = c.id AND q.state = 'queued'
            JOIN runs r ON r.id = q.run_id AND r.provider_from IS NOT NULL
            WHERE a.limit_group = :limit_group
        """),
        {"limit_group": limit_group},
    ).scalar_one()
    return count


def take_slots(connection: Connection, limit_group: str) -> int:
    """Give held calls their slot when the longest call begun now could still be going on at their time.

    To be called under the account's lock, before anything is counted; returns how many took one. It looks from the
    side of held attempts, which are few: `live` also has everybody whose report is still awaited. An attempt that was
    closed because nobody knows its fate may ring at its time all the same.
    """
    return connection.execute(
        text("""
            UPDATE live SET holds_slot = true
            FROM attempts t JOIN accounts a ON a.name = t.account
            WHERE live.limit_group = :limit_group AND NOT live.holds_slot AND t.id = live.attempt_id
                AND t.provider_due_from IS NOT NULL AND (t.closed_at IS NULL OR t.outcome = 'unknown')
                AND t.state <> 'ended'
                AND t.provider_due_from - a.ring_timeout - a.max_duration - CAST(:margin AS interval)
                    <= clock_timestamp()
        """),
        {"limit_group": limit_group, "margin": LIVE_MARGIN},
    ).rowcount


def ask_back_held(connection: Connection, *, campaign_id: int | None, asked_by: str) -> int:
    """Put every call that a provider may hold on the list of calls to ask back; returns how many were new there.

    `campaign_id` None: of all campaigns. Those that ring or talk are on their own.
    """
    return connection.execute(
        text("""
            INSERT INTO provider_cancels (attempt_id, asked_by)
            SELECT id, :asked_by FROM attempts
            WHERE provider_due_from IS NOT NULL AND closed_at IS NULL AND state <> 'ended' AND NOT connected
                AND (CAST(:campaign_id AS bigint) IS NULL OR campaign_id = :campaign_id)
            ON CONFLICT DO NOTHING
        """),
        {"campaign_id": campaign_id, "asked_by": asked_by},
    ).rowcount


def open_lines(connection: Connection, lines: Sequence[str], *, at: datetime) -> list[str]:
    """Those of these lines, in their order, that their provider will not refuse at that time for a spent day."""
    rows = connection.execute(
        text("SELECT line FROM line_holds WHERE line = ANY(:lines) AND held_until > :at"),
        {"lines": list(lines), "at": at},
    )
    held = {row.line for row in rows}
    return [line for line in lines if line not in held]
