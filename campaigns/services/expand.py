"""Expansion: the customer list becomes customers and calls.

The list is streamed; each chunk commits its customers, calls, rejects and the cursor together, so a killed process
loses and doubles nothing. Nothing may be dialed until the last transaction has made the run active.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep

from sqlalchemy import Connection, Engine

from campaigns.definition.storage import load_definition
from campaigns.files.customer_problems import CustomerFileError, SourceItem
from campaigns.services.customer_source import CustomerRows
from campaigns.services.duplicates import settle_duplicates
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.passing import passes
from campaigns.services.row_reader import ReadRows, RowReader
from campaigns.store import expansion as rows
from campaigns.store import expansion_chunks as chunks
from campaigns.store.control import cancel_waiting_calls

CHUNK_ROWS = 5_000
"""Rows a transaction: 0.2 s of work to lose, few enough commits not to matter, and two chunks lie in some 30 MB."""
OFFER_ROWS = 50
"""Rows between two offers of the interpreter to the other threads of a worker, which feed and record: a
millisecond or so. Unasked it changes hands every five, and one pass of the feed waits for it a dozen times."""


class ExpansionError(Exception):
    """The run stays as it is and waits for a person; the message is on record with the run."""


class SourceChangedError(ExpansionError):
    """The list is no longer the one that this run began with."""


class SourceUnreadableError(ExpansionError):
    """The list cannot be read to its end."""


class UnforeseenError(ExpansionError):
    """A row, or a fault of ours. It would come again at every tick, and the whole list be read again each time."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"an unforeseen error ({kind}), which the worker's log tells in full; nothing of this run is dialed. "
            "Mend it and resume the campaign, or cancel it"
        )


@dataclass(frozen=True, slots=True)
class Expanded:
    """Rows read in all, and what became of them: `rows = rejected + calls`."""

    rows: int
    rejected: int
    calls: int


class Expand:
    """Expand one run, or go on where a killed process stopped."""

    def __init__(self, engine: Engine, gatekeeper: GateKeeper, *, chunk_rows: int = CHUNK_ROWS) -> None:
        self._engine = engine
        self._gatekeeper = gatekeeper
        self._chunk_rows = chunk_rows

    def run(self, run_id: int) -> Expanded | None:
        """None when another process is at it, or nothing is left to do. Raises `ExpansionError`."""
        with rows.only_expander(self._engine, run_id) as connection:
            if connection is None:
                return None
            try:
                return self._expand(connection, run_id)
            except CustomerFileError as error:
                raise self._recorded(connection, run_id, SourceUnreadableError(str(error))) from error
            except SourceChangedError as error:
                raise self._recorded(connection, run_id, error) from error.__cause__
            except Exception as error:
                if passes(error) or isinstance(error, chunks.CursorMovedError):  # somebody else wrote on meanwhile
                    raise
                raise self._recorded(connection, run_id, UnforeseenError(type(error).__name__)) from error

    def _expand(self, connection: Connection, run_id: int) -> Expanded | None:
        with connection.begin():
            run = rows.expanding_run(connection, run_id)
            if run is not None and run.campaign_state == "cancelled":
                rows.drop_run(connection, run_id)
                return None
        if run is None:
            return None
        definition = load_definition(run.definition)
        source = CustomerRows(definition, Path(run.customers_path) if run.customers_path else None)
        run = _verified(connection, run, source)
        reader = RowReader(definition, run, self._gatekeeper)
        self._read_all(connection, run, source, reader)
        _fill_originals(connection, run, source, page=self._chunk_rows)
        _record_consents(connection, run, page=self._chunk_rows)
        return _activate(connection, run, chunk=self._chunk_rows)

    def _read_all(
        self, connection: Connection, run: rows.ExpandingRun, source: CustomerRows, reader: RowReader
    ) -> None:
        """Two threads: this one reads the next chunk while the other one writes the last."""
        opened = source.open()
        items = _after(run.cursor_row, opened)
        cursor = run.cursor_row
        with ThreadPoolExecutor(1, thread_name_prefix="expansion") as writer:
            written: Future[None] | None = None
            while (read := reader.read(items, most=self._chunk_rows)) is not None:
                if written is not None:
                    written.result()
                written = writer.submit(_write, connection, run, read, cursor=cursor)
                cursor = read.last_row
            if written is not None:
                written.result()
        if opened.digest() != run.source_digest:
            raise _changed(run)

    def _recorded(self, connection: Connection, run_id: int, error: ExpansionError) -> ExpansionError:
        connection.rollback()
        with connection.begin():
            rows.set_problem(connection, run_id, problem=str(error))
        return error


