"""Tables of gate cases: one row a person, an instant and what should come out. Every mistake is named with its line.

Columns as in the sample (docs/rules.md); lines that start with # are remarks. A blank cell of the input is not under
test: its check passes.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from campaigns.compliance.facts import Facts, Purpose
from campaigns.files.case_facts import Expectation, expectation_of_row, facts_of_row, instant
from campaigns.files.case_row import CaseProblem, Row

REQUIRED = ("id", "number", "now_utc", "purpose", "expected")
COLUMNS = (
    *("id", "number", "allow_fictional", "line_type", "state", "zip", "zip_state", "zip_timezone", "timezone"),
    *("now_utc", "purpose", "exemption", "consent", "revoked", "dnc_internal", "dnc_national", "dnc_state"),
    *("dnc_list_age_days", "reassigned", "ebr", "emergency_flags", "prior_attempts_utc"),
    *("expected", "rule_id", "next_allowed_utc", "zones_considered", "note"),
)


class CaseTableError(Exception):
    """The table cannot be used. `problems` has every mistake."""

    def __init__(self, problems: list[CaseProblem]) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class GateCase:
    """One row: what the gate is told, when, and what it should say."""

    id: str
    line: int
    facts: Facts
    now: datetime
    expected: Expectation


def read_case_table(path: Path) -> list[GateCase]:
    """Every case of a CSV. Raises `CaseTableError` with all mistakes at once."""
    text = _text(path)
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if not line.startswith("#")]
    reader = csv.reader((line for _, line in numbered), strict=True)
    problems: list[CaseProblem] = []
    try:
        header = next(reader, [])
        _check_header(header, line=numbered[0][0] if numbered else 1)
        cases = [
            case
            for cells in reader
            if cells and (case := _case(header, cells, line=numbered[reader.line_num - 1][0], problems=problems))
        ]
    except csv.Error as error:
        raise CaseTableError([_of_file(str(error), allowed="CSV with balanced quotes")]) from None
    problems += _double_ids(cases)
    if not cases and not problems:
        problems.append(_of_file("no row", allowed="at least one case under the header"))
    if problems:
        raise CaseTableError(problems)
    return cases


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        found, allowed = "no such file", "the path of a CSV file of cases (docs/rules.md shows one)"
    except OSError as error:
        found, allowed = error.strerror or "a file that cannot be read", "a CSV file that you may read"
    except UnicodeDecodeError:
        found, allowed = "no text in UTF-8", "a CSV file saved as UTF-8"
    raise CaseTableError([_of_file(found, allowed=allowed)])


def _of_file(found: str, *, allowed: str) -> CaseProblem:
    return CaseProblem(line=None, column="(file)", found=found, allowed=allowed)


def _check_header(header: list[str], *, line: int) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    problems = [CaseProblem(line, name, name, "a known column", _nearest(name)) for name in unknown]
    missing = [name for name in REQUIRED if name not in header]
    problems += [CaseProblem(line, name, "no such column", "a column of this name") for name in missing]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems += [CaseProblem(line, name, "two columns", "one column of this name") for name in twice]
    if problems:
        raise CaseTableError(problems)


def _nearest(name: str) -> str | None:
    return next(iter(get_close_matches(name, COLUMNS, n=1)), None)


def _double_ids(cases: Iterable[GateCase]) -> list[CaseProblem]:
    seen, problems = dict[str, int](), list[CaseProblem]()
    for case in cases:
        if case.id in seen:
            problems.append(
                CaseProblem(case.line, "id", case.id, f"an id of its own; line {seen[case.id]} has this one")
            )
        seen.setdefault(case.id, case.line)
    return problems


def _case(header: list[str], cells: list[str], *, line: int, problems: list[CaseProblem]) -> GateCase | None:
    if len(cells) != len(header):
        found = f"{len(cells)} fields"
        problems.append(CaseProblem(line, "(row)", found, f"{len(header)} fields, as the header has"))
        return None
    row = Row(dict(zip(header, (cell.strip() for cell in cells), strict=True)), line, problems)
    before = len(problems)
    now = row.required("now_utc", instant, allowed="an instant with its zone, such as 2026-11-23T13:00:00Z")
    purpose = row.required("purpose", Purpose, allowed=", ".join(Purpose))
    if now is None or purpose is None:
        return None
    facts, expected = facts_of_row(row, now, purpose), expectation_of_row(row)
    case_id = row.required("id", str, allowed="an id") or ""
    return GateCase(case_id, line, facts, now, expected) if len(problems) == before else None
