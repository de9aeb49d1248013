"""Nothing in a schedule may read the real clock: then it would not repeat."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from interleaving.schedule import Plan, Theatre
from interleaving.virtual_sql import CLOCKS, SCHEMA

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
SYNTAX = re.compile(
    r"\b(current_timestamp|current_date|current_time|localtimestamp|localtime|timeofday)\b", re.IGNORECASE
)
"""Ways to the server's clock that no schema of ours can hide."""
VIRTUAL_YEAR = 2026
_BOUND_ELSEWHERE = f"""
    SELECT DISTINCT c.relname || '.' || a.attname AS what
    FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    JOIN pg_depend x ON x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid
    RIGHT JOIN pg_proc p ON p.oid = x.refobjid
    WHERE p.proname = ANY(%(clocks)s) AND p.pronamespace <> '{SCHEMA}'::regnamespace AND c.relname IS NOT NULL
"""


def test_the_database_shows_the_virtual_time(theatre: Theatre) -> None:
    theatre.play(Plan(1, steps=5))

    shown = theatre.sql.look("SELECT clock_timestamp() AS clock, now() AS now, statement_timestamp() AS statement")[0]

    assert {shown.clock.date(), shown.now.date(), shown.statement.date()} <= {
        datetime(VIRTUAL_YEAR, 12, day, tzinfo=UTC).date() for day in (2, 3)
    }


def test_no_statement_bounds_itself_in_real_seconds(theatre: Theatre) -> None:
    shown = "current_setting('statement_timeout') AS bound"

    bounded = theatre.sql.look(f"SELECT set_config('statement_timeout', '1', false) AS asked, {shown}")[0]

    assert (bounded.asked, bounded.bound) == ("1", theatre.sql.look(f"SELECT {shown}")[0].bound)
    assert bounded.bound == "0"


def test_every_default_of_a_column_is_bound_to_the_virtual_clock(theatre: Theatre) -> None:
    defaults = theatre.sql.look(
        f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}' "
        "AND (column_default LIKE '%%clock_timestamp%%' OR column_default LIKE '%%now()%%')"
    )

    assert len(defaults) > 10
    assert theatre.sql.look(_BOUND_ELSEWHERE, clocks=list(CLOCKS)) == []


def test_no_statement_of_ours_reads_the_clock_by_syntax() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in (ROOT / "campaigns").rglob("*.py")
        for match in SYNTAX.finditer(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_every_row_of_a_schedule_was_written_in_virtual_time(theatre: Theatre) -> None:
    theatre.play(Plan(5))
    columns = theatre.sql.look(
        f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}' "
        "AND data_type = 'timestamp with time zone' AND table_name NOT IN ('system', 'list_versions')"
    )

    strays = [
        f"{each.table_name}.{each.column_name}"
        for each in columns
        if theatre.sql.look(
            f"SELECT FROM {each.table_name} WHERE {each.column_name} NOT BETWEEN '2026-09-01' AND '2026-12-05' LIMIT 1"
        )
    ]

    assert strays == []