def _verified(connection: Connection, run: rows.ExpandingRun, source: CustomerRows) -> rows.ExpandingRun:
    """The run with its list's digest: remembered at the first look, compared at every later one."""
    digest = source.digest()
    if run.source_digest is not None and run.source_digest != digest:
        raise _changed(run)
    if run.source_digest is None and digest is not None:
        with connection.begin():
            rows.set_source_digest(connection, run.id, digest=digest)
    return replace(run, source_digest=digest)


def _changed(run: rows.ExpandingRun) -> SourceChangedError:
    name = Path(run.customers_path).name if run.customers_path else "the list"
    return SourceChangedError(
        f"{name} changed after {run.cursor_row} rows of it were taken over; nothing of this run is dialed. "
        "Put the old content back and resume the campaign, or cancel it and submit it under another name"
    )


def _after(cursor: int, items: Iterable[SourceItem]) -> Iterator[SourceItem]:
    """The rows beyond the cursor."""
    for item in items:
        if item.row_number % OFFER_ROWS == 0:
            sleep(0)
        if item.row_number > cursor:
            yield item


def _write(connection: Connection, run: rows.ExpandingRun, read: ReadRows, *, cursor: int) -> None:
    with connection.begin():
        numbers = [candidate.row.number for candidate in read.candidates]
        stored = rows.customers_by_number(connection, run.id, numbers)
        weighed = settle_duplicates(read.candidates, stored=stored)
        chunk = chunks.Chunk(
            first_row_after=cursor,
            last_row=read.last_row,
            rows_read=len(read.candidates) + len(read.rejects),
            added=[read.entries[candidate.row_number] for candidate in weighed.added.values()],
            replaced={id_: read.entries[candidate.row_number] for id_, candidate in weighed.replaced.items()},
            rejects=[*read.rejects, *weighed.rejects],
        )
        chunks.write_chunk(connection, chunk, run_id=run.id, campaign_id=run.campaign_id)


def _fill_originals(connection: Connection, run: rows.ExpandingRun, source: CustomerRows, *, page: int) -> None:
    """Give rejects that a later chunk displaced their original text: one more reading, only if there are any."""
    wanted = _wanted(connection, run, after_row=0, page=page)
    found: dict[int, str] = {}
    for item in source.open() if wanted else ():
        if item.row_number not in wanted:
            continue
        found[item.row_number] = item.original
        if len(found) == len(wanted):
            with connection.begin():
                rows.set_originals(connection, run.id, found)
            wanted, found = _wanted(connection, run, after_row=item.row_number, page=page), {}
            if not wanted:
                return


def _wanted(connection: Connection, run: rows.ExpandingRun, *, after_row: int, page: int) -> frozenset[int]:
    with connection.begin():
        return frozenset(rows.rejects_without_original(connection, run.id, after_row=after_row, most=page))


def _record_consents(connection: Connection, run: rows.ExpandingRun, *, page: int) -> None:
    last_number: str | None = ""
    while last_number is not None:
        with connection.begin():
            last_number = rows.add_consents(connection, run, after_number=last_number, most=page)


def _activate(connection: Connection, run: rows.ExpandingRun, *, chunk: int) -> Expanded:
    with connection.begin():
        read, rejected = rows.rows_of(connection, run.id)
        active = rows.activate_run(connection, run)
    if not active:
        _cancel_all(connection, run, chunk=chunk)
    return Expanded(rows=read, rejected=rejected, calls=read - rejected)


def _cancel_all(connection: Connection, run: rows.ExpandingRun, *, chunk: int) -> None:
    """The campaign was cancelled while its list was read: nobody of it is called."""
    cancelled = 1
    while cancelled:
        with connection.begin():
            cancelled = cancel_waiting_calls(connection, run.campaign_id, most=chunk)
