"""Rows for one statement as JSON documents. Of JSON and long texts, arrays would have to quote each character again."""

from collections.abc import Iterator, Sequence

MOST_CHARACTERS = 16_000_000
"""Of one document. Postgres takes 255 MB; a character may be written as six bytes."""


def documents(rows: Sequence[str]) -> Iterator[str]:
    """Arrays of the rows, which are JSON, in their order; none is longer than the most unless one row is."""
    first, length = 0, 0
    for here, row in enumerate(rows):
        length += len(row)
        if length > MOST_CHARACTERS and here > first:
            yield _array(rows[first:here])
            first, length = here, len(row)
    if rows:
        yield _array(rows[first:])


def _array(rows: Sequence[str]) -> str:
    return f"[{','.join(rows)}]"
