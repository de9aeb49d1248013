"""Consent records: append-only, each on record once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from campaigns.compliance.facts import ConsentLevel, Purpose
from campaigns.customers.consent_row import ConsentRecord


@dataclass(frozen=True, slots=True)
class ListedConsent:
    """A consent with its row in the list that brought it; None: it was typed in."""

    record: ConsentRecord
    row_number: int | None = None


@dataclass(frozen=True, slots=True)
class ConsentOnRecord:
    """A consent with all that is known of it. `campaign`: whose customer list brought it."""

    id: int
    level: ConsentLevel
    seller: str
    purpose: Purpose | None
    obtained_at: datetime
    expires_at: datetime | None
    artificial_voice: bool | None
    source: str
    channel: str | None
    person: str | None
    evidence: Mapping[str, Any]
    evidence_digest: str | None
    campaign: str | None
    row_number: int | None
    source_digest: str | None
    recorded_at: datetime
    recorded_by: str


_ADD = text("""
    INSERT INTO consents (number, level, seller, purpose, obtained_at, source, expires_at, artificial_voice, channel,
        person, evidence, evidence_digest, row_number, source_digest, recorded_by)
    SELECT n.number, n.level, n.seller, n.purpose, n.obtained_at, n.source, n.expires_at, n.artificial_voice, n.channel,
        n.person, n.evidence, n.evidence_digest, n.row_number, :source_digest, :recorded_by
    FROM unnest(CAST(:numbers AS text[]), CAST(:levels AS text[]), CAST(:sellers AS text[]), CAST(:purposes AS text[]),
        CAST(:obtained AS timestamptz[]), CAST(:sources AS text[]), CAST(:expires AS timestamptz[]),
        CAST(:voices AS boolean[]), CAST(:channels AS text[]), CAST(:persons AS text[]), CAST(:evidence AS jsonb[]),
        CAST(:digests AS text[]), CAST(:rows AS bigint[]))
        AS n(number, level, seller, purpose, obtained_at, source, expires_at, artificial_voice, channel, person,
            evidence, evidence_digest, row_number)
    ON CONFLICT DO NOTHING
""")


def add_consents(
    connection: Connection,
    consents: Sequence[ListedConsent],
    *,
    file: str | None,
    source_digest: str | None,
    recorded_by: str,
) -> int:
    """Put them on record; returns how many were new. `file` and its SHA-256: the list that brought them."""
    records = [each.record for each in consents]
    origin = {"file": file} if file else {}
    return connection.execute(
        _ADD,
        {
            "source_digest": source_digest,
            "recorded_by": recorded_by,
            "numbers": [each.number for each in records],
            "levels": [each.level.value for each in records],
            "sellers": [each.seller for each in records],
            "purposes": [each.purpose.value if each.purpose else None for each in records],
            "obtained": [each.obtained_at for each in records],
            "sources": [each.source for each in records],
            "expires": [each.expires_at for each in records],
            "voices": [each.artificial_voice for each in records],
            "channels": [each.channel for each in records],
            "persons": [each.person for each in records],
            "evidence": [json.dumps({**each.evidence, **origin}, ensure_ascii=False) for each in records],
            "digests": [each.evidence_digest for each in records],
            "rows": [each.row_number for each in consents],
        },
    ).rowcount


def consents_of(connection: Connection, number: str) -> list[ConsentOnRecord]:
    """Every consent of one number, the oldest first."""
    rows = connection.execute(
        text("""
            SELECT s.id, s.level, s.seller, s.purpose, s.obtained_at, s.expires_at, s.artificial_voice, s.source,
                s.channel, s.person, s.evidence, s.evidence_digest, c.name AS campaign, s.row_number, s.source_digest,
                s.recorded_at, s.recorded_by
            FROM consents s LEFT JOIN runs r ON r.id = s.run_id LEFT JOIN campaigns c ON c.id = r.campaign_id
            WHERE s.number = :number ORDER BY s.obtained_at, s.id
        """),
        {"number": number},
    )
    return [
        ConsentOnRecord(
            **{
                **row._asdict(),
                "level": ConsentLevel(row.level),
                "purpose": Purpose(row.purpose) if row.purpose else None,
            }
        )
        for row in rows
    ]
