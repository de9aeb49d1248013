"""The numbers of a list that is kept in rows: one a line, or one column of a CSV file. As written, not yet read."""

from collections.abc import Iterator
from dataclasses import dataclass

from campaigns.files.csv_rows import csv_rows
from campaigns.files.customer_problems import CustomerFileError, SourceRow
from campaigns.files.list_problems import LineReject, ListFileError


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number as the list writes it. `line` counts records of a CSV file from 1, the header left out."""

    file: str
    line: int
    text: str


def written_numbers(chunks: Iterator[bytes], *, column: str | None, file: str) -> Iterator[WrittenNumber | LineReject]:
    """Every number of a list. `column`: the header of its column; None: the file has nothing but numbers.

    Raises `ListFileError` for a file that is no text, or lacks the column.
    """
    lines = _lines(chunks, file=file)
    if column is None:
        yield from _plain(lines, file=file)
        return
    try:
        for item in csv_rows(lines, required=[column], file=file):
            if isinstance(item, SourceRow):
                yield WrittenNumber(file, item.row_number, item.values[column])
            else:
                yield LineReject(file, item.row_number, item.detail, item.original)
    except CustomerFileError as error:
        raise ListFileError(error.message, file=file, line=error.line) from None


def _plain(lines: Iterator[str], *, file: str) -> Iterator[WrittenNumber]:
    for number, line in enumerate(lines, start=1):
        text = line.strip().strip('"').strip()
        is_header = number == 1 and not any(character.isdigit() for character in text)
        if text and not is_header:
            yield WrittenNumber(file, number, text)


def _lines(chunks: Iterator[bytes], *, file: str) -> Iterator[str]:
    for index, chunk in enumerate(chunks):
        whole = chunk.removeprefix(b"\xef\xbb\xbf") if index == 0 else chunk
        try:
            yield from whole.decode("utf-8").splitlines(keepends=True)
        except UnicodeDecodeError:
            raise ListFileError("this is no UTF-8 text; save the file as UTF-8", file=file) from None
