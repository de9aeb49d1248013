"""Writing one chunk of an expansion: customers, calls, rejects and the cursor, whole or not at all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, text


class CustomerEntry(NamedTuple):
    """One customer with its call, ready for COPY: the fields stand in the order of the stage's columns.

    Instants as ISO text: thousands of rows share them.
    """

    row_number: int
    number: str
    name: str | None
    external_id: str | None
    person: str | None
    state: str | None
    zip: str | None
    timezone: str | None
    line_type: str
    debt: str | None
    exemption: str | None
    ebr_transaction_at: str | None
    ebr_inquiry_at: str | None
    consent_level: str | None
    consent_at: str | None
    consent_source: str | None
    consent_seller: str | None
    restriction: int
    variables: str
    """JSON."""
    group_key: str
    call_state: str
    reason: str | None
    due_at: str | None
    closes_at: str | None


class Reject(NamedTuple):
    """A row that became no customer. `original` empty: filled in at the end, see `rejects_without_original`."""

    row_number: int
    reason: str
    detail: str
    original: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one transaction writes. Row numbers up to `last_row` are then done."""

    first_row_after: int
    """The cursor on which this chunk builds."""
    last_row: int
    rows_read: int
    added: Sequence[CustomerEntry]
    replaced: Mapping[int, CustomerEntry]
    """Customer id → the more restrictive row that takes its place."""
    rejects: Sequence[Reject]


class CursorMovedError(Exception):
    """Somebody else expanded this run meanwhile; the chunk was not written."""


def write_chunk(connection: Connection, chunk: Chunk, *, run_id: int, campaign_id: int) -> None:
    """Write it in the caller's transaction. Raises `CursorMovedError`."""
    _move_cursor(connection, run_id, chunk)
    _add_groups(connection, run_id, {entry.group_key for entry in (*chunk.added, *chunk.replaced.values())})
    if chunk.added:
        _stage(connection, chunk.added)
        connection.execute(_FROM_STAGE, {"run_id": run_id, "campaign_id": campaign_id})
    _replace_customers(connection, run_id, chunk.replaced)
    _add_rejects(connection, run_id, chunk.rejects)


def _move_cursor(connection: Connection, run_id: int, chunk: Chunk) -> None:
    moved = connection.execute(
        text("""
            UPDATE runs SET cursor_row = :last_row, rows_read = rows_read + :rows_read,
                rows_rejected = rows_rejected + :rejects
            WHERE id = :run_id AND state = 'expanding' AND cursor_row = :first_row_after
        """),
        {
            "run_id": run_id,
            "first_row_after": chunk.first_row_after,
            "last_row": chunk.last_row,
            "rows_read": chunk.rows_read,
            "rejects": len(chunk.rejects),
        },
    )
    if moved.rowcount != 1:
        raise CursorMovedError(f"run {run_id} is no longer at row {chunk.first_row_after}")


def _add_groups(connection: Connection, run_id: int, keys: Collection[str]) -> None:
    """The run's zone groups, where they are missing."""
    connection.execute(
        text("""
            INSERT INTO zone_groups (run_id, key)
            SELECT :run_id, k FROM unnest(CAST(:keys AS text[])) AS k
            WHERE NOT EXISTS (SELECT FROM zone_groups g WHERE g.run_id = :run_id AND g.key = k) ORDER BY k
        """),
        {"run_id": run_id, "keys": list(keys)},
    )


_STAGE = text("""
    CREATE TEMP TABLE expansion_stage (
        row_number bigint, number text, name text, external_id text, person text, state text, zip text, timezone text,
        line_type text, debt text, exemption text, ebr_transaction_at timestamptz, ebr_inquiry_at timestamptz,
        consent_level text, consent_at timestamptz, consent_source text, consent_seller text,
        restriction smallint, variables jsonb, group_key text, call_state text, reason text, due_at timestamptz,
        closes_at timestamptz
    ) ON COMMIT DROP
""")
_FROM_STAGE = text("""
    WITH added AS (
        INSERT INTO customers (run_id, row_number, number, name, external_id, person, state, zip, timezone, line_type,
            debt, exemption, ebr_transaction_at, ebr_inquiry_at,
            consent_level, consent_at, consent_source, consent_seller, restriction, variables)
        SELECT :run_id, row_number, number, name, external_id, person, state, zip, timezone, line_type,
            debt, exemption, ebr_transaction_at, ebr_inquiry_at,
            consent_level, consent_at, consent_source, consent_seller, restriction, variables
        FROM expansion_stage ORDER BY row_number
        RETURNING id, number
    )
    INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, reason, due_at, closes_at, final_at)
    SELECT a.id, :run_id, :campaign_id, g.id, s.number, s.call_state, s.reason, s.due_at, s.closes_at,
        CASE WHEN s.call_state <> 'scheduled' THEN clock_timestamp() END
    FROM added a JOIN expansion_stage s ON s.number = a.number
        LEFT JOIN zone_groups g ON g.run_id = :run_id AND g.key = s.group_key
""")


def _stage(connection: Connection, entries: Sequence[CustomerEntry]) -> None:
    connection.execute(_STAGE)
    with _copy_cursor(connection) as cursor, cursor.copy("COPY expansion_stage FROM STDIN") as copy:
        for entry in entries:
            copy.write_row(entry)


_REPLACE = text("""
    WITH replaced AS (
        UPDATE customers SET row_number = :row_number, name = :name, external_id = :external_id, person = :person,
            state = :state, zip = :zip, timezone = :timezone, line_type = :line_type, debt = :debt,
            exemption = :exemption, ebr_transaction_at = CAST(:ebr_transaction_at AS timestamptz),
            ebr_inquiry_at = CAST(:ebr_inquiry_at AS timestamptz), consent_level = :consent_level,
            consent_at = CAST(:consent_at AS timestamptz), consent_source = :consent_source,
            consent_seller = :consent_seller, restriction = :restriction, variables = CAST(:variables AS jsonb)
        WHERE id = :id
        RETURNING id
    )
    UPDATE calls SET group_id = (SELECT g.id FROM zone_groups g WHERE g.run_id = :run_id AND g.key = :group_key),
        state = :call_state, reason = :reason,
        due_at = CAST(:due_at AS timestamptz), closes_at = CAST(:closes_at AS timestamptz),
        final_at = CASE WHEN :call_state <> 'scheduled' THEN clock_timestamp() END
    FROM replaced WHERE calls.id = replaced.id AND calls.state IN ('scheduled', 'expired')
""")
"""A call that was cancelled meanwhile stays so."""


def _replace_customers(connection: Connection, run_id: int, replaced: Mapping[int, CustomerEntry]) -> None:
    if replaced:
        connection.execute(
            _REPLACE,
            [entry._asdict() | {"id": customer_id, "run_id": run_id} for customer_id, entry in replaced.items()],
        )


def _add_rejects(connection: Connection, run_id: int, rejects: Sequence[Reject]) -> None:
    if not rejects:
        return
    copied = "COPY rejects (run_id, row_number, reason, detail, original) FROM STDIN"
    with _copy_cursor(connection) as cursor, cursor.copy(copied) as copy:
        for reject in rejects:
            copy.write_row((run_id, *reject))


def _copy_cursor(connection: Connection) -> "psycopg.Cursor[Any]":
    """SQLAlchemy has no COPY; its driver's connection has, inside the same transaction."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("expansion needs the psycopg driver")
    return driver.cursor()
