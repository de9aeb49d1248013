"""Cells that a spreadsheet would run, and files that are there whole or not at all."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.files.cells import harmless
from campaigns.files.table_file import TableFileError, TableFormat, whole_file, write_rows


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "+"),
        *("+12125550101+1", "+0123456789", "+12125550101\n", "+1212555010199999"),
    ],
)
def test_what_could_be_a_formula_is_made_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ann", "1-2", " =1", "'=1", "+12125550101", "+61491570006", "{}"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.text(alphabet=st.characters(codec="utf-8"))), max_size=5))
def test_no_cell_of_any_row_begins_like_a_formula_and_none_is_lost(rows: list[dict[str, str]]) -> None:
    out = io.StringIO(newline="")
    assert write_rows(out, rows, columns=("a", "b"), table_format=TableFormat.CSV) == len(rows)
    back = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert [[row["a"], row["b"]] for row in back] == [
        [harmless(row.get("a", "")), harmless(row.get("b", ""))] for row in rows
    ]


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_file(tmp_path / "x.csv") as file:
            file.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    with pytest.raises(TableFileError, match="no plain file"), whole_file(Path("/dev/null")):
        pass
    assert Path("/dev/null").is_char_device()
