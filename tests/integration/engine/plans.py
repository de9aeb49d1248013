"""Plans that Postgres makes for the statements of a piece of work."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Everything that is executed meanwhile, as the driver gets it, each statement once with its parameters."""
    seen: dict[str, Any] = {}
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.setdefault(statement, parameters)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
        found += seen.items()


def plan_of(engine: Engine, statement: str, parameters: Any, *, run: bool = False) -> dict[str, Any]:
    """The plan for these parameters; with `run` the statement is run, for what it really read, and taken back."""
    options = "ANALYZE, FORMAT JSON" if run else "FORMAT JSON"
    with engine.connect() as connection:
        return _first(connection.exec_driver_sql(f"EXPLAIN ({options}) {statement}", parameters).scalar_one())


def generic_plan_of(engine: Engine, statement: str) -> dict[str, Any]:
    """The plan that a statement gets once the server has prepared it for whatever parameters."""
    names: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    prepared = re.sub(r"%\((\w+)\)s", numbered, statement).replace("%%", "%")
    with engine.begin() as connection:
        cursor: Any = connection.connection.cursor()
        cursor.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {prepared}")
        return _first(cursor.fetchone()[0])


def read_whole(plan: dict[str, Any], tables: frozenset[str], *, small: frozenset[str]) -> set[str]:
    """Those of `tables` that the plan reads from end to end, row by row or by an index other than the `small` ones."""
    return {
        str(node["Relation Name"])
        for node in _nodes(plan)
        if node.get("Relation Name") in tables and _is_whole(node) and node.get("Index Name") not in small
    }


def rows_thrown_away(plan: dict[str, Any], table: str) -> int:
    """Rows of a table that a plan which was run fetched in vain."""
    nodes = [node for node in _nodes(plan) if node.get("Relation Name") == table]
    return sum(int(node.get("Rows Removed by Filter", 0) * node["Actual Loops"]) for node in nodes)


def _is_whole(node: dict[str, Any]) -> bool:
    by_index = node["Node Type"] in {"Index Scan", "Index Only Scan"} and "Index Cond" in node
    return not by_index and node["Node Type"] not in {"Bitmap Heap Scan", "ModifyTable"}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _first(explained: Any) -> dict[str, Any]:
    plan: dict[str, Any] = explained[0]["Plan"]
    return plan
