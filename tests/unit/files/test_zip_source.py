"""The package's ZIP table read as text says what the imported one says, or nothing."""

from pathlib import Path

import pytest

from campaigns.files.zip_source import imported_zip_zones, read_zip_zones, zip_zones

KNOWN = """\
# made by a script

TIMEZONES: tuple[str, ...] = (
    'America/Adak',
    'America/New_York',
)

ZIP_INFO: dict[int, tuple[int, float, float]] = {
    501: (1, 40.8154, -73.0451),
    99546: (0, 51, -176.6),
}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "_data.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_installed_table_reads_as_it_imports() -> None:
    assert zip_zones() == imported_zip_zones()


def test_the_installed_table_is_not_compiled_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("campaigns.files.zip_source.import_module")
    assert len(zip_zones().zones) > 40_000


def test_a_table_of_the_known_form_is_read(tmp_path: Path) -> None:
    table = read_zip_zones(written(tmp_path, KNOWN))
    assert table is not None
    assert (table.zones, table.names) == ({501: 1, 99546: 0}, ("America/Adak", "America/New_York"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    501: (1, 40.8154, -73.0451),\n", "    501: 1,\n"),
        ("    501: (1, ", "    501: (2, "),
        ("    501: (1, 40.8154, -73.0451),\n    99546: (0, 51, -176.6),\n", ""),
        ("    'America/Adak',\n", "    'America/Adak', 'America/Nome',\n"),
        ("\n}\n", "\n}\nZIP_INFO[501] = (0, 0.0, 0.0)\n"),
        ("\n}\n", "\n"),
        ("TIMEZONES: ", "ZONES: "),
        ("ZIP_INFO: ", "ROWS: "),
    ],
)
def test_a_table_of_any_other_form_is_not_guessed_at(tmp_path: Path, old: str, new: str) -> None:
    assert old in KNOWN
    assert read_zip_zones(written(tmp_path, KNOWN.replace(old, new))) is None


def test_a_table_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    assert read_zip_zones(tmp_path / "_data.py") is None
