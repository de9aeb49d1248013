"""What waits for a person, and the marks of what a person decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.calls.states import AttemptState, CallState


@dataclass(frozen=True, slots=True)
class UnknownFate:
    """An attempt that nobody could find out about. `number`: whole, to be masked before it is shown."""

    attempt_id: UUID
    call_id: int
    campaign: str
    account: str
    number: str
    line: str
    claimed_at: datetime
    why: str | None
    absences: int
    call_state: str


@dataclass(frozen=True, slots=True)
class LateRing:
    """A call that its provider holds and does not let ring."""

    attempt_id: UUID
    call_id: int
    campaign: str
    account: str
    number: str
    provider_call_id: str | None
    late_ring_at: datetime


@dataclass(frozen=True, slots=True)
class Stray:
    """A provider's call that no attempt explains."""

    account: str
    provider_call_id: str
    created_at: datetime | None
    first_seen_at: datetime
    attempt_id: UUID | None
    waiting_calls: Sequence[int]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that nobody has dealt with."""

    id: int
    raised_at: datetime
    kind: str
    attempt_id: UUID | None
    detail: str


@dataclass(frozen=True, slots=True)
class DecidedAttempt:
    """An attempt as a decision finds it; its call is locked."""

    id: UUID
    account: str
    number: str
    state: AttemptState
    needs_person: bool
    call_id: int


@dataclass(frozen=True, slots=True)
class OperationOnRecord:
    """Who did what, when."""

    operator: str
    happened_at: datetime
    detail: str


def unknown_fates(connection: Connection, *, over: bool) -> list[UnknownFate]:
    """Attempts that need a person, the oldest first. `over`: those too whose call has ended without an answer."""
    rows = connection.execute(
        text("""
            SELECT t.id AS attempt_id, t.call_id, k.name AS campaign, t.account, t.number, t.line, t.claimed_at,
                t.detail AS why, t.absences, c.state AS call_state
            FROM attempts t JOIN calls c ON c.id = t.call_id JOIN campaigns k ON k.id = t.campaign_id
            WHERE t.state = 'fate_unknown' AND t.closed_at IS NULL AND t.needs_person
                AND (CAST(:over AS boolean) OR c.state = 'fate_unknown')
            ORDER BY t.claimed_at, t.id
        """),
        {"over": over},
    )
    return [UnknownFate(**row._asdict()) for row in rows]


def late_rings(connection: Connection) -> list[LateRing]:
    """Calls that were accepted long ago and have not rung, as far as anybody knows."""
    rows = connection.execute(
        text("""
            SELECT t.id AS attempt_id, t.call_id, k.name AS campaign, t.account, t.number, t.provider_call_id,
                t.late_ring_at
            FROM attempts t JOIN campaigns k ON k.id = t.campaign_id
            WHERE t.state = 'in_progress' AND t.closed_at IS NULL AND t.late_ring_at IS NOT NULL AND NOT t.rang
            ORDER BY t.late_ring_at, t.id
        """)
    )
    return [LateRing(**row._asdict()) for row in rows]


def open_strays(connection: Connection) -> list[Stray]:
    """Calls that nobody has explained, the oldest first."""
    rows = connection.execute(
        text("""
            SELECT account, provider_call_id, created_at, first_seen_at, attempt_id, waiting_calls
            FROM stray_calls WHERE resolved_at IS NULL ORDER BY coalesce(created_at, first_seen_at), provider_call_id
        """)
    )
    return [Stray(**row._asdict()) for row in rows]


def open_alarms(connection: Connection, *, elsewhere: Sequence[str], most: int) -> list[Alarm]:
    """Alarms that nobody has dealt with, the newest first; not of kinds that are shown `elsewhere`, nor of strays."""
    rows = connection.execute(
        text("""
            SELECT a.id, a.raised_at, a.kind, a.attempt_id, a.detail FROM alarms a
            WHERE a.resolved_at IS NULL AND a.kind <> ALL(:elsewhere) AND NOT EXISTS (
                SELECT FROM stray_calls s WHERE s.resolved_at IS NULL
                    AND a.detail = s.account || ': ' || s.provider_call_id)
            ORDER BY a.id DESC LIMIT :most
        """),
        {"elsewhere": list(elsewhere), "most": most},
    )
    return [Alarm(**row._asdict()) for row in rows]


# --- deciding --------------------------------------------------------------------------------------------------------


def decided_attempt(connection: Connection, attempt_id: UUID) -> DecidedAttempt | None:
    """The attempt as it stands; lock its call first."""
    row = connection.execute(
        text("SELECT id, account, number, state, needs_person, call_id FROM attempts WHERE id = :id"),
        {"id": attempt_id},
    ).one_or_none()
    return None if row is None else DecidedAttempt(**{**row._asdict(), "state": AttemptState(row.state)})


def newest_operation(connection: Connection, *, action: str, subject: str) -> OperationOnRecord | None:
    """The last time that somebody did this to it."""
    row = connection.execute(
        text("""
            SELECT operator, happened_at, detail FROM operations WHERE action = :action AND subject = :subject
            ORDER BY id DESC LIMIT 1
        """),
        {"action": action, "subject": subject},
    ).one_or_none()
    return None if row is None else OperationOnRecord(**row._asdict())


def call_state(connection: Connection, call_id: int) -> CallState:
    """Where the call stands now."""
    value = connection.execute(text("SELECT state FROM calls WHERE id = :id"), {"id": call_id}).scalar_one()
    return CallState(value)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A stray or an alarm after somebody dealt with it. `now` False: somebody else did so before."""

    now: bool
    by: str
    at: datetime
    resolution: str
    waiting_calls: Sequence[int] = ()


