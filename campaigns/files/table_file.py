"""A table as CSV or as JSON lines, row by row, in a file that is there whole or not at all."""

import csv
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from campaigns.files.cells import harmless

Row = Mapping[str, Any]
"""Column → text, number, truth value, None, or a mapping of these."""


class TableFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


class TableFileError(Exception):
    """The file cannot be written. The message says why and what to do."""


def write_rows(out: TextIO, rows: Iterable[Row], *, columns: Sequence[str], table_format: TableFormat) -> int:
    """Write them all, holding none; returns how many there were. A row without a column has it empty."""
    put = _csv_writer(out, columns) if table_format is TableFormat.CSV else _jsonl_writer(out, columns)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        put(row)
    return count


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A file to write; it takes its name only when the block ends well. Only its owner may read it.

    Raises `TableFileError`.
    """
    try:
        _require_plain(path)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise TableFileError(f"{path}: cannot be written ({error.strerror}); name another file") from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise TableFileError(f"{path}: could not be written whole ({error.strerror}); nothing was changed") from None
    finally:
        part.unlink(missing_ok=True)


def _require_plain(path: Path) -> None:
    """A device or a pipe must not be replaced by a file of its name."""
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise TableFileError(f"{path}: is no plain file; name another one, or leave --out away for standard output")


def _csv_writer(out: TextIO, columns: Sequence[str]) -> Callable[[Row], object]:
    writer = csv.writer(out)
    writer.writerow(columns)
    return lambda row: writer.writerow([_cell(row.get(column)) for column in columns])


def _jsonl_writer(out: TextIO, columns: Sequence[str]) -> Callable[[Row], object]:
    return lambda row: out.write(json.dumps({c: row.get(c) for c in columns}, ensure_ascii=False) + "\n")


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Mapping():
            return harmless(json.dumps(value, ensure_ascii=False)) if value else ""
        case _:
            return harmless(str(value))
