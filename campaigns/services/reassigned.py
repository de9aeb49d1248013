"""Import of answers from the reassigned-numbers database. The same file again adds nothing."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from campaigns.customers.phone import PhoneProblem, normalize
from campaigns.files.customer_file import open_customers
from campaigns.files.customer_problems import SourceItem, SourceProblem
from campaigns.store.campaigns import record_operation
from campaigns.store.reassigned import NewAnswer, add_answers

COLUMNS: Mapping[str, str] = {"number": "number", "askedSince": "askedSince", "answer": "answer"}
"""What each row must tell, and the header that tells it unless the caller names another one."""
ANSWERED_AT = "answeredAt"
ANSWERS = frozenset({"yes", "no", "no_data"})
CHUNK_ROWS = 5_000
"""Rows a transaction: a file of any length is read in little memory."""
MOST_REJECTS_SHOWN = 100
_DEFAULT_REGION = "US"
"""The database holds United States numbers only, and writes them without a country code."""


@dataclass(frozen=True, slots=True)
class RowReject:
    """A row that was not taken over. `message` repeats no number."""

    row_number: int
    message: str


@dataclass(slots=True)
class Imported:
    """`rows = added + known + rejected`; of the rejects the first hundred are kept to show."""

    rows: int = 0
    added: int = 0
    rejected: int = 0
    rejects: list[RowReject] = field(default_factory=list)

    @property
    def known(self) -> int:
        """Answers that were on record before."""
        return self.rows - self.added - self.rejected


class _RowError(Exception):
    """Carries the reason out of the reading of one row."""


def import_answers(
    engine: Engine,
    path: Path,
    *,
    columns: Mapping[str, str] = COLUMNS,
    answered_at: datetime | None,
    operator: str,
) -> Imported:
    """Take the file over, chunk by chunk.

    `answered_at`: when the database answered, for rows without an answeredAt cell. Raises `CustomerFileError` for a
    file that cannot be read; what was taken over until then stays, and the next import goes on from there.
    """
    seen = hashlib.sha256()
    imported = Imported()
    rows = open_customers(path, required=list(columns.values()), seen=seen)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        answers = list(_read(chunk, imported, columns=columns, answered_at=answered_at))
        with engine.begin() as connection:
            imported.added += add_answers(connection, answers, source=path.name, operator=operator)
    with engine.begin() as connection:
        detail = f"{imported.added} answers, {imported.rejected} rows rejected, sha256 {seen.hexdigest()}"
        record_operation(connection, operator=operator, action="reassigned import", subject=path.name, detail=detail)
    return imported


def _read(
    chunk: list[SourceItem], imported: Imported, *, columns: Mapping[str, str], answered_at: datetime | None
) -> Iterator[NewAnswer]:
    for item in chunk:
        imported.rows += 1
        try:
            yield _answer(item, columns=columns, answered_at=answered_at)
        except _RowError as error:
            imported.rejected += 1
            if len(imported.rejects) < MOST_REJECTS_SHOWN:
                imported.rejects.append(RowReject(item.row_number, str(error)))


def _answer(item: SourceItem, *, columns: Mapping[str, str], answered_at: datetime | None) -> NewAnswer:
    if isinstance(item, SourceProblem):
        raise _RowError(item.detail)
    cells = {key: item.values.get(header, "").strip() for key, header in columns.items()}
    number = normalize(cells["number"], default_region=_DEFAULT_REGION)
    if isinstance(number, PhoneProblem):
        raise _RowError(number.message)
    answer = cells["answer"].lower().replace(" ", "_")
    if answer not in ANSWERS:
        raise _RowError("the answer is not known; it is yes, no or no_data")
    return NewAnswer(number, _date(cells["askedSince"]), answer, _instant(item.values.get(ANSWERED_AT), answered_at))


def _date(cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise _RowError("the date asked about is no date; write it as 2026-09-01") from None


def _instant(cell: str | None, given: datetime | None) -> datetime:
    """When the answer was given: an answer tells nothing of what happened after it."""
    if not (cell or "").strip():
        if given is None:
            raise _RowError("it is not known when the answer was given; fill answeredAt, or say --answered-at")
        return given
    try:
        instant = datetime.fromisoformat((cell or "").strip())
    except ValueError:
        raise _RowError("answeredAt is no time; write it as 2026-11-01T12:00:00-05:00") from None
    if instant.tzinfo is None:
        raise _RowError("answeredAt has no offset, so its instant is unknown; add one such as -05:00 or Z")
    return instant.astimezone(UTC)
