"""Rows of a CSV file. One bad row is a problem of that row; a bad header is a problem of the file."""

import csv
from collections import deque
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from campaigns.files.customer_problems import CustomerFileError, SourceItem, SourceProblem, SourceRow

MAX_RECORD_LINES = 50
"""A quoted field may hold line breaks; a record of more lines than this is a quote that was never closed."""
_OTHER_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}


def csv_rows(lines: Iterator[str], *, required: Collection[str], file: str) -> Iterator[SourceItem]:
    """Every record under the header, blank lines left out.

    Raises `CustomerFileError` for a header that cannot be used, or one that lacks a `required` column.
    """
    records = _Records(lines)
    header = _read_header(records, required=required, file=file)
    for number, (cells, original) in enumerate(records, start=1):
        if isinstance(cells, str):
            yield SourceProblem(number, "bad_quoting", cells, original)
        elif cells:
            yield _row(number, cells, header, original)


def _row(number: int, cells: list[str], header: list[str], original: str) -> SourceItem:
    if "\0" in original:
        return SourceProblem(
            number, "nul_byte", "the row holds a NUL byte", original.replace("\0", "\N{SYMBOL FOR NULL}")
        )
    if len(cells) < len(header):
        detail = f"{len(cells)} fields where the header has {len(header)}"
        return SourceProblem(number, "short_row", detail, original)
    if any(cell.strip() for cell in cells[len(header) :]):
        detail = f"{len(cells)} fields where the header has {len(header)}; is a comma not quoted?"
        return SourceProblem(number, "long_row", detail, original)
    return SourceRow(number, dict(zip(header, cells, strict=False)), original)


class _Records:
    """csv.reader over `lines`, each record with its original text.

    A record is either its cells or, as a string, what is wrong with it. After a bad quote only the line in
    which it began is given up: a stray quote must not swallow the customers below it.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._reader = csv.reader(self._feed(), strict=True)

    def __iter__(self) -> Iterator[tuple[list[str] | str, str]]:
        while True:
            self._taken.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._give_up_first_line(error)
            else:
                yield cells, "".join(self._taken).rstrip("\r\n")

    def _feed(self) -> Iterator[str]:
        while len(self._taken) < MAX_RECORD_LINES:
            line = self._again.popleft() if self._again else next(self._lines, "")
            if not line:
                return
            self._taken.append(line)
            yield line
        raise csv.Error(f"a quote is not closed within {MAX_RECORD_LINES} lines")

    def _give_up_first_line(self, error: csv.Error) -> tuple[str, str]:
        first, *others = self._taken
        self._again.extendleft(reversed(others))
        self._reader = csv.reader(self._feed(), strict=True)
        return f"the quoting cannot be read: {error}", first.rstrip("\r\n")


def _read_header(records: _Records, *, required: Collection[str], file: str) -> list[str]:
    cells, original = next(iter(records), ([], ""))
    if "\r" in original:
        message = "the lines end with bare carriage returns; save the file with ordinary line ends"
        raise CustomerFileError(message, file=file, line=1)
    if "\0" in original:
        raise CustomerFileError("the header holds NUL bytes, as UTF-16 does; save the file as UTF-8", file=file, line=1)
    if isinstance(cells, str) or not cells:
        raise CustomerFileError("the first line is no CSV header; write the column names there", file=file, line=1)
    header = [cell.strip() for cell in cells]
    while len(header) > 1 and not header[-1]:
        header.pop()
    _check_header(header, original, required=required, file=file)
    return header


def _check_header(header: list[str], original: str, *, required: Collection[str], file: str) -> None:
    missing = [name for name in required if name not in header]
    delimiter = next((each for each in _OTHER_DELIMITERS if each in original), None)
    if missing and delimiter and "," not in original:
        message = f"the header is separated by {_OTHER_DELIMITERS[delimiter]}; a comma is needed"
        raise CustomerFileError(message, file=file, line=1)
    if "" in header:
        message = f"column {header.index('') + 1} has no name; name it or remove it"
        raise CustomerFileError(message, file=file, line=1)
    if twice := next((name for name in header if header.count(name) > 1), None):
        raise CustomerFileError(f"two columns are named {twice!r}; rename one", file=file, line=1)
    if missing:
        raise missing_column(missing[0], header, file=file, line=1)


def missing_column(name: str, header: Collection[str], *, file: str, line: int | None = None) -> CustomerFileError:
    """The error for a column that is asked for and that the list does not have."""
    nearest = next(iter(get_close_matches(name, list(header), n=1)), None)
    hint = f"; did you mean {nearest!r}?" if nearest else "."
    shown = ", ".join(list(header)[:30])
    message = f"there is no column {name!r}, which is asked for{hint} The columns are: {shown}"
    return CustomerFileError(message, file=file, line=line, nearest=nearest)
