"""Customer lists, CSV or JSON Lines: streamed, so that a million rows need no more memory than ten."""

import hashlib
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from campaigns.files.csv_rows import csv_rows, missing_column
from campaigns.files.customer_problems import CustomerFileError, SourceItem, SourceProblem, SourceRow
from campaigns.files.jsonl_rows import jsonl_rows
from campaigns.files.text_lines import Digest, read_lines

CSV_ENDINGS = frozenset({".csv"})
JSONL_ENDINGS = frozenset({".jsonl", ".ndjson"})
CHECKED_ROWS = 100
"""How many rows `check_customers` reads: enough to see that the file is what the campaign says it is."""
_BLOCK_BYTES = 1 << 20


def open_customers(path: Path, *, required: Collection[str], seen: Digest | None = None) -> Iterator[SourceItem]:
    """Stream the rows of a list. A row that cannot be read comes as a `SourceProblem`.

    `required` are the header names that the campaign maps. `seen`, when given, has taken in all bytes of the
    file once the iterator is exhausted. Raises `CustomerFileError` for what is wrong with the whole file.
    """
    lines = read_lines(path, seen=seen if seen is not None else hashlib.sha256())
    if path.suffix.lower() in CSV_ENDINGS:
        return csv_rows(lines, required=required, file=path.name)
    if path.suffix.lower() in JSONL_ENDINGS:
        return _with_columns(jsonl_rows(lines), required=required, file=path.name)
    endings = ", ".join(sorted(CSV_ENDINGS | JSONL_ENDINGS))
    raise CustomerFileError(f"the ending {path.suffix!r} is not known; allowed are {endings}", file=path.name)


def check_customers(path: Path, *, required: Collection[str]) -> tuple[CustomerFileError, ...]:
    """What is wrong with the header and the first rows; empty if nothing is."""
    try:
        rows = list(islice(open_customers(path, required=required), CHECKED_ROWS))
    except CustomerFileError as error:
        return (error,)
    if not rows:
        return (CustomerFileError("there is no row under the header", file=path.name),)
    if all(isinstance(row, SourceProblem) for row in rows):
        first = next(row for row in rows if isinstance(row, SourceProblem))
        message = f"none of the first {len(rows)} rows can be read; row {first.row_number}: {first.detail}"
        return (CustomerFileError(message, file=path.name),)
    return ()


def digest_of(path: Path) -> str:
    """SHA-256 of the file's bytes, as hex. Raises `CustomerFileError` if it cannot be read."""
    seen = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                seen.update(block)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CustomerFileError(f"{reason}; put the file back in its place", file=path.name) from None
    return seen.hexdigest()


def inspect_customers(path: Path, *, required: Collection[str]) -> str:
    """Read the whole list once and return its SHA-256: what would stop its expansion is found before it starts.

    Raises `CustomerFileError`.
    """
    seen = hashlib.sha256()
    rows = 0
    for _row in open_customers(path, required=required, seen=seen):
        rows += 1
    if rows == 0:
        raise CustomerFileError("there is no row under the header", file=path.name)
    return seen.hexdigest()


def _with_columns(rows: Iterator[SourceItem], *, required: Collection[str], file: str) -> Iterator[SourceItem]:
    """JSON Lines have no header: each mapped name must be in at least one of the first rows."""
    first = list(islice(rows, CHECKED_ROWS))
    names = dict.fromkeys(name for row in first if isinstance(row, SourceRow) for name in row.values)
    for name in required:
        if names and name not in names:
            raise missing_column(name, names, file=file)
    yield from first
    yield from rows
