"""Case tables: every column becomes a fact, a blank one tests nothing, and every mistake has its line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from campaigns.compliance.facts import ConsentLevel, Purpose
from campaigns.files.case_row import CaseProblem
from campaigns.files.case_table import COLUMNS, CaseTableError, GateCase, read_case_table

ROW = {
    "id": "A1",
    "number": "+12125550123",
    "now_utc": "2026-11-23T16:00:00Z",
    "purpose": "telemarketing",
    "expected": "allow",
}
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def table(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    path = folder / "cases.csv"
    lines = ["# a remark", ",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def read_one(folder: Path, **cells: str) -> GateCase:
    (case,) = read_case_table(table(folder, ROW | cells))
    return case


def problems(path: Path) -> list[CaseProblem]:
    with pytest.raises(CaseTableError) as caught:
        read_case_table(path)
    return caught.value.problems


def test_a_blank_cell_is_not_under_test(tmp_path: Path) -> None:
    facts = read_one(tmp_path).facts

    assert (facts.consents, facts.revocations, facts.suppressions, facts.attempts) == ((), (), (), ())
    assert (facts.dnc_national, facts.dnc_state, facts.dnc_list_age, facts.reassigned) == (
        None,
        None,
        None,
        "unchecked",
    )
    assert (facts.line_type, facts.exemption, facts.ebr, facts.emergencies) == ("unknown", None, False, frozenset())
    assert not facts.plan.fictional_allowed


def test_every_column_becomes_a_fact(tmp_path: Path) -> None:
    case = read_one(
        tmp_path,
        allow_fictional="1",
        line_type="landline",
        state="FL",
        zip="32801",
        zip_state="FL",
        zip_timezone="America/New_York",
        timezone="America/Chicago",
        purpose="informational",
        exemption="residential_informational",
        consent="pec",
        revoked="1",
        dnc_internal="1",
        dnc_national="0",
        dnc_state="1",
        dnc_list_age_days="31",
        reassigned="no_data",
        ebr="1",
        emergency_flags="US-LA;US-NY",
        prior_attempts_utc="2026-11-23T10:00:00Z; 2026-11-22T10:00:00-05:00",
    )
    facts, evidence = case.facts, case.facts.evidence

    assert (facts.plan.purpose, facts.plan.fictional_allowed) == (Purpose.INFORMATIONAL, True)
    assert (evidence.state, evidence.zip, evidence.zip_state) == ("FL", "32801", "FL")
    assert (evidence.zip_timezone, evidence.timezone) == ("America/New_York", "America/Chicago")
    assert (facts.line_type, facts.exemption) == ("landline", "residential_informational")
    assert facts.consents[0].level is ConsentLevel.PEC
    assert facts.consents[0].seller == facts.plan.seller
    assert facts.revocations[0].effective_at < NOW
    assert [entry.list_name for entry in facts.suppressions] == ["internal"]
    assert (facts.dnc_national, facts.dnc_state, facts.dnc_list_age) == (False, True, timedelta(days=31))
    assert (facts.reassigned, facts.ebr, facts.emergencies) == ("no_data", True, frozenset({"US-LA", "US-NY"}))
    assert facts.attempts == (
        datetime(2026, 11, 23, 10, tzinfo=UTC),
        datetime(2026, 11, 22, 15, tzinfo=UTC),
    )


def test_the_whole_answer_is_expected_where_the_row_gives_it(tmp_path: Path) -> None:
    expected = read_one(
        tmp_path,
        expected="deny",
        rule_id="HOURS-US",
        next_allowed_utc="2026-11-24T13:00:00Z",
        zones_considered="America/New_York;America/Chicago",
    ).expected

    assert (expected.allowed, expected.rule_id) == (False, "HOURS-US")
    assert expected.next_allowed_at == datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert expected.zones == {"America/New_York", "America/Chicago"}
    assert expected.compared == {"rule_id", "next_allowed_at", "zones"}


def test_a_table_without_the_answers_columns_compares_the_verdict_only(tmp_path: Path) -> None:
    (case,) = read_case_table(table(tmp_path, ROW | {"expected": "deny"}, columns=tuple(ROW)))

    assert case.expected.compared == frozenset()


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("id", ""),
        ("number", ""),
        ("now_utc", ""),
        ("now_utc", "2026-11-23T16:00:00"),
        ("now_utc", "noon"),
        ("purpose", "sales"),
        ("expected", "maybe"),
        ("consent", "yes"),
        ("revoked", "true"),
        ("dnc_national", "2"),
        ("dnc_list_age_days", "-1"),
        ("dnc_list_age_days", "1.5"),
        ("reassigned", "perhaps"),
        ("prior_attempts_utc", "2026-11-23T10:00:00Z;yesterday"),
        ("next_allowed_utc", "tomorrow"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, column: str, cell: str) -> None:
    (problem,) = problems(table(tmp_path, ROW | {"id": "first"}, ROW | {column: cell}))

    assert (problem.line, problem.column, problem.found) == (4, column, cell)
    assert problem.allowed


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(table(tmp_path, ROW | {"purpose": "x"}, ROW | {"ebr": "x", "expected": "x"}, ROW, ROW))

    assert [(each.line, each.column) for each in found] == [(3, "purpose"), (4, "ebr"), (4, "expected"), (6, "id")]


def test_an_unknown_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    (problem,) = problems(table(tmp_path, ROW, columns=(*ROW, "dnc_internl")))

    assert (problem.line, problem.column, problem.nearest) == (2, "dnc_internl", "dnc_internal")


def test_a_missing_and_a_double_column_are_named(tmp_path: Path) -> None:
    found = problems(table(tmp_path, ROW, columns=("id", "id", "number", "now_utc", "purpose")))

    assert {each.column for each in found} == {"expected", "id"}


def test_a_row_with_too_few_fields_is_named(tmp_path: Path) -> None:
    path = table(tmp_path, ROW)
    path.write_text(path.read_text() + "A2,+12125550123\n")

    assert [(each.line, each.column) for each in problems(path)] == [(4, "(row)")]


@pytest.mark.parametrize("content", ["", "# only a remark\n", ",".join(COLUMNS) + "\n"])
def test_a_table_without_a_case_is_no_table(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(content)

    assert problems(path)


def test_a_file_that_cannot_be_read_is_a_problem_of_the_file(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.csv")[0].line is None
