"""What people decided: rulings on jurisdictions, approvals of campaign versions. Append-only."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class SubmittedVersion:
    """The newest version of a campaign, and who submitted it."""

    id: int
    purpose: str
    submitted_by: str


def add_ruling(
    connection: Connection, *, jurisdiction: str, subject: str, decision: str, reason: str, operator: str
) -> bool:
    """Put a ruling on record unless the newest one says the same. Returns whether it changed anything."""
    added = connection.execute(
        text("""
            INSERT INTO rulings (jurisdiction, subject, decision, reason, recorded_by)
            SELECT :jurisdiction, :subject, :decision, :reason, :operator
            WHERE :decision IS DISTINCT FROM (
                SELECT decision FROM rulings WHERE subject = :subject AND jurisdiction = :jurisdiction
                ORDER BY id DESC LIMIT 1)
        """),
        {
            "jurisdiction": jurisdiction,
            "subject": subject,
            "decision": decision,
            "reason": reason,
            "operator": operator,
        },
    )
    return added.rowcount == 1


def newest_version(connection: Connection, campaign: str) -> SubmittedVersion | None:
    """The version that the next run of a campaign dials by; None: no campaign of that name."""
    row = connection.execute(
        text("""
            SELECT v.id, v.definition ->> 'purpose' AS purpose, v.submitted_by
            FROM campaigns c JOIN campaign_versions v ON v.campaign_id = c.id
            WHERE c.name = :name ORDER BY v.number DESC LIMIT 1
        """),
        {"name": campaign},
    ).one_or_none()
    return None if row is None else SubmittedVersion(row.id, row.purpose, row.submitted_by)


def add_approval(connection: Connection, version_id: int, *, subject: str, reason: str, operator: str) -> bool:
    """Put an approval on record; False: this operator had approved it before."""
    added = connection.execute(
        text("""
            INSERT INTO approvals (version_id, subject, reason, recorded_by)
            VALUES (:version_id, :subject, :reason, :operator) ON CONFLICT DO NOTHING
        """),
        {"version_id": version_id, "subject": subject, "reason": reason, "operator": operator},
    )
    return added.rowcount == 1
