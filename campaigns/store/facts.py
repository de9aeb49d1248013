"""Recording what became of attempts: the locked view, and the writes that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.calls.outcomes import Outcome
from campaigns.calls.permits import LIVE_MARGIN
from campaigns.calls.states import FINAL_ATTEMPT_STATES, AttemptState, CallState


@dataclass(frozen=True, slots=True)
class LockedCall:
    """A call under lock, with where its customer is."""

    id: int
    state: CallState
    epoch: int
    run_id: int
    campaign_id: int
    number: str
    attempts: int
    requests: int
    stop_reason: str | None
    """Set while the call is dialed or talks: it makes no further attempt."""
    address_state: str | None
    zip: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt of a locked call."""

    id: UUID
    call_id: int
    account: str
    state: AttemptState
    provider_call_id: str | None
    connected: bool
    counts: bool
    outcome: Outcome | None
    disposition: str | None
    ended_reason: str | None
    detail: str | None
    duration: timedelta | None
    cost_usd: float | None
    hung_up: bool
    rang: bool
    late_cancel: bool
    late_cancelled: bool
    asked_back: bool
    answered_by: str | None
    """`human` or `machine`; None: nobody has said."""
    claimed_at: datetime
    absences: int


@dataclass(frozen=True, slots=True)
class AttemptChange:
    """An attempt as it is to be written. `check_after`: machine time until the next look; None when it is over."""

    id: UUID
    state: AttemptState
    provider_call_id: str | None
    connected: bool
    counts: bool
    outcome: Outcome | None
    disposition: str | None
    ended_reason: str | None
    detail: str | None
    duration: timedelta | None
    cost_usd: float | None
    hung_up: bool
    rang: bool
    answered_by: str | None
    check_after: timedelta | None
    requested_at: datetime | None = None


def lock_calls_of(connection: Connection, attempt_ids: Sequence[UUID]) -> dict[int, LockedCall]:
    """Lock the calls of these attempts, by id, and read them as they are then."""
    rows = connection.execute(
        text("""
            SELECT c.id, c.state, c.epoch, c.run_id, c.campaign_id, c.number, c.attempts, c.requests, c.stop_reason,
                u.state AS address_state, u.zip, u.timezone
            FROM calls c JOIN customers u ON u.id = c.id
            WHERE c.id IN (SELECT call_id FROM attempts WHERE id = ANY(:ids)) ORDER BY c.id FOR UPDATE OF c
        """),
        {"ids": list(attempt_ids)},
    )
    return {row.id: LockedCall(**{**row._asdict(), "state": CallState(row.state)}) for row in rows}


def attempts_of(connection: Connection, call_ids: Sequence[int]) -> list[AttemptRow]:
    """Every attempt of these calls, the newest last. Call their rows' lock yours first."""
    rows = connection.execute(
        text("""
            SELECT id, call_id, account, state, provider_call_id, connected, counts, outcome, disposition,
                ended_reason, detail, duration, cost_usd, hung_up, rang, late_cancel_at IS NOT NULL AS late_cancel,
                late_cancelled_at IS NOT NULL AS late_cancelled,
                EXISTS (SELECT FROM provider_cancels p WHERE p.attempt_id = attempts.id) AS asked_back, answered_by,
                claimed_at, absences
            FROM attempts WHERE call_id = ANY(:ids) ORDER BY call_id, attempt_no
        """),
        {"ids": list(call_ids)},
    )
    return [
        AttemptRow(
            **{
                **row._asdict(),
                "state": AttemptState(row.state),
                "outcome": Outcome(row.outcome) if row.outcome else None,
            }
        )
        for row in rows
    ]


def write_attempt_changes(connection: Connection, changes: Sequence[AttemptChange]) -> None:
    """Write attempts and what follows for their live rows: over → gone, ended → slot free, number still held.

    An attempt that was given up without a trace keeps both until no call of it could go on any more.
    """
    if not changes:
        return
    connection.execute(
        _WRITE_CHANGES,
        {
            "ids": [change.id for change in changes],
            "states": [change.state.value for change in changes],
            "provider_calls": [change.provider_call_id for change in changes],
            "connected": [change.connected for change in changes],
            "counts": [change.counts for change in changes],
            "outcomes": [change.outcome.value if change.outcome else None for change in changes],
            "dispositions": [change.disposition for change in changes],
            "reasons": [change.ended_reason for change in changes],
            "details": [change.detail for change in changes],
            "durations": [change.duration for change in changes],
            "costs": [None if change.cost_usd is None else float(change.cost_usd) for change in changes],
            "hung_up": [change.hung_up for change in changes],
            "rang": [change.rang for change in changes],
            "answered_by": [change.answered_by for change in changes],
            "requests": [change.requested_at for change in changes],
            "waits": [change.check_after for change in changes],
            "over": [_is_over(change) for change in changes],
        },
    )
    free_live(connection, [change.id for change in changes if _is_over(change) and not _is_given_up(change)])


