from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.files.list_folders import ListBusyError, folder_of, import_folder, place, remove_others
from campaigns.files.list_problems import UnreadableListError
from campaigns.files.number_bits import BIT_FILE_BYTES, BitWriter, bit_file
from campaigns.files.registry import NATIONAL, OnList, RegistryFiles

OBTAINED_AT = datetime(2026, 11, 20, tzinfo=UTC)
ENDS = {"212": [0, 1, 7, 8, 5_550_123, 9_999_999], "646": [42]}


def write(home: Path, numbers: Mapping[str, Sequence[int]] = ENDS, *, also_covered: Sequence[str] = ()) -> str:
    """A version as an import leaves it; returns its name."""
    with import_folder(home, NATIONAL) as folder:
        writer = BitWriter(folder)
        writer.add(numbers)
        written = writer.finish(also_covered=also_covered)
        return place(folder, digests=written.digests, obtained_at=OBTAINED_AT)


def files_of(home: Path, version: str) -> Path:
    return folder_of(home, NATIONAL) / version


def test_every_number_that_was_written_is_listed_and_no_neighbour_is(tmp_path: Path) -> None:
    version = RegistryFiles(tmp_path).version(write(tmp_path))
    around = {number + step for number in ENDS["212"] for step in (-1, 0, 1)} & set(range(10**7))
    assert {n for n in around if version.look(f"+1212{n:07}").listed} == set(ENDS["212"])
    assert version.look("+16460000042") == OnList(listed=True, covered=True)


def test_an_area_code_without_a_file_is_not_covered_and_one_with_an_empty_file_is(tmp_path: Path) -> None:
    version = RegistryFiles(tmp_path).version(write(tmp_path, also_covered=["305"]))
    assert version.look("+13055550123") == OnList(listed=False, covered=True)
    assert version.look("+19175550123") == OnList(listed=False, covered=False)


@pytest.mark.parametrize("number", ["+442125550123", "+12125550", "+4921255501", "+121255501234"])
def test_a_number_of_another_plan_is_not_covered_by_an_area_code_that_looks_alike(tmp_path: Path, number: str) -> None:
    assert not RegistryFiles(tmp_path).version(write(tmp_path)).look(number).covered


def test_writing_counts_each_number_once(tmp_path: Path) -> None:
    writer = BitWriter(tmp_path)
    for numbers in ({"212": [1, 2, 2]}, {"646": [1]}, {"212": [2, 3]}):
        writer.add(numbers)
    written = writer.finish(also_covered=["305"])
    assert written.numbers == 4
    assert list(written.digests) == ["212", "305", "646"]
    assert bit_file(tmp_path, "305").stat().st_size == BIT_FILE_BYTES


def test_a_version_that_is_not_here_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(UnreadableListError, match="not on this machine"):
        RegistryFiles(tmp_path).version("20261120T000000Z-0123456789abcdef")


@pytest.mark.parametrize("damage", ["missing", "short", "long", "altered", "empty"])
def test_a_bit_file_that_is_not_as_imported_cannot_be_asked(tmp_path: Path, damage: str) -> None:
    name = write(tmp_path)
    path = bit_file(files_of(tmp_path, name), "212")
    content = path.read_bytes()
    path.unlink()
    changed = {
        "short": content[:-1],
        "long": content + b"\0",
        "altered": b"\1" + content[1:],
        "empty": b"",
    }
    if damage in changed:
        path.write_bytes(changed[damage])
    version = RegistryFiles(tmp_path).version(name)
    with pytest.raises(UnreadableListError):
        version.look("+12125550123")
    assert version.look("+16460000042").listed, "the others are whole"


def test_a_manifest_that_was_changed_cannot_be_trusted(tmp_path: Path) -> None:
    name = write(tmp_path)
    manifest = files_of(tmp_path, name) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"646"', b'"917"'))
    with pytest.raises(UnreadableListError, match="not the one"):
        RegistryFiles(tmp_path).version(name)


def test_the_same_content_has_the_same_name_and_a_damaged_copy_is_mended(tmp_path: Path) -> None:
    name = write(tmp_path)
    damaged = bit_file(files_of(tmp_path, name), "646")
    damaged.unlink()
    assert write(tmp_path) == name
    assert RegistryFiles(tmp_path).version(name).look("+16460000042").listed


def test_a_version_in_use_is_not_touched_when_it_is_imported_again(tmp_path: Path) -> None:
    name = write(tmp_path)
    before = bit_file(files_of(tmp_path, name), "646").stat().st_ino
    write(tmp_path)
    assert bit_file(files_of(tmp_path, name), "646").stat().st_ino == before


def test_what_a_killed_import_left_behind_is_no_version_and_is_cleared_away(tmp_path: Path) -> None:
    name = write(tmp_path)
    leftover = folder_of(tmp_path, NATIONAL) / ".importing-x"
    leftover.mkdir()
    (leftover / "212.bits").write_bytes(b"half")
    assert RegistryFiles(tmp_path).version(name).look("+16460000042").listed
    write(tmp_path, {"646": [1]})
    assert not leftover.exists()


def test_an_import_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with import_folder(tmp_path, NATIONAL) as folder:
            BitWriter(folder).add({"212": [1]})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in folder_of(tmp_path, NATIONAL).iterdir()] == [".lock"]


def test_two_imports_of_one_list_do_not_mix(tmp_path: Path) -> None:
    with (
        import_folder(tmp_path, NATIONAL),
        pytest.raises(ListBusyError, match="another import"),
        import_folder(tmp_path, NATIONAL),
    ):
        pass


def test_a_worker_goes_over_to_another_version_and_back(tmp_path: Path) -> None:
    first, second = write(tmp_path), write(tmp_path, {"212": [5]})
    files = RegistryFiles(tmp_path)
    assert files.version(first).look("+12120000001").listed
    assert not files.version(second).look("+12120000001").listed
    assert files.version(first).look("+12120000001").listed


def test_a_version_that_is_mapped_can_be_asked_after_it_was_removed(tmp_path: Path) -> None:
    first, second = write(tmp_path), write(tmp_path, {"212": [5]})
    version = RegistryFiles(tmp_path).version(first)
    assert version.look("+12120000001").listed
    remove_others(tmp_path, NATIONAL, keep=frozenset({second}))
    assert version.look("+12120000001").listed
    with pytest.raises(UnreadableListError):
        version.look("+16460000042")
