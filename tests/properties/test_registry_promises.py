"""The registry's two promises: whatever is written in a flat file is found, and nothing else is."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.files.list_folders import import_folder, place
from campaigns.files.list_problems import ListFileError
from campaigns.files.number_bits import BitWriter
from campaigns.files.number_lines import NumberChunk, read_numbers
from campaigns.files.registry import NATIONAL, RegistryFiles

CODES = st.sampled_from(["212", "646", "305", "989"])
PLACES = st.integers(0, 9_999_999) | st.sampled_from([0, 7, 8, 9_999_999])
NUMBERS = st.tuples(CODES, PLACES)
LAYOUTS = st.sampled_from(
    ["{code},{place:07}", "{code}{place:07}", "({code}) {place:07}", "1-{code}-{place:07}", '"{code}{place:07}"\r']
)


def flat_file(numbers: list[tuple[str, int]], layouts: list[str]) -> bytes:
    lines = [
        layouts[index % len(layouts)].format(code=code, place=place) for index, (code, place) in enumerate(numbers)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def cut(text: bytes, lines: int) -> Iterator[bytes]:
    """Chunks of so many whole lines."""
    whole = text.splitlines(keepends=True)
    return (b"".join(whole[start : start + lines]) for start in range(0, len(whole), lines))


def read(chunks: Iterator[bytes]) -> list[NumberChunk]:
    return list(read_numbers(chunks, file="list.txt"))


@given(st.lists(NUMBERS, min_size=1), st.lists(LAYOUTS, min_size=1, max_size=3), st.integers(1, 20))
def test_every_written_number_is_read_however_it_is_written_and_cut(
    numbers: list[tuple[str, int]], layouts: list[str], lines: int
) -> None:
    chunks = read(cut(flat_file(numbers, layouts), lines))
    found = [(code, place) for chunk in chunks for code, places in chunk.numbers.items() for place in places]
    assert sorted(found) == sorted(numbers)
    assert sum(chunk.lines for chunk in chunks) == len(numbers)
    assert not any(chunk.rejects for chunk in chunks)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), min_size=1))
def test_any_bytes_are_numbers_or_rejects_or_refused_and_no_line_is_lost(lines: list[bytes]) -> None:
    text = b"212,5550123\n" + b"".join(line + b"\n" for line in lines)
    try:
        (chunk,) = read(iter([text]))
    except ListFileError:
        return  # it looked like a change list
    assert chunk.lines == len(lines) + 1
    read_in = sum(len(places) for places in chunk.numbers.values())
    assert read_in + len(chunk.rejects) + sum(not line.strip() for line in lines) == chunk.lines


@settings(max_examples=25, deadline=None)
@given(st.lists(NUMBERS), st.lists(NUMBERS, min_size=1))
def test_a_version_lists_exactly_what_was_written(written: list[tuple[str, int]], asked: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        with import_folder(Path(home), NATIONAL) as folder:
            writer = BitWriter(folder)
            for code, number in written:
                writer.add({code: [number]})
            bits = writer.finish()
            name = place(folder, digests=bits.digests, obtained_at=datetime(2026, 11, 1, tzinfo=UTC))
        version = RegistryFiles(Path(home)).version(name)
        covered = {code for code, _ in written}
        for code, number in [*written, *asked]:
            found = version.look(f"+1{code}{number:07}")
            assert (found.listed, found.covered) == ((code, number) in set(written), code in covered)
        assert bits.numbers == len(set(written))