def resolve_stray(
    connection: Connection, account: str, provider_call_id: str, *, operator: str, resolution: str
) -> Resolved | None:
    """Mark it as explained, once; None: there is no such stray."""
    changed = connection.execute(
        text("""
            UPDATE stray_calls SET resolved_at = clock_timestamp(), resolved_by = :operator, resolution = :resolution
            WHERE account = :account AND provider_call_id = :call AND resolved_at IS NULL
        """),
        {"account": account, "call": provider_call_id, "operator": operator, "resolution": resolution},
    ).rowcount
    row = connection.execute(
        text("""
            SELECT resolved_by, resolved_at, resolution, waiting_calls FROM stray_calls
            WHERE account = :account AND provider_call_id = :call
        """),
        {"account": account, "call": provider_call_id},
    ).one_or_none()
    if row is None:
        return None
    return Resolved(changed == 1, row.resolved_by, row.resolved_at, row.resolution, row.waiting_calls)


def resolve_alarm(connection: Connection, alarm_id: int, *, operator: str, resolution: str) -> Resolved | None:
    """Mark it as dealt with, once; None: there is no such alarm."""
    changed = connection.execute(
        text("""
            UPDATE alarms SET resolved_at = clock_timestamp(), resolved_by = :operator, resolution = :resolution
            WHERE id = :id AND resolved_at IS NULL
        """),
        {"id": alarm_id, "operator": operator, "resolution": resolution},
    ).rowcount
    row = connection.execute(
        text("SELECT resolved_by, resolved_at, resolution FROM alarms WHERE id = :id"), {"id": alarm_id}
    ).one_or_none()
    return None if row is None else Resolved(changed == 1, row.resolved_by, row.resolved_at, row.resolution)


def resolve_alarms_of(connection: Connection, detail: str, *, kinds: Sequence[str], operator: str) -> None:
    """The alarms that told of what has just been resolved."""
    connection.execute(
        text("""
            UPDATE alarms SET resolved_at = clock_timestamp(), resolved_by = :operator, resolution = 'with its cause'
            WHERE detail = :detail AND kind = ANY(:kinds) AND resolved_at IS NULL
        """),
        {"detail": detail, "kinds": list(kinds), "operator": operator},
    )


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that is not over, locked."""

    id: int
    state: CallState
    epoch: int


def lock_waiting_calls(connection: Connection, call_ids: Sequence[int]) -> list[WaitingCall]:
    """Lock those of these calls that are not over, by id."""
    rows = connection.execute(
        text("""
            SELECT id, state, epoch FROM calls WHERE id = ANY(:ids) AND final_at IS NULL ORDER BY id FOR UPDATE
        """),
        {"ids": list(call_ids)},
    )
    return [WaitingCall(row.id, CallState(row.state), row.epoch) for row in rows]
