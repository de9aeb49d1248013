"""docs/pitfalls.md has a row for every fault on its list, and each row names tests that there are."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "pitfalls.md"
FAULTS = [str(number) for number in range(1, 39)]
BROKER = [f"B{number}" for number in range(1, 11)]
"""What the broker does, and what others got wrong: kept here, so that no row can get lost."""
COLUMNS = 4
A_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, ...]]:
    """The tables' rows: number, what happened, what keeps it out, what shows it."""
    lines = (line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|"))
    cells = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines)
    return [row for row in cells if row[0] != "no." and set(row[0]) != {"-"}]


@cache
def defined_in(name: str) -> frozenset[str]:
    path = ROOT / name
    defined = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)
    return frozenset(defined.findall(path.read_text(encoding="utf-8"))) if path.is_file() else frozenset()


def test_every_number_has_one_row() -> None:
    assert [row[0] for row in rows()] == [*BROKER, *FAULTS]


def test_every_row_is_whole_and_names_a_test() -> None:
    assert [row[0] for row in rows() if len(row) != COLUMNS or not all(row) or not A_TEST.search(row[-1])] == []
    # Nothing else stands in the last column: a name that is written otherwise would not be looked up.
    assert [row[0] for row in rows() if A_TEST.sub("", row[-1]).strip()] == []


def test_every_test_that_is_named_exists() -> None:
    named = A_TEST.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert [f"{file}::{name}" for file, name in named if name not in defined_in(file)] == []


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:[\w*]+/)+[\w*]+\.(?:py|md))`", DOCUMENT.read_text(encoding="utf-8")))
    assert {name for name in named if not (any(ROOT.glob(name)) or any(ROOT.glob(f"campaigns/{name}")))} == set()
