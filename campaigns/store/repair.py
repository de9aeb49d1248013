"""What the periodic services look for: by state and deadline, unbounded in age, a chunk at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.calls.states import AttemptState


@dataclass(frozen=True, slots=True)
class LapsedLease:
    """A released call that no worker claimed in time."""

    call_id: int
    epoch: int
    due_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A scheduled call whose opening has passed, with what its next one depends on."""

    call_id: int
    epoch: int
    run_id: int
    campaign_id: int
    number: str
    address_state: str | None
    zip: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class DueAttempt:
    """An attempt whose next look is due, leased to this process for a while."""

    id: UUID
    call_id: int
    account: str
    number: str
    line: str
    state: AttemptState
    provider_call_id: str | None
    claimed_at: datetime
    send_by: datetime
    absences: int
    """Looks in which the provider did not know it."""
    overdue: bool
    """Silent for more than twice its longest expected duration, counted from its time if the provider holds it."""
    abandoned: bool
    """Overdue for a whole day: whatever kept the provider from answering will not pass any more."""
    webhooks: bool
    reconcile_after: Sequence[timedelta]


def lapsed_leases(connection: Connection, *, most: int) -> list[LapsedLease]:
    """Queued calls past their lease, locked; rows that somebody is claiming right now are left alone."""
    rows = connection.execute(
        text("""
            SELECT id AS call_id, epoch, due_at, closes_at FROM calls
            WHERE state = 'queued' AND lease_until < clock_timestamp()
            ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
        """),
        {"most": most},
    )
    return [LapsedLease(**row._asdict()) for row in rows]


def silent_dials(connection: Connection, *, most: int) -> list[UUID]:
    """Attempts still `dialing` after permit, HTTP time-out and flush: nobody will report on them any more."""
    rows = connection.execute(
        text("""
            SELECT id FROM attempts WHERE state = 'dialing' AND closed_at IS NULL AND check_at < clock_timestamp()
            ORDER BY check_at LIMIT :most
        """),
        {"most": most},
    )
    return [row.id for row in rows]


def drop_lapsed_holds(connection: Connection) -> list[str]:
    """Give back slots and numbers held past any possible call, for attempts nobody waits for; returns limit groups.

    An attempt in progress keeps its row: there the provider is asked instead.
    """
    rows = connection.execute(
        text("""
            DELETE FROM live USING attempts t
            WHERE live.hold_until < clock_timestamp() AND t.id = live.attempt_id
                AND t.state IN ('fate_unknown', 'not_dialed', 'closed')
            RETURNING live.limit_group
        """)
    )
    return sorted({row.limit_group for row in rows})


def expire_scheduled(connection: Connection, *, most: int) -> int:
    """Calls that wait in a run whose `latestAt` has passed are over; those of a cancelled campaign are cancelled."""
    result = connection.execute(
        text("""
            UPDATE calls SET state = 'expired', reason = 'latest_at', final_at = clock_timestamp(),
                due_at = NULL, closes_at = NULL
            WHERE state = 'scheduled' AND id = ANY(ARRAY(
                SELECT q.id FROM runs r JOIN campaigns c ON c.id = r.campaign_id
                CROSS JOIN LATERAL (SELECT id FROM calls WHERE run_id = r.id AND state = 'scheduled' LIMIT :most
                    FOR UPDATE SKIP LOCKED) q
                WHERE r.state = 'active' AND c.state <> 'cancelled'
                    AND r.latest_at <= campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed)
                LIMIT :most))
        """),
        {"most": most},
    )
    return result.rowcount


