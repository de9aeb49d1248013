"""Suppression lists in rows: who is on them, by whom, until when. A removed entry stays, as a record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from sqlalchemy import Connection, text

Scope = Literal["all", "seller", "campaign"]


@dataclass(frozen=True, slots=True)
class ListTarget:
    """Where entries go: a list, and whose calls they stop. `scope_value` None exactly for `all`."""

    list_name: str
    scope: Scope = "all"
    scope_value: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One number on one list."""

    id: int
    list_name: str
    scope: Scope
    scope_value: str | None
    source: str
    added_at: datetime
    added_by: str
    expires_at: datetime | None
    removed_at: datetime | None
    removed_by: str | None
    note: str


_STAGE = "CREATE TEMPORARY TABLE IF NOT EXISTS suppression_stage (number text NOT NULL) ON COMMIT DROP"
# An entry that ends sooner than the new one makes room for it; one that lasts as long stays as it is.
_END_SHORTER = text("""
    UPDATE suppressions s SET removed_at = clock_timestamp(), removed_by = :added_by, note = 'renewed for longer'
    WHERE s.removed_at IS NULL AND s.list_name = :list_name AND s.scope = :scope
        AND s.scope_value IS NOT DISTINCT FROM CAST(:scope_value AS text)
        AND s.expires_at < coalesce(CAST(:expires_at AS timestamptz), 'infinity')
        AND s.number IN (SELECT number FROM suppression_stage)
""")
_ADD = text("""
    INSERT INTO suppressions (number, list_name, scope, scope_value, source, expires_at, note, version_id, added_by)
    SELECT DISTINCT number, :list_name, :scope, CAST(:scope_value AS text), :source,
        CAST(:expires_at AS timestamptz), :note, CAST(:version_id AS bigint), :added_by
    FROM suppression_stage ORDER BY number
    ON CONFLICT DO NOTHING
""")
_END_ABSENT = text("""
    UPDATE suppressions s SET removed_at = clock_timestamp(), removed_by = :removed_by,
        note = 'not in the version imported since'
    WHERE s.removed_at IS NULL AND s.list_name = :list_name AND s.version_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM suppression_stage g WHERE g.number = s.number)
""")


def stage_numbers(connection: Connection, numbers: Iterable[str]) -> int:
    """Bring E.164 numbers into this transaction's own table by COPY, in bounded memory; returns how many differ."""
    connection.execute(text(_STAGE))
    with _driver(connection).cursor() as cursor, cursor.copy("COPY suppression_stage (number) FROM STDIN") as copy:
        for number in numbers:
            copy.write_row((number,))
    connection.execute(text("ANALYZE suppression_stage"))
    distinct: int = connection.execute(text("SELECT count(DISTINCT number) FROM suppression_stage")).scalar_one()
    return distinct


def add_staged(
    connection: Connection,
    target: ListTarget,
    *,
    source: str,
    added_by: str,
    expires_at: datetime | None = None,
    note: str = "",
    version_id: int | None = None,
) -> int:
    """Put the staged numbers on a list; those on it for as long already stay. Returns how many were written."""
    values = {
        "list_name": target.list_name,
        "scope": target.scope,
        "scope_value": target.scope_value,
        "source": source,
        "added_by": added_by,
        "expires_at": expires_at,
        "note": note,
        "version_id": version_id,
    }
    connection.execute(_END_SHORTER, values)
    return connection.execute(_ADD, values).rowcount


def end_absent(connection: Connection, list_name: str, *, removed_by: str) -> int:
    """End the entries of earlier imports that the staged version lacks; what was added by hand stays."""
    return connection.execute(_END_ABSENT, {"list_name": list_name, "removed_by": removed_by}).rowcount


def remove_entries(
    connection: Connection, numbers: Sequence[str], target: ListTarget, *, removed_by: str, note: str
) -> set[str]:
    """End the entries of these numbers on a list; returns the numbers that were on it.

    `note` goes behind what the entry says of itself, which is evidence too.
    """
    rows = connection.execute(
        text("""
            UPDATE suppressions SET removed_at = clock_timestamp(), removed_by = :removed_by,
                note = concat_ws('; ', nullif(note, ''), nullif(CAST(:note AS text), ''))
            WHERE removed_at IS NULL AND number = ANY(:numbers) AND list_name = :list_name AND scope = :scope
                AND scope_value IS NOT DISTINCT FROM CAST(:scope_value AS text)
            RETURNING number
        """),
        {
            "numbers": sorted(numbers),
            "list_name": target.list_name,
            "scope": target.scope,
            "scope_value": target.scope_value,
            "removed_by": removed_by,
            "note": note,
        },
    )
    return set(rows.scalars())


def entries_of(connection: Connection, number: str) -> list[Entry]:
    """Every entry that a number has now, the oldest first; ended and expired ones left out."""
    rows = connection.execute(
        text("""
            SELECT id, list_name, scope, scope_value, source, added_at, added_by, expires_at, removed_at, removed_by,
                note
            FROM suppressions WHERE number = :number AND removed_at IS NULL
                AND (expires_at IS NULL OR expires_at > clock_timestamp())
            ORDER BY id
        """),
        {"number": number},
    )
    return [Entry(**row._asdict()) for row in rows]


def suppressed_numbers(connection: Connection, numbers: Sequence[str]) -> set[str]:
    """Those of `numbers` that some list holds for everybody now."""
    rows = connection.execute(
        text("""
            SELECT DISTINCT number FROM suppressions WHERE number = ANY(:numbers) AND scope = 'all'
                AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
        """),
        {"numbers": list(numbers)},
    )
    return set(rows.scalars())


def entry_counts(connection: Connection) -> dict[str, int]:
    """How many entries each list of rows has now."""
    rows = connection.execute(
        text("""
            SELECT list_name, count(*) AS entries FROM suppressions
            WHERE removed_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
            GROUP BY list_name ORDER BY list_name
        """)
    )
    return {row.list_name: row.entries for row in rows}


def allow_long_import(connection: Connection) -> None:
    """A state's list has millions of rows: this transaction may take minutes. It blocks no claim."""
    connection.execute(
        text("""
            SELECT set_config('statement_timeout', '0', true),
                set_config('idle_in_transaction_session_timeout', '600000', true)
        """)
    )


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    """SQLAlchemy has no COPY; its driver's connection has, inside the same transaction."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("COPY needs psycopg")
    return driver
