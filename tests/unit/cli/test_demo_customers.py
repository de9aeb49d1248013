import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.cli.demo.customers import HEADER, CustomerList, most_customers, write_customers
from campaigns.cli.demo.places import read_area_codes
from campaigns.runtime.law import AREA_CODES_FILE

START = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CODES = read_area_codes(AREA_CODES_FILE)


def write(path: Path, *, customers: int = 2000, seed: int = 7) -> CustomerList:
    return write_customers(path, customers=customers, area_codes=CODES, consented_before=START, seed=seed)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_the_list_has_as_many_rows_as_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", customers=150)
    rows = rows_of(tmp_path / "a.csv")
    assert tuple(rows[0]) == HEADER
    assert len(rows) == 151


def test_the_same_seed_gives_the_same_list_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, seed=seed)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("a", "b", "c"))
    assert first == again != other


def test_every_state_and_territory_is_on_the_list(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    codes_on_list = {row[0][2:5] for row in rows_of(tmp_path / "a.csv")[1:] if row[0].startswith("+1")}
    states = {code.state for code in CODES if code.code in codes_on_list}
    assert states == {code.state for code in CODES}


def test_every_number_that_could_be_dialed_is_fictional(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    numbers = [row[0] for row in rows_of(tmp_path / "a.csv")[1:] if row[0].startswith("+1") and row[0][1:].isdigit()]
    assert len(numbers) > 1500
    assert all(number[5:10] in {"55501"} for number in numbers)


def test_each_kind_of_trouble_is_there(tmp_path: Path) -> None:
    made = write(tmp_path / "a.csv")
    rows = rows_of(tmp_path / "a.csv")[1:]
    whole = [row for row in rows if len(row) == len(HEADER)]
    column = {name: index for index, name in enumerate(HEADER)}
    assert any(len(row) < len(HEADER) for row in rows), "short rows"
    assert Counter(row[column["consent"]] for row in whole).keys() == {"pewc", "pec", ""}
    assert any(row[column["phone"]].startswith("+1888") for row in whole), "toll-free"
    assert any(row[column["consented_at"]] > "2027" for row in whole), "consent of the future"
    assert any(not row[column["phone"]].startswith("+1") for row in whole), "other spellings"
    assert made.suppressed
    assert set(made.suppressed) <= {row[column["phone"]] for row in whole}


def test_more_customers_than_fictional_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fictional numbers"):
        write(tmp_path / "a.csv", customers=most_customers(CODES) * 2)