def fail_unknown_fates(connection: Connection, *, most: int) -> int:
    """After `latestAt` a fate that nobody found is final for the call; the attempt itself is still looked for."""
    result = connection.execute(
        text("""
            UPDATE calls SET state = 'failed', reason = 'fate_unknown', final_at = clock_timestamp()
            WHERE state = 'fate_unknown' AND id = ANY(ARRAY(
                SELECT q.id FROM runs r JOIN campaigns c ON c.id = r.campaign_id
                CROSS JOIN LATERAL (SELECT id FROM calls WHERE run_id = r.id
                    AND state IN ('dialing', 'in_progress', 'fate_unknown') AND state = 'fate_unknown' LIMIT :most
                    FOR UPDATE SKIP LOCKED) q
                WHERE r.state = 'active'
                    AND r.latest_at <= campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed)
                LIMIT :most))
        """),
        {"most": most},
    )
    return result.rowcount


def cancelled_but_open(connection: Connection) -> list[int]:
    """Cancelled campaigns with an open run: a call that was being claimed while they were cancelled may wait there."""
    rows = connection.execute(
        text("""
            SELECT c.id FROM campaigns c WHERE c.state = 'cancelled'
                AND EXISTS (SELECT FROM runs r WHERE r.campaign_id = c.id AND r.state = 'active') ORDER BY c.id
        """)
    )
    return [row.id for row in rows]


def finish_runs(connection: Connection) -> list[int]:
    """Runs without any call that is not final are finished: decided by the rows, never by idleness."""
    rows = connection.execute(
        text("""
            UPDATE runs r SET state = 'finished', finished_at = clock_timestamp()
            WHERE r.state = 'active'
                AND NOT EXISTS (SELECT FROM calls q WHERE q.run_id = r.id AND q.state = 'scheduled')
                AND NOT EXISTS (SELECT FROM calls q WHERE q.campaign_id = r.campaign_id AND q.run_id = r.id
                    AND q.state = 'queued')
                AND NOT EXISTS (SELECT FROM calls q WHERE q.run_id = r.id
                    AND q.state IN ('dialing', 'in_progress', 'fate_unknown'))
            RETURNING r.id
        """)
    )
    return [row.id for row in rows]


def lapsed_openings(connection: Connection, *, most: int) -> list[WaitingCall]:
    """Scheduled calls whose legal opening has closed unused, locked, while their run still has time."""
    rows = connection.execute(
        text("""
            SELECT q.id AS call_id, q.epoch, q.run_id, q.campaign_id, q.number, u.state AS address_state, u.zip,
                u.timezone
            FROM (
                SELECT r.id, campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed) AS campaign_at,
                    r.latest_at
                FROM runs r JOIN campaigns c ON c.id = r.campaign_id
                WHERE r.state = 'active' AND c.state = 'active'
            ) open
            CROSS JOIN LATERAL (
                SELECT id, epoch, run_id, campaign_id, number FROM calls
                WHERE run_id = open.id AND state = 'scheduled' AND closes_at <= open.campaign_at
                ORDER BY closes_at LIMIT :most FOR UPDATE SKIP LOCKED
            ) q
            JOIN customers u ON u.id = q.id
            WHERE open.latest_at > open.campaign_at
            LIMIT :most
        """),
        {"most": most},
    )
    return [WaitingCall(**row._asdict()) for row in rows]


def reschedule(connection: Connection, openings: Sequence[tuple[int, int, datetime, datetime]]) -> None:
    """New due times, (call id, epoch, due_at, closes_at), for calls that are still scheduled."""
    if openings:
        connection.execute(
            text("""
                UPDATE calls SET due_at = n.due_at, closes_at = n.closes_at
                FROM unnest(CAST(:ids AS bigint[]), CAST(:epochs AS integer[]), CAST(:dues AS timestamptz[]),
                    CAST(:closes AS timestamptz[])) AS n(id, epoch, due_at, closes_at)
                WHERE calls.id = n.id AND calls.epoch = n.epoch AND calls.state = 'scheduled'
            """),
            {
                "ids": [each[0] for each in openings],
                "epochs": [each[1] for each in openings],
                "dues": [each[2] for each in openings],
                "closes": [each[3] for each in openings],
            },
        )


