"""Revocations: what is put on record when a person takes consent back, and the waiting calls that end with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.compliance.facts import Purpose, Revocation
from campaigns.compliance.revocations import RevocationScope, Subject


@dataclass(frozen=True, slots=True)
class NewRevocation:
    """A revocation as it came in. `received_at` None: now. `attempt_id`: the call in which it was spoken."""

    number: str
    scope: RevocationScope
    scope_value: str | None
    channel: str
    words: str | None = None
    received_at: datetime | None = None
    attempt_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StoredRevocation:
    """A revocation on record. It beats every consent obtained at or before `effective_at`."""

    id: int
    number: str
    scope: RevocationScope
    scope_value: str | None
    received_at: datetime
    effective_at: datetime

    @property
    def as_fact(self) -> Revocation:
        """As the gate is told of it."""
        return Revocation(self.scope, self.scope_value, self.effective_at)


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A locked call that is scheduled, and what it is about."""

    id: int
    epoch: int
    subject: Subject


_ADD = text("""
    INSERT INTO revocations (number, scope, scope_value, effective_at, received_at, channel, words, attempt_id,
        recorded_by)
    SELECT :number, :scope, :scope_value, t.received_at, t.received_at, :channel, :words, :attempt_id, :recorded_by
    FROM (SELECT coalesce(CAST(:received_at AS timestamptz), clock_timestamp()) AS received_at) t
    ON CONFLICT (attempt_id) WHERE attempt_id IS NOT NULL DO NOTHING
    RETURNING id, number, scope, scope_value, received_at, effective_at
""")


def add_revocation(connection: Connection, new: NewRevocation, *, recorded_by: str) -> StoredRevocation | None:
    """Put it on record; None when the one of this attempt is there already."""
    row = connection.execute(
        _ADD,
        {
            "number": new.number,
            "scope": new.scope,
            "scope_value": new.scope_value,
            "received_at": new.received_at,
            "channel": new.channel,
            "words": new.words,
            "attempt_id": new.attempt_id,
            "recorded_by": recorded_by,
        },
    ).one_or_none()
    return None if row is None else StoredRevocation(**row._asdict())


def scheduled_calls(connection: Connection, revocation: StoredRevocation) -> list[WaitingCall]:
    """Lock the number's scheduled calls, unless a consent younger than the revocation leaves them to the gate.

    Rows that somebody holds right now are passed over: whoever waits for locks
    here, with calls of its own locked already, could wait in a circle. They are refused when they are claimed.
    """
    rows = connection.execute(
        text("""
            SELECT q.id, q.epoch, c.name AS campaign, v.definition ->> 'purpose' AS purpose,
                v.definition ->> 'seller' AS seller
            FROM calls q JOIN campaigns c ON c.id = q.campaign_id
            JOIN runs n ON n.id = q.run_id JOIN campaign_versions v ON v.id = n.version_id
            WHERE q.number = :number AND q.state = 'scheduled'
                AND NOT EXISTS (SELECT FROM consents s WHERE s.number = :number AND s.obtained_at > :effective_at)
            ORDER BY q.id FOR UPDATE OF q SKIP LOCKED
        """),
        {"number": revocation.number, "effective_at": revocation.effective_at},
    )
    return [WaitingCall(row.id, row.epoch, Subject(row.campaign, Purpose(row.purpose), row.seller)) for row in rows]


def add_return(connection: Connection, revocation_id: int, *, calls_blocked: int) -> datetime:
    """Note that from now on no request to the number can leave; returns that instant."""
    returned_at: datetime = connection.execute(
        text("""
            INSERT INTO revocation_returns (revocation_id, returned_at, calls_blocked)
            VALUES (:id, clock_timestamp(), :calls_blocked) RETURNING returned_at
        """),
        {"id": revocation_id, "calls_blocked": calls_blocked},
    ).scalar_one()
    return returned_at


@dataclass(frozen=True, slots=True)
class RevocationOnRecord:
    """A revocation with all that is known of it."""

    id: int
    scope: RevocationScope
    scope_value: str | None
    received_at: datetime | None
    effective_at: datetime
    returned_at: datetime | None
    """From then on no request could leave. None: spoken in a call of ours, or the command was killed meanwhile."""
    channel: str
    words: str | None
    attempt_id: UUID | None
    recorded_by: str


def revocations_of(connection: Connection, number: str) -> Sequence[RevocationOnRecord]:
    """Every revocation of one number, the oldest first."""
    rows = connection.execute(
        text("""
            SELECT r.id, r.scope, r.scope_value, r.received_at, r.effective_at, b.returned_at, r.channel, r.words,
                r.attempt_id, r.recorded_by
            FROM revocations r LEFT JOIN revocation_returns b ON b.revocation_id = r.id
            WHERE r.number = :number ORDER BY r.effective_at, r.id
        """),
        {"number": number},
    )
    return [RevocationOnRecord(**row._asdict()) for row in rows]


def known_sellers(connection: Connection) -> list[str]:
    """Every seller that a campaign calls for or a consent names."""
    rows = connection.execute(
        text("SELECT definition ->> 'seller' FROM campaign_versions UNION SELECT seller FROM consents ORDER BY 1")
    )
    return list(rows.scalars())
