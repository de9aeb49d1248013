"""Expansion: rows of a list become customers and calls, chunk by chunk, each chunk whole or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

_LOCK_BASE = 0x52_46_45_58 << 32
"""Advisory lock keys "RFEX" + run id: one expander a run. A killed process loses its lock with its connection."""


@dataclass(frozen=True, slots=True)
class ExpandingRun:
    """A run to expand, with all that its rows are read by. Instants are on the campaign's clock."""

    id: int
    campaign_id: int
    campaign_state: str
    definition: Mapping[str, Any]
    customers_path: str | None
    submitted_by: str
    simulator: bool
    earliest_at: datetime
    latest_at: datetime
    campaign_at: datetime
    source_digest: str | None
    cursor_row: int
    rows_read: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class StoredCustomer:
    """A customer of an earlier chunk, to be weighed against a later row with the same number."""

    id: int
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
    ebr_transaction_at: datetime | None
    ebr_inquiry_at: datetime | None
    consent_level: str | None
    consent_at: datetime | None
    consent_source: str | None
    consent_seller: str | None
    variables: dict[str, str]


@contextmanager
def only_expander(engine: Engine, run_id: int) -> Iterator[Connection | None]:
    """A connection that holds the run's lock; None when another process has it."""
    with engine.connect() as connection:
        key = {"key": _LOCK_BASE + run_id}
        locked = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one()
        connection.commit()
        if not locked:
            yield None
            return
        try:
            yield connection
        finally:
            # Without the answer of the server the connection is of no use to anybody: the pool must not keep it.
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
            connection.commit()


def expanding_run(connection: Connection, run_id: int) -> ExpandingRun | None:
    """The run with its definition; None unless it is still expanding."""
    row = connection.execute(
        text("""
            SELECT r.id, r.campaign_id, c.state AS campaign_state, v.definition, v.customers_path, v.submitted_by,
                a.simulator, r.earliest_at, r.latest_at, r.source_digest, r.cursor_row, r.rows_read, r.rows_rejected,
                campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed) AS campaign_at
            FROM runs r JOIN campaigns c ON c.id = r.campaign_id JOIN campaign_versions v ON v.id = r.version_id
                JOIN accounts a ON a.name = c.account
            WHERE r.id = :run_id AND r.state = 'expanding'
        """),
        {"run_id": run_id},
    ).one_or_none()
    return None if row is None else ExpandingRun(**row._mapping)


def set_source_digest(connection: Connection, run_id: int, *, digest: str) -> None:
    """Remember which list this run is made from."""
    connection.execute(
        text("UPDATE runs SET source_digest = :digest WHERE id = :run_id"), {"run_id": run_id, "digest": digest}
    )


def set_problem(connection: Connection, run_id: int, *, problem: str) -> None:
    """The run stays expanding and waits for a person."""
    connection.execute(
        text("UPDATE runs SET state_reason = :problem WHERE id = :run_id AND state = 'expanding'"),
        {"run_id": run_id, "problem": problem},
    )


def customers_by_number(connection: Connection, run_id: int, numbers: Sequence[str]) -> dict[str, StoredCustomer]:
    """Those of `numbers` that earlier chunks of this run have written."""
    rows = connection.execute(
        text("""
            SELECT id, row_number, number, name, external_id, person, state, zip, timezone, line_type,
                debt, exemption, ebr_transaction_at, ebr_inquiry_at,
                consent_level, consent_at, consent_source, consent_seller, variables
            FROM customers WHERE run_id = :run_id AND number = ANY(:numbers)
        """),
        {"run_id": run_id, "numbers": list(numbers)},
    )
    return {row.number: StoredCustomer(**row._mapping) for row in rows}


def rejects_without_original(connection: Connection, run_id: int, *, after_row: int, most: int) -> list[int]:
    """Rows that a later chunk displaced, by number; their text is read from the list once more."""
    return list(
        connection.execute(
            text("""
                SELECT row_number FROM rejects
                WHERE run_id = :run_id AND row_number > :after_row AND reason = 'duplicate' AND original = ''
                ORDER BY row_number LIMIT :most
            """),
            {"run_id": run_id, "after_row": after_row, "most": most},
        ).scalars()
    )