def lease_due_attempts(
    connection: Connection,
    states: Sequence[AttemptState],
    *,
    accounts: Sequence[str],
    lease: timedelta,
    most: int,
) -> list[DueAttempt]:
    """Attempts in `states` whose look is due, put off by `lease` so that a second process does not ask as well.

    Those of other accounts are left to processes that know them.
    """
    rows = connection.execute(
        text("""
            UPDATE attempts t SET check_at = clock_timestamp() + CAST(:lease AS interval)
            FROM accounts a
            WHERE a.name = t.account AND t.id = ANY(ARRAY(
                SELECT id FROM attempts WHERE state = ANY(:states) AND closed_at IS NULL
                    AND check_at <= clock_timestamp() AND account = ANY(:accounts)
                ORDER BY check_at LIMIT :most FOR UPDATE SKIP LOCKED))
            RETURNING t.id, t.call_id, t.account, t.number, t.line, t.state, t.provider_call_id, t.claimed_at,
                t.send_by, t.absences,
                greatest(t.claimed_at, t.provider_due_until) + 2 * (a.ring_timeout + a.max_duration)
                    < clock_timestamp() AS overdue,
                greatest(t.claimed_at, t.provider_due_until) + 2 * (a.ring_timeout + a.max_duration) + interval '1 day'
                    < clock_timestamp() AS abandoned,
                a.webhooks, a.reconcile_after
        """),
        {"lease": lease, "states": [state.value for state in states], "accounts": list(accounts), "most": most},
    )
    return [DueAttempt(**{**row._asdict(), "state": AttemptState(row.state)}) for row in rows]


def accounts_without_looks(
    connection: Connection, states: Sequence[AttemptState], *, accounts: Sequence[str]
) -> list[str]:
    """Accounts other than these with attempts in `states` whose look is due."""
    rows = connection.execute(
        text("""
            SELECT DISTINCT account FROM attempts WHERE state = ANY(:states) AND closed_at IS NULL
                AND check_at <= clock_timestamp() AND account <> ALL(:accounts)
            ORDER BY account
        """),
        {"states": [state.value for state in states], "accounts": list(accounts)},
    )
    return [row.account for row in rows]


def accounts_off_clock(connection: Connection, *, most: timedelta) -> dict[str, datetime]:
    """Accounts whose provider's clock differs from ours by more than `most`, each with the present instant."""
    rows = connection.execute(
        text("""
            SELECT name, clock_timestamp() AS now_at FROM accounts
            WHERE clock_skew > CAST(:most AS interval) OR clock_skew < - CAST(:most AS interval) ORDER BY name
        """),
        {"most": most},
    )
    return {row.name: row.now_at for row in rows}


def look_again(connection: Connection, attempt_ids: Sequence[UUID], *, after: timedelta) -> None:
    """Set the next look at these attempts."""
    if attempt_ids:
        connection.execute(
            text("""
                UPDATE attempts SET check_at = clock_timestamp() + CAST(:after AS interval)
                WHERE id = ANY(:ids) AND closed_at IS NULL
            """),
            {"ids": list(attempt_ids), "after": after},
        )


def note_absence(connection: Connection, attempt: DueAttempt, *, next_look: timedelta) -> None:
    """A look at this attempt brought no trace of it. If it moved on since the look began, that proves nothing."""
    connection.execute(
        text("""
            UPDATE attempts SET absences = absences + 1, check_at = clock_timestamp() + CAST(:next_look AS interval)
            WHERE id = :id AND state = :state
        """),
        {"id": attempt.id, "state": attempt.state.value, "next_look": next_look},
    )


def need_person(connection: Connection, attempt_id: UUID, *, next_look: timedelta) -> None:
    """Nothing more can be found out by itself: `attention` lists it until a person decides or the run is over."""
    connection.execute(
        text("""
            UPDATE attempts SET needs_person = true,
                check_at = clock_timestamp() + CAST(:next_look AS interval)
            WHERE id = :id AND state = 'fate_unknown'
        """),
        {"id": attempt_id, "next_look": next_look},
    )
