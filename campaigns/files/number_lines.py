"""Numbers out of the national registry's flat files: `212,5550123` or ten digits with any separator, one a line.

A quarter of a billion lines have to be read in minutes and in little memory, so a chunk whose lines all have the layout
of its first is checked and read by whole-buffer operations; any other chunk is read line by line.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from campaigns.files.list_problems import LineReject, ListFileError

NUMBERS_A_CODE = 10_000_000
"""Seven digits after the area code."""
MOST_REJECT_BYTES = 200
"""Of a line that is no number, this much is kept to show."""

_DIGITS = b"0123456789"
_NOT_DIGITS = re.compile(rb"\D")
_NUMBER = re.compile(rb"1?([2-9]\d{9})")
_LETTER = re.compile(rb"[A-Za-z]")
_CHANGE = re.compile(rb"\W*\d{3}\D*\d{3}\D*\d{4}\W*,.*[A-Za-z0-9]")
"""A number, a comma, and then something more: a date, a mark of addition or deletion."""
_OPENING_OF_XML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")


@dataclass(frozen=True, slots=True)
class NumberChunk:
    """Some lines: seven-digit numbers by area code, and the lines that were none."""

    numbers: Mapping[str, list[int]]
    rejects: tuple[LineReject, ...] = ()
    lines: int = 0


def read_numbers(chunks: Iterator[bytes], *, file: str) -> Iterator[NumberChunk]:
    """Read whole-line chunks one after the other. Raises `ListFileError` for a format that is no list of numbers."""
    line = 1
    for chunk in chunks:
        if line == 1:
            _refuse_xml(chunk, file=file)
        read = _uniform(chunk) or _line_by_line(chunk, first_line=line, file=file)
        line += read.lines
        yield read


def _refuse_xml(chunk: bytes, *, file: str) -> None:
    if _OPENING_OF_XML.match(chunk[:MOST_REJECT_BYTES]):
        raise ListFileError("this is XML; download the flat file of the same list and import that", file=file, line=1)


def _uniform(chunk: bytes) -> NumberChunk | None:
    """The chunk if every line has the layout of the first, digit for digit and separator for separator; else None."""
    first = chunk[: chunk.find(b"\n") + 1]
    width, count = len(first), len(chunk) // len(first) if first else 0
    separators = [place for place in range(width) if first[place] not in _DIGITS]
    if width - len(separators) != 10 or len(chunk) != width * count or _LETTER.search(first):
        return None
    if any(chunk[place::width] != first[place : place + 1] * count for place in separators):
        return None
    if len(chunk.translate(None, _DIGITS)) != len(separators) * count:
        return None
    digits = chunk.translate(None, bytes(set(first) - set(_DIGITS) - {ord("\n")}))
    if digits[::11].translate(None, b"23456789"):
        return None  # no area code begins with 0 or 1: such a line is a reject
    return NumberChunk(_by_code(digits, count), lines=count)


def _by_code(digits: bytes, count: int) -> dict[str, list[int]]:
    """Lines of exactly ten digits. A sorted file is nearly always one area code for a long while."""
    code = digits[:3]
    if all(digits[place::11] == code[place : place + 1] * count for place in range(3)):
        return {code.decode(): list(map(int, digits.replace(b"\n" + code, b"\n")[3:].split()))}
    return _grouped(sorted(map(int, digits.split())))


def _grouped(values: list[int]) -> dict[str, list[int]]:
    """Sorted ten-digit numbers, by area code."""
    numbers, start = {}, 0
    while start < len(values):
        code = values[start] // NUMBERS_A_CODE
        base = code * NUMBERS_A_CODE
        end = bisect_left(values, base + NUMBERS_A_CODE, lo=start)
        numbers[str(code)] = [value - base for value in values[start:end]]
        start = end
    return numbers


def _line_by_line(chunk: bytes, *, first_line: int, file: str) -> NumberChunk:
    values, rejects = [], []
    lines = chunk.removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, start=first_line):
        value = _value(line, file=file, number=number)
        if value is not None:
            values.append(value)
        elif line.strip() and not _is_header(line, number):
            rejects.append(LineReject(file, number, "no ten-digit number", _shown(line)))
    return NumberChunk(_grouped(sorted(values)), tuple(rejects), len(lines))


def _value(line: bytes, *, file: str, number: int) -> int | None:
    """The ten digits of a line; None: it holds something else."""
    if _CHANGE.match(line):
        raise ListFileError(_NO_CHANGE_LIST, file=file, line=number)
    if _LETTER.search(line):
        return None
    found = _NUMBER.fullmatch(_NOT_DIGITS.sub(b"", line))
    return int(found[1]) if found else None


_NO_CHANGE_LIST = (
    "more than a number stands here, as in a change list of additions and deletions; import the full list, "
    "one number a line"
)


def _is_header(line: bytes, number: int) -> bool:
    return number == 1 and not any(character in _DIGITS for character in line)


def _shown(line: bytes) -> str:
    return line[:MOST_REJECT_BYTES].decode("utf-8", errors="replace").strip()
