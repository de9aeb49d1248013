"""Customer lists: a bad row is a reject, a bad file is one clear error, and nothing is dropped in silence."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.files.csv_rows import MAX_RECORD_LINES, csv_rows
from campaigns.files.customer_file import check_customers, digest_of, inspect_customers, open_customers
from campaigns.files.customer_problems import CustomerFileError, SourceItem, SourceProblem, SourceRow


def written(folder: Path, content: str | bytes, *, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: Path, *required: str) -> list[SourceItem]:
    return list(open_customers(path, required=required))


def only_problem(path: Path) -> SourceProblem:
    (problem,) = [row for row in rows_of(path) if isinstance(row, SourceProblem)]
    return problem


def refusal(path: Path, *required: str) -> str:
    with pytest.raises(CustomerFileError) as refused:
        rows_of(path, *required)
    return str(refused.value)


def test_rows_come_with_number_values_and_original_text(tmp_path: Path) -> None:
    path = written(tmp_path, "phone,name\n+1,Ann\n+2,'Bob'\r\n")
    assert rows_of(path, "phone") == [
        SourceRow(1, {"phone": "+1", "name": "Ann"}, "+1,Ann"),
        SourceRow(2, {"phone": "+2", "name": "'Bob'"}, "+2,'Bob'"),
    ]


def test_a_byte_order_mark_and_blanks_around_headers_are_no_part_of_the_name(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf phone , name\n1,Ann\n")
    assert rows_of(path, "phone") == [SourceRow(1, {"phone": "1", "name": "Ann"}, "1,Ann")]


def test_a_quoted_line_break_stays_in_its_row(tmp_path: Path) -> None:
    path = written(tmp_path, 'phone,note\n1,"two\nlines"\n2,x\n')
    assert rows_of(path) == [
        SourceRow(1, {"phone": "1", "note": "two\nlines"}, '1,"two\nlines"'),
        SourceRow(2, {"phone": "2", "note": "x"}, "2,x"),
    ]


def test_blank_lines_are_nobody_but_keep_their_number(tmp_path: Path) -> None:
    path = written(tmp_path, "phone\n1\n\n2\n\n")
    assert [row.row_number for row in rows_of(path)] == [1, 3]


@pytest.mark.parametrize(
    ("row", "reason"),
    [("1", "short_row"), ("1,Ann,more", "long_row"), ("1,A\0nn", "nul_byte"), ('1,"Ann"x', "bad_quoting")],
)
def test_a_bad_row_is_a_problem_of_that_row_only(tmp_path: Path, row: str, reason: str) -> None:
    path = written(tmp_path, f"phone,name\n{row}\n2,Bob\n")
    problem, bob = rows_of(path)
    assert isinstance(problem, SourceProblem)
    assert (problem.row_number, problem.reason) == (1, reason)
    assert problem.original == row.replace("\0", "␀")
    assert bob == SourceRow(2, {"phone": "2", "name": "Bob"}, "2,Bob")


def test_empty_cells_beyond_the_header_do_no_harm(tmp_path: Path) -> None:
    path = written(tmp_path, "phone,name,,\n1,Ann,,\n")
    assert rows_of(path) == [SourceRow(1, {"phone": "1", "name": "Ann"}, "1,Ann,,")]


@pytest.mark.parametrize("below", [1, 3, MAX_RECORD_LINES * 3])
def test_a_quote_never_closed_costs_its_own_row_and_none_below(tmp_path: Path, below: int) -> None:
    good = "".join(f"{number},x\n" for number in range(below))
    path = written(tmp_path, f'phone,name\n9,"Ann\n{good}')
    problem, *others = rows_of(path)
    assert isinstance(problem, SourceProblem)
    assert (problem.reason, problem.original) == ("bad_quoting", '9,"Ann')
    assert [row.original for row in others] == good.splitlines()


def test_json_lines_keep_the_text_of_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, '{"phone": 12125550100, "zip": "02134", "vip": true, "x": null}\n\n', name="a.jsonl")
    values = {"phone": "12125550100", "zip": "02134", "vip": "true", "x": ""}
    assert [row.values for row in rows_of(path, "phone") if isinstance(row, SourceRow)] == [values]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "bad_json"),
        ("[1]", "bad_json"),
        ('{"phone": {"a": 1}}', "bad_json"),
        ('{"phone": NaN}', "bad_json"),
        ('{"phone": "\\u0000"}', "bad_json"),
        ('{"phone": "\\ud800"}', "bad_json"),
        ("[" * 100_000, "bad_json"),
        ('{"phone": "\0"}', "nul_byte"),
    ],
)
def test_a_bad_json_line_is_a_problem_of_that_line_only(tmp_path: Path, line: str, reason: str) -> None:
    path = written(tmp_path, f'{line}\n{{"phone": "2"}}\n', name="a.jsonl")
    assert only_problem(path).reason == reason
    assert [row.row_number for row in rows_of(path) if isinstance(row, SourceRow)] == [2]


def test_a_missing_column_names_the_nearest_header(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, "phone,full_nam\n1,Ann\n"), "phone", "full_name")
    assert "no column 'full_name'" in message
    assert "did you mean 'full_nam'?" in message


def test_a_missing_column_of_json_lines_is_found_too(tmp_path: Path) -> None:
    assert "no column 'phone'" in refusal(written(tmp_path, '{"fone": "1"}\n', name="a.jsonl"), "phone")


@pytest.mark.parametrize(("delimiter", "said"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_a_wrong_delimiter_is_named(tmp_path: Path, delimiter: str, said: str) -> None:
    assert said in refusal(written(tmp_path, f"phone{delimiter}name\n1{delimiter}Ann\n"), "phone")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"phone,name\n1,\xe9\n", "line 2: byte 13 is 0xe9"),
        (b"\xff\xfep\0h\0", "UTF-16"),
        (b"p\0h\0,\0\n", "UTF-16"),
        (b"phone,phone\n1,2\n", "two columns"),
        (b"phone,,name\n1,2,3\n", "column 2 has no name"),
        (b"phone,name\r1,Ann\r2,Bob\r", "carriage returns"),
        (b"\n1,2\n", "no CSV header"),
        (b'"phone\n', "no CSV header"),
        (b"phone\n" + b"1" * 1_000_001, "longer than"),
    ],
)
def test_what_is_wrong_with_the_whole_file_is_one_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(written(tmp_path, content), "phone")


def test_a_missing_file_a_folder_and_an_unknown_ending_are_said(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert "no such file" in refusal(tmp_path / "none.csv")
    assert "folder" in refusal(tmp_path / "folder.csv")
    assert ".csv, .jsonl" in refusal(written(tmp_path, "x", name="list.xlsx"))


def test_the_digest_of_the_read_is_the_digest_of_the_file(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfphone,n\r\n1,"a\nb"\n\n2\n'
    path = written(tmp_path, content)
    assert inspect_customers(path, required=["phone"]) == digest_of(path) == hashlib.sha256(content).hexdigest()


def test_a_digest_of_a_file_that_went_away_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CustomerFileError, match="put the file back"):
        digest_of(tmp_path / "gone.csv")


def test_checking_reads_header_and_first_rows(tmp_path: Path) -> None:
    assert check_customers(written(tmp_path, "phone\n1\n"), required=["phone"]) == ()
    (no_rows,) = check_customers(written(tmp_path, "phone\n"), required=["phone"])
    assert "no row" in no_rows.message
    (all_bad,) = check_customers(written(tmp_path, "phone,name\n1\n"), required=["phone"])
    assert "none of the first 1 rows" in all_bad.message
    (missing,) = check_customers(written(tmp_path, "fone\n1\n"), required=["phone"])
    assert missing.line == 1


@given(st.lists(st.lists(st.text(alphabet='ab",\r\n', max_size=6), min_size=1, max_size=3), max_size=8))
def test_every_line_of_any_csv_is_a_row_a_problem_or_blank(cells: list[list[str]]) -> None:
    text = "a,b\n" + "".join(",".join(row) + "\n" for row in cells)
    items = list(csv_rows(iter(text.splitlines(keepends=True)), required=(), file="any.csv"))
    kept = "".join(item.original for item in items)
    assert sorted(_without_breaks(kept)) == sorted(_without_breaks(text.removeprefix("a,b\n")))


def _without_breaks(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")