# One statement for all: a statement for each cost Postgres three times as much.
_WRITE_CHANGES = text("""
    UPDATE attempts SET state = n.state, provider_call_id = n.provider_call_id, connected = n.connected,
        counts = n.counts, outcome = n.outcome, disposition = n.disposition, ended_reason = n.ended_reason,
        detail = n.detail, duration = n.duration, cost_usd = n.cost_usd, hung_up = n.hung_up, rang = n.rang,
        answered_by = n.answered_by,
        requested_at = coalesce(n.requested_at, attempts.requested_at),
        check_at = n.check_after + CASE
            WHEN n.state = 'in_progress' THEN greatest(clock_timestamp(), attempts.provider_due_from)
            ELSE clock_timestamp() END,
        absences = CASE WHEN n.state = 'fate_unknown' THEN attempts.absences ELSE 0 END,
        ended_at = CASE WHEN n.is_over OR n.state = 'ended' THEN coalesce(attempts.ended_at, clock_timestamp()) END,
        closed_at = CASE WHEN n.is_over THEN coalesce(attempts.closed_at, clock_timestamp()) END,
        needs_person = attempts.needs_person AND n.state = 'fate_unknown'
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:provider_calls AS text[]), CAST(:connected AS boolean[]),
        CAST(:counts AS boolean[]), CAST(:outcomes AS text[]), CAST(:dispositions AS text[]), CAST(:reasons AS text[]),
        CAST(:details AS text[]), CAST(:durations AS interval[]), CAST(:costs AS double precision[]),
        CAST(:hung_up AS boolean[]), CAST(:rang AS boolean[]), CAST(:answered_by AS text[]),
        CAST(:requests AS timestamptz[]), CAST(:waits AS interval[]), CAST(:over AS boolean[])
    ) AS n(id, state, provider_call_id, connected, counts, outcome, disposition, ended_reason, detail, duration,
        cost_usd, hung_up, rang, answered_by, requested_at, check_after, is_over)
    WHERE attempts.id = n.id
""")


def hold_again(connection: Connection, attempt_ids: Sequence[UUID]) -> list[UUID]:
    """Slot and number for attempts that turn out to be alive although both may have been given back.

    Returns those whose number another call holds by now: a person with two calls.
    """
    if not attempt_ids:
        return []
    rows = connection.execute(
        text("""
            WITH missing AS (
                SELECT t.number, t.id, t.call_id, t.campaign_id, a.limit_group,
                    clock_timestamp() + a.ring_timeout + a.max_duration + CAST(:margin AS interval) AS hold_until
                FROM attempts t JOIN accounts a ON a.name = t.account
                WHERE t.id = ANY(:ids) AND t.closed_at IS NULL
                    AND NOT EXISTS (SELECT FROM live WHERE live.attempt_id = t.id)
            ), held AS (
                INSERT INTO live (number, attempt_id, call_id, campaign_id, limit_group, hold_until)
                SELECT number, id, call_id, campaign_id, limit_group, hold_until FROM missing ORDER BY number
                ON CONFLICT DO NOTHING RETURNING attempt_id
            )
            SELECT id FROM missing WHERE id NOT IN (SELECT attempt_id FROM held)
        """),
        {"ids": list(attempt_ids), "margin": LIVE_MARGIN},
    )
    return [row.id for row in rows]


def free_live(connection: Connection, attempt_ids: Sequence[UUID]) -> None:
    """Give slot and number of these attempts back."""
    if attempt_ids:
        connection.execute(text("DELETE FROM live WHERE attempt_id = ANY(:ids)"), {"ids": list(attempt_ids)})


def free_slots(connection: Connection, attempt_ids: Sequence[UUID], *, grace: timedelta) -> None:
    """The conversations are over: the slots are free at once, the numbers stay locked for the report."""
    if attempt_ids:
        connection.execute(
            text("""
                UPDATE live SET holds_slot = false, hold_until = clock_timestamp() + CAST(:grace AS interval)
                WHERE attempt_id = ANY(:ids) AND holds_slot
            """),
            {"ids": list(attempt_ids), "grace": grace},
        )


def extend_live(connection: Connection, attempt_ids: Sequence[UUID], *, hold: timedelta) -> None:
    """The provider says that these calls are still going on."""
    if attempt_ids:
        connection.execute(
            text("""
                UPDATE live SET hold_until = greatest(hold_until, clock_timestamp() + CAST(:hold AS interval))
                WHERE attempt_id = ANY(:ids)
            """),
            {"ids": list(attempt_ids), "hold": hold},
        )


def raise_alarm(connection: Connection, *, kind: str, attempt_id: UUID | None, detail: str) -> None:
    """Something that must never happen, or that a person has to look at."""
    connection.execute(
        text("INSERT INTO alarms (kind, attempt_id, detail) VALUES (:kind, :attempt_id, :detail)"),
        {"kind": kind, "attempt_id": attempt_id, "detail": detail},
    )


def _is_over(change: AttemptChange) -> bool:
    return change.state in FINAL_ATTEMPT_STATES


def _is_given_up(change: AttemptChange) -> bool:
    return change.outcome is Outcome.UNKNOWN and change.provider_call_id is None


SKEW_STEP = timedelta(seconds=0.5)
"""A smaller change of a provider's clock is not written: its `Date` tells whole seconds."""


def note_trouble(connection: Connection, account: str, *, cooldown: timedelta | None, skew: timedelta | None) -> None:
    """What requests showed of the account: a pause to keep, a clock that moved by more than `SKEW_STEP`."""
    connection.execute(
        text("""
            UPDATE accounts SET
                cooldown_until = greatest(cooldown_until, clock_timestamp() + CAST(:cooldown AS interval)),
                clock_skew = coalesce(CAST(:skew AS interval), clock_skew)
            WHERE name = :account AND (CAST(:cooldown AS interval) IS NOT NULL
                OR abs(extract(epoch FROM clock_skew - CAST(:skew AS interval))) > extract(epoch FROM :step))
        """),
        {"account": account, "cooldown": cooldown, "skew": skew, "step": SKEW_STEP},
    )
