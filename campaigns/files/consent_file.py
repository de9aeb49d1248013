"""Lists of consents, CSV or JSON Lines, streamed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from campaigns.files.customer_file import open_customers
from campaigns.files.customer_problems import CustomerFileError, SourceItem, SourceRow
from campaigns.files.text_lines import Digest


def open_consents(path: Path, *, needed: Mapping[str, str], seen: Digest) -> Iterator[SourceItem]:
    """Stream the rows; `seen` has taken in all bytes of the file once the iterator is exhausted.

    `needed`: our key → header, for the columns that the list must have. Raises `CustomerFileError` for what is wrong
    with the whole file.
    """
    empty = True
    try:
        for row in open_customers(path, required=list(needed.values()), seen=seen):
            empty = False
            yield row
    except CustomerFileError as error:
        raise CustomerFileError(_with_advice(error, needed), file=error.file, line=error.line) from None
    if empty:
        raise CustomerFileError("there is no row under the header", file=path.name)


def unread_columns(row: SourceRow, columns: Mapping[str, str]) -> list[str]:
    """Headers that no key reads: nothing of them goes on record."""
    read = set(columns.values())
    return [header for header in row.values if header not in read]


def _with_advice(error: CustomerFileError, needed: Mapping[str, str]) -> str:
    key = next((key for key, header in needed.items() if f"no column {header!r}" in error.message), None)
    return error.message if key is None else f"{error.message}; --column {key}=HEADER reads another one"
