"""What is on record about people, as the gate is told of it. Read after the locks, in the claim's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from campaigns.compliance.facts import Consent, ConsentLevel, Purpose, ReassignedAnswer, Revocation, Suppression


@dataclass(frozen=True, slots=True)
class PriorAttempt:
    """A counted attempt. Instants on the campaign clock of its own campaign."""

    call_id: int
    number: str
    person: str | None
    debt: str | None
    at: datetime
    talked_until: datetime | None
    """When a conversation with a person ended; also set where one may have taken place."""


@dataclass(frozen=True, slots=True)
class NumberRecord:
    """What is on record about one number, whatever campaign it came from."""

    consents: tuple[Consent, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    reassigned: tuple[ReassignedAnswer, ...] = ()
    hung_up: bool = False


def number_records(connection: Connection, numbers: Sequence[str]) -> dict[str, NumberRecord]:
    """The records of these numbers; every one of them has one."""
    wanted = {"numbers": list(numbers)}
    consents, revocations = defaultdict[str, list[Consent]](list), defaultdict[str, list[Revocation]](list)
    suppressions, answers = defaultdict[str, list[Suppression]](list), defaultdict[str, list[ReassignedAnswer]](list)
    for row in connection.execute(_CONSENTS, wanted):
        consents[row.number].append(
            Consent(
                id=row.id,
                level=ConsentLevel(row.level),
                seller=row.seller,
                purpose=Purpose(row.purpose) if row.purpose else None,
                obtained_at=row.obtained_at,
                source=row.source,
                expires_at=row.expires_at,
                artificial_voice=row.artificial_voice,
            )
        )
    for row in connection.execute(_REVOCATIONS, wanted):
        revocations[row.number].append(Revocation(row.scope, row.scope_value, row.effective_at, row.id))
    for row in connection.execute(_SUPPRESSIONS, wanted):
        suppressions[row.number].append(Suppression(row.list_name, row.scope, row.scope_value))
    for row in connection.execute(_REASSIGNED, wanted):
        answers[row.number].append(ReassignedAnswer(row.answer, row.asked_since, row.answered_at))
    hung_up = set(connection.execute(_HUNG_UP, wanted).scalars())
    return {
        number: NumberRecord(
            tuple(consents[number]),
            tuple(revocations[number]),
            tuple(suppressions[number]),
            tuple(answers[number]),
            number in hung_up,
        )
        for number in numbers
    }


_CONSENTS = text("""
    SELECT id, number, level, seller, purpose, obtained_at, source, expires_at, artificial_voice
    FROM consents WHERE number = ANY(:numbers)
""")
_REVOCATIONS = text("SELECT id, number, scope, scope_value, effective_at FROM revocations WHERE number = ANY(:numbers)")
_SUPPRESSIONS = text("""
    SELECT number, list_name, scope, scope_value FROM suppressions
    WHERE number = ANY(:numbers) AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
""")
_REASSIGNED = text(
    "SELECT number, answer, asked_since, answered_at FROM reassigned_answers WHERE number = ANY(:numbers)"
)
_HUNG_UP = text("SELECT DISTINCT number FROM attempts WHERE number = ANY(:numbers) AND hung_up")


def prior_attempts(
    connection: Connection, *, numbers: Sequence[str], persons: Sequence[str], since: datetime
) -> list[PriorAttempt]:
    """Counted attempts to any of these numbers or people since then (campaign clock), the oldest first, each once."""
    rows = connection.execute(
        text(f"{_COUNTED} AND number = ANY(:numbers) UNION {_COUNTED} AND person = ANY(:persons) ORDER BY at"),
        {"numbers": list(numbers), "persons": list(persons), "since": since},
    )
    return [PriorAttempt(row.call_id, row.number, row.person, row.debt, row.at, row.talked_until) for row in rows]


# A connected attempt whose outcome nobody told us may have been a conversation.
_COUNTED = """
    SELECT id, call_id, number, person, debt, campaign_at AS at,
        CASE WHEN outcome = 'answered' OR (connected AND coalesce(outcome, 'unknown') = 'unknown')
            THEN campaign_at + coalesce(duration, interval '0') END AS talked_until
    FROM attempts WHERE counts AND campaign_at >= :since
"""


@dataclass(frozen=True, slots=True)
class Rulings:
    """What operators put on record about jurisdictions, by their keys."""

    counsel_allows: frozenset[str] = frozenset()
    emergencies: frozenset[str] = frozenset()


def rulings_in_force(connection: Connection) -> Rulings:
    """The newest ruling on each subject of each jurisdiction."""
    newest: Mapping[tuple[str, str], str] = {
        (row.subject, row.jurisdiction): row.decision
        for row in connection.execute(
            text("""
                SELECT DISTINCT ON (subject, jurisdiction) subject, jurisdiction, decision
                FROM rulings ORDER BY subject, jurisdiction, id DESC
            """)
        )
    }
    return Rulings(
        counsel_allows=_keys(newest, subject="ai_voice", decision="allow"),
        emergencies=_keys(newest, subject="emergency", decision="declared"),
    )


def _keys(newest: Mapping[tuple[str, str], str], *, subject: str, decision: str) -> frozenset[str]:
    return frozenset(key for (of, key), decided in newest.items() if of == subject and decided == decision)
