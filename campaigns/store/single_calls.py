"""What became of the few calls of one campaign: for whoever waits at a terminal for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.calls.outcomes import Outcome
from campaigns.calls.states import AttemptState, CallState


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call with its newest attempt and its newest refusal, whatever of them there is."""

    row_number: int
    call_id: int
    state: CallState
    reason: str | None
    due_at: datetime | None
    attempt_id: UUID | None
    attempt_state: AttemptState | None
    provider_call_id: str | None
    connected: bool | None
    outcome: Outcome | None
    detail: str | None
    duration: timedelta | None
    due_from: datetime | None
    due_until: datetime | None
    needs_person: bool | None
    rule_id: str | None
    rule_detail: str | None


@dataclass(frozen=True, slots=True)
class RejectRow:
    row_number: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """The one run of such a campaign."""

    campaign_id: int
    limit_group: str
    state: str
    state_reason: str | None
    provider_from: datetime | None
    provider_until: datetime | None
    age: timedelta
    """Machine time since it was submitted."""


def run_of(connection: Connection, name: str) -> RunRow | None:
    """The newest run of the campaign of that name."""
    row = connection.execute(
        text("""
            SELECT r.campaign_id, a.limit_group, r.state, r.state_reason, r.provider_from, r.provider_until,
                clock_timestamp() - r.created_at AS age
            FROM runs r JOIN campaigns c ON c.id = r.campaign_id JOIN accounts a ON a.name = c.account
            WHERE c.name = :name ORDER BY r.id DESC LIMIT 1
        """),
        {"name": name},
    ).one_or_none()
    return None if row is None else RunRow(**row._asdict())


def calls_of(connection: Connection, campaign_id: int) -> list[CallRow]:
    """Its calls, in the order of the list."""
    rows = connection.execute(
        text("""
            SELECT u.row_number, q.id AS call_id, q.state, q.reason, q.due_at, t.id AS attempt_id,
                t.state AS attempt_state, t.provider_call_id, t.connected, t.outcome, t.detail, t.duration,
                t.provider_due_from AS due_from, t.provider_due_until AS due_until, t.needs_person, d.rule_id,
                (SELECT c ->> 'detail' FROM jsonb_array_elements(d.checks) c WHERE c ->> 'rule_id' = d.rule_id LIMIT 1)
                    AS rule_detail
            FROM calls q JOIN customers u ON u.id = q.id
            LEFT JOIN LATERAL (SELECT * FROM attempts WHERE call_id = q.id ORDER BY attempt_no DESC LIMIT 1) t ON true
            LEFT JOIN LATERAL (SELECT * FROM decisions WHERE call_id = q.id ORDER BY id DESC LIMIT 1) d
                ON d.verdict = 'refusal'
            WHERE q.campaign_id = :campaign_id ORDER BY u.row_number
        """),
        {"campaign_id": campaign_id},
    )
    return [CallRow(**{**row._asdict(), **_typed(row.state, row.attempt_state, row.outcome)}) for row in rows]


def rejects_of(connection: Connection, campaign_id: int) -> list[RejectRow]:
    """Rows of its list that became no customer."""
    rows = connection.execute(
        text("""
            SELECT j.row_number, j.reason, j.detail FROM rejects j JOIN runs r ON r.id = j.run_id
            WHERE r.campaign_id = :campaign_id ORDER BY j.row_number
        """),
        {"campaign_id": campaign_id},
    )
    return [RejectRow(**row._asdict()) for row in rows]


def held_by(connection: Connection, account: str) -> str | None:
    """What keeps this account from dialing until a person ends it; None: nothing does."""
    row = connection.execute(
        text("""
            SELECT s.stopped, coalesce(a.unproven_reason, a.paused_reason) AS paused_reason
            FROM system s LEFT JOIN accounts a ON a.name = :account
        """),
        {"account": account},
    ).one()
    if row.stopped:
        return "all campaigns are stopped; `ringfence start` lets them go on"
    return f"the account is paused: {row.paused_reason}" if row.paused_reason else None


def own_number_consent_at(connection: Connection, number: str, *, seller: str, source: str) -> datetime | None:
    """When this number was first called as an own one for this seller; None: never."""
    at: datetime | None = connection.execute(
        text("SELECT min(obtained_at) FROM consents WHERE number = :number AND seller = :seller AND source = :source"),
        {"number": number, "seller": seller, "source": source},
    ).scalar_one()
    return at


def was_revoked(connection: Connection, number: str) -> bool:
    """Whether anything at all was ever revoked for this number."""
    return bool(
        connection.execute(
            text("SELECT EXISTS (SELECT FROM revocations WHERE number = :number)"), {"number": number}
        ).scalar_one()
    )


def _typed(state: str, attempt_state: str | None, outcome: str | None) -> dict[str, object]:
    return {
        "state": CallState(state),
        "attempt_state": AttemptState(attempt_state) if attempt_state else None,
        "outcome": Outcome(outcome) if outcome else None,
    }
