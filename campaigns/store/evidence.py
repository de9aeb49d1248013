"""What is on record about people, as the gate is told of it. Read after the locks, in the claim's transaction."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

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
    told = defaultdict[tuple[str, str], list[Any]](list)
    for row in connection.execute(_RECORDS, {"numbers": list(numbers)}).all():
        told[row.number, row.kind].append(_READ[row.kind](row.told))
    return {
        number: NumberRecord(
            tuple(told[number, "consent"]),
            tuple(told[number, "revocation"]),
            tuple(told[number, "suppression"]),
            tuple(told[number, "reassigned"]),
            bool(told[number, "hung_up"]),
        )
        for number in numbers
    }


# One statement for all that is kept by number: most of it is empty for most people, and a statement has its price.
_RECORDS = text("""
    SELECT 'consent' AS kind, number, jsonb_build_object('id', id, 'level', level, 'seller', seller,
        'purpose', purpose, 'obtained_at', obtained_at, 'source', source, 'expires_at', expires_at,
        'artificial_voice', artificial_voice) AS told
    FROM consents WHERE number = ANY(:numbers)
    UNION ALL
    SELECT 'revocation', number, jsonb_build_object('scope', scope, 'scope_value', scope_value,
        'effective_at', effective_at, 'id', id)
    FROM revocations WHERE number = ANY(:numbers)
    UNION ALL
    SELECT 'suppression', number, jsonb_build_object('list_name', list_name, 'scope', scope, 'scope_value', scope_value)
    FROM suppressions
    WHERE number = ANY(:numbers) AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
    UNION ALL
    SELECT 'reassigned', number, jsonb_build_object('answer', answer, 'asked_since', asked_since,
        'answered_at', answered_at)
    FROM reassigned_answers WHERE number = ANY(:numbers)
    UNION ALL
    SELECT DISTINCT 'hung_up', number, 'null'::jsonb FROM attempts WHERE number = ANY(:numbers) AND hung_up
""")


def _consent(told: Mapping[str, Any]) -> Consent:
    return Consent(
        id=told["id"],
        level=ConsentLevel(told["level"]),
        seller=told["seller"],
        purpose=Purpose(told["purpose"]) if told["purpose"] else None,
        obtained_at=datetime.fromisoformat(told["obtained_at"]),
        source=told["source"],
        expires_at=datetime.fromisoformat(told["expires_at"]) if told["expires_at"] else None,
        artificial_voice=told["artificial_voice"],
    )


def _revocation(told: Mapping[str, Any]) -> Revocation:
    effective_at = datetime.fromisoformat(told["effective_at"])
    return Revocation(told["scope"], told["scope_value"], effective_at, told["id"])


def _reassigned(told: Mapping[str, Any]) -> ReassignedAnswer:
    asked_since, answered_at = date.fromisoformat(told["asked_since"]), datetime.fromisoformat(told["answered_at"])
    return ReassignedAnswer(told["answer"], asked_since, answered_at)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "consent": _consent,
    "revocation": _revocation,
    "suppression": lambda told: Suppression(told["list_name"], told["scope"], told["scope_value"]),
    "reassigned": _reassigned,
    "hung_up": lambda _: True,
}


def prior_attempts(
    connection: Connection, *, numbers: Sequence[str], persons: Sequence[str], since: datetime
) -> list[PriorAttempt]:
    """Counted attempts to any of these numbers or people since then (campaign clock), the oldest first, each once."""
    if persons:
        wanted = {"numbers": list(numbers), "persons": list(persons), "since": since}
        rows = connection.execute(_COUNTED_BY_PERSON, wanted)
    else:
        rows = connection.execute(_COUNTED_BY_NUMBER, {"numbers": list(numbers), "since": since})
    return [PriorAttempt(row.call_id, row.number, row.person, row.debt, row.at, row.talked_until) for row in rows]


# A connected attempt whose outcome nobody told us may have been a conversation.
_COUNTED = """
    SELECT id, call_id, number, person, debt, campaign_at AS at,
        CASE WHEN outcome = 'answered' OR (connected AND coalesce(outcome, 'unknown') = 'unknown')
            THEN campaign_at + coalesce(duration, interval '0') END AS talked_until
    FROM attempts WHERE counts AND campaign_at >= :since
"""
_COUNTED_BY_NUMBER = text(f"{_COUNTED} AND number = ANY(:numbers) ORDER BY at")
_COUNTED_BY_PERSON = text(
    f"{_COUNTED} AND number = ANY(:numbers) UNION {_COUNTED} AND person = ANY(:persons) ORDER BY at"
)


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
