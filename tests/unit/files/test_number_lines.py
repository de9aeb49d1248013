import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from campaigns.files.list_chunks import CHUNK_BYTES, list_members, open_list, whole_lines
from campaigns.files.list_problems import ListFileError
from campaigns.files.number_lines import NumberChunk, read_numbers


def read(*chunks: bytes) -> list[NumberChunk]:
    return list(read_numbers(iter(chunks), file="list.txt"))


def numbers(chunks: Sequence[NumberChunk]) -> set[str]:
    return {f"{code}{number:07}" for chunk in chunks for code, listed in chunk.numbers.items() for number in listed}


@pytest.mark.parametrize(
    "text",
    [
        b"212,5550123\n646,5550199\n",
        b"2125550123\n6465550199\n",
        b"212,5550123\r\n646,5550199\r\n",
        b"212-555-0123\n(646) 555-0199\n",
        b'"2125550123"\n"6465550199"\n',
        b"+1 212 555 0123\n16465550199\n",
        b"area code,number\n212,5550123\n\n646,5550199\n",
        b"\xef\xbb\xbf212,5550123\n646,5550199\n",
        b"212,5550123,\n646,5550199,\n",
    ],
)
def test_ten_digits_with_any_separator_are_a_number(text: bytes) -> None:
    chunks = read(text)
    assert numbers(chunks) == {"2125550123", "6465550199"}
    assert chunks[0].rejects == ()


def test_lines_of_one_layout_and_of_many_are_read_alike() -> None:
    uniform = b"".join(b"212,%07d\n" % number for number in range(0, 3000, 7))
    ragged = uniform.replace(b"212,0000014", b"212.0000014 ")
    assert numbers(read(uniform)) == numbers(read(ragged))
    assert len(numbers(read(uniform))) == 429


@pytest.mark.parametrize(
    "line", [b"212,555012", b"112,5550123", b"012,5550123", b"555-CALL-NOW1", b"22125550123", b"-"]
)
def test_a_line_that_is_no_number_is_a_reject_and_the_rest_goes_on(line: bytes) -> None:
    (chunk,) = read(b"212,5550123\n" + line + b"\n646,5550199\n")
    assert numbers([chunk]) == {"2125550123", "6465550199"}
    assert [(reject.line, reject.original) for reject in chunk.rejects] == [(2, line.decode())]


def test_a_uniform_file_of_numbers_that_cannot_exist_is_all_rejects() -> None:
    (chunk,) = read(b"112,5550123\n112,5550124\n")
    assert (chunk.numbers, len(chunk.rejects)) == ({}, 2)


def test_rejects_carry_the_line_of_the_file_not_of_the_chunk() -> None:
    chunks = read(b"212,5550123\n212,5550124\n", b"oops\n")
    assert [reject.line for chunk in chunks for reject in chunk.rejects] == [3]


@pytest.mark.parametrize(
    "line",
    [
        b"212,5550123,A",
        b"212,5550123,2026-11-01,D",
        b"2125550123,20261101,A",
        b"212,5550123,20261101",
        b"212,5550123,1",
    ],
)
def test_a_change_list_is_refused_before_a_deletion_is_taken_for_an_entry(line: bytes) -> None:
    with pytest.raises(ListFileError, match="change list") as refused:
        read(line + b"\n" + line + b"\n")
    assert "5550123" not in str(refused.value)


def test_xml_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(ListFileError, match="flat file"):
        read(b"<?xml version='1.0'?>\n<list type='full'/>\n")


def test_chunks_end_with_whole_lines_however_the_file_is_cut() -> None:
    text = b"".join(b"212,%07d\n" % number for number in range(CHUNK_BYTES // 8)).rstrip(b"\n")
    chunks = list(whole_lines(io.BytesIO(text), name="list.txt"))
    assert len(chunks) > 1
    assert all(chunk.endswith(b"\n") for chunk in chunks)
    assert b"".join(chunks) == text + b"\n"


def test_a_file_that_is_no_list_of_lines_does_not_fill_the_memory() -> None:
    with pytest.raises(ListFileError, match="longer than"):
        list(whole_lines(io.BytesIO(b"1" * 3 * CHUNK_BYTES), name="list.txt"))


def test_an_empty_file_is_no_list() -> None:
    with pytest.raises(ListFileError, match="empty"):
        list(whole_lines(io.BytesIO(b""), name="list.txt"))


def test_every_list_of_an_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lists.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("212.txt", "212,5550123\n")
        archive.writestr("646/646.txt", "646,5550199\n")
        archive.writestr("__MACOSX/._212.txt", "\0\0")
    with open_list(path) as file:
        found = {name: numbers(read(*chunks)) for name, chunks in list_members(file, name=path.name)}
    assert found == {"lists.zip/212.txt": {"2125550123"}, "lists.zip/646/646.txt": {"6465550199"}}


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lists.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("212.txt", "212,5550123\n" * 100)
    path.write_bytes(path.read_bytes().replace(b"212,5550123\n", b"212,5550124\n", 1))
    with open_list(path) as file, pytest.raises(ListFileError, match="download it again"):
        [list(chunks) for _, chunks in list_members(file, name=path.name)]
    path.write_bytes(path.read_bytes()[:500])
    with open_list(path) as file, pytest.raises(ListFileError, match="download it again"):
        [list(chunks) for _, chunks in list_members(file, name=path.name)]


def test_a_file_that_is_missing_or_a_folder_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ListFileError, match="no such file"), open_list(tmp_path / "gone.txt"):
        pass
    with pytest.raises(ListFileError, match="folder"), open_list(tmp_path):
        pass