def set_originals(connection: Connection, run_id: int, originals: Mapping[int, str]) -> None:
    """Fill in the text of rejects, by row number."""
    connection.execute(
        text("""
            UPDATE rejects SET original = o.original
            FROM unnest(CAST(:numbers AS bigint[]), CAST(:originals AS text[])) AS o(row_number, original)
            WHERE rejects.run_id = :run_id AND rejects.row_number = o.row_number
        """),
        {"run_id": run_id, "numbers": list(originals), "originals": list(originals.values())},
    )


def add_consents(connection: Connection, run: ExpandingRun, *, after_number: str, most: int) -> str | None:
    """Put the consents of the next `most` customers on record. Returns the last one's number; None: none left.

    By number and not by row: both indexes of consents then grow page by page, at two thirds of the cost.
    A consent that is on record already, from an earlier run of the same list, is not repeated. One of a day to come is
    a mistake and none: on that day it would seem younger than a revocation that came before it. The campaign's default
    is no evidence that somebody who once revoked has consented anew, however late its date.
    """
    default = run.definition.get("consent") or {}
    last_number: str | None = connection.execute(
        text("""
            WITH page AS (
                SELECT * FROM customers WHERE run_id = :run_id AND number > :after_number ORDER BY number LIMIT :most
            ), recorded AS (
                INSERT INTO consents (number, level, seller, obtained_at, source, run_id, row_number, source_digest,
                    recorded_by)
                SELECT number, consent_level, consent_seller, consent_at, consent_source, run_id, row_number,
                    CAST(:digest AS text), :recorded_by
                FROM page
                WHERE consent_level IS NOT NULL AND consent_seller IS NOT NULL AND consent_at IS NOT NULL
                    AND consent_source <> '' AND consent_at <= :campaign_at
                    AND NOT (consent_source IS NOT DISTINCT FROM :default_source AND consent_at = :default_at
                        AND EXISTS (SELECT FROM revocations r WHERE r.number = page.number AND (
                            r.scope = 'all' OR (r.scope = 'purpose' AND r.scope_value = :purpose)
                            OR (r.scope = 'campaign' AND r.scope_value = :campaign)
                            OR (r.scope = 'seller' AND lower(btrim(r.scope_value)) = lower(btrim(consent_seller))))))
                ON CONFLICT DO NOTHING
            )
            SELECT max(number) FROM page
        """),
        {
            "run_id": run.id,
            "after_number": after_number,
            "most": most,
            "digest": run.source_digest,
            "recorded_by": run.submitted_by,
            "campaign_at": run.campaign_at,
            "default_source": default.get("source"),
            "default_at": default.get("obtainedAt"),
            "purpose": run.definition["purpose"],
            "campaign": run.definition["campaign"],
        },
    ).scalar_one()
    return last_number


def rows_of(connection: Connection, run_id: int) -> tuple[int, int]:
    """Rows read and rows rejected."""
    row = connection.execute(text("SELECT rows_read, rows_rejected FROM runs WHERE id = :id"), {"id": run_id}).one()
    return row.rows_read, row.rows_rejected


def activate_run(connection: Connection, run: ExpandingRun) -> bool:
    """From this commit on its calls may be dialed. False: the campaign was cancelled meanwhile."""
    state = connection.execute(
        text("SELECT state FROM campaigns WHERE id = :id FOR NO KEY UPDATE"), {"id": run.campaign_id}
    ).scalar_one()
    connection.execute(
        text("""
            UPDATE runs SET state = 'active', state_reason = NULL, expanded_at = clock_timestamp()
            WHERE id = :run_id AND state = 'expanding'
        """),
        {"run_id": run.id},
    )
    return bool(state != "cancelled")


def drop_run(connection: Connection, run_id: int) -> None:
    """A run of a campaign that was cancelled before it was expanded: nobody of it is called.

    It becomes active, so that rescue cancels what a killed expansion may have left of it, and then finishes it.
    """
    connection.execute(
        text("""
            UPDATE runs SET state = 'active', state_reason = 'campaign_cancelled'
            WHERE id = :run_id AND state = 'expanding'
        """),
        {"run_id": run_id},
    )
