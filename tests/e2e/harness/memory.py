"""A memory for what passes quickly: an attempt may be of unknown fate for a second only.

A trigger of the test's own writes it down, in a table that the product does not know.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, text

_STATEMENTS = (
    """
    CREATE TABLE e2e_fates (
        attempt_id uuid NOT NULL,
        campaign_id bigint NOT NULL,
        needs_person boolean NOT NULL,
        PRIMARY KEY (attempt_id, needs_person)
    )
    """,
    """
    CREATE FUNCTION e2e_note_fate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO e2e_fates VALUES (NEW.id, NEW.campaign_id, NEW.needs_person) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER e2e_note_fate AFTER INSERT OR UPDATE ON attempts
    FOR EACH ROW WHEN (NEW.state = 'fate_unknown') EXECUTE FUNCTION e2e_note_fate()
    """,
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Attempts of one campaign."""

    unknown: frozenset[str]
    """Their fate was unknown at some moment."""
    held: frozenset[str]
    """Those of them that were put before a person."""


def remember_fates(database: Engine) -> None:
    """From now on."""
    with database.begin() as connection:
        for statement in _STATEMENTS:
            connection.execute(text(statement))


def remembered(database: Engine, campaign_id: int) -> Remembered:
    """All of it."""
    with database.begin() as connection:
        rows = connection.execute(
            text("SELECT CAST(attempt_id AS text) AS id, needs_person FROM e2e_fates WHERE campaign_id = :id"),
            {"id": campaign_id},
        ).all()
    return Remembered(
        unknown=frozenset(row.id for row in rows), held=frozenset(row.id for row in rows if row.needs_person)
    )
