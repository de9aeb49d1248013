"""Importing a list that is kept in rows: internal, litigators, a seller's, a campaign's, a state's.

A state's list is the whole list: entries of earlier imports that it lacks end. The others only grow by an import; what
is to leave them is removed by hand. COPY and one transaction: bounded memory, and all or nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, Engine

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.compliance.list_names import is_state_list
from campaigns.customers.phone import PhoneProblem, normalize
from campaigns.files.list_chunks import list_members, open_list, sha256_of
from campaigns.files.list_problems import LineReject
from campaigns.files.number_rows import WrittenNumber, written_numbers
from campaigns.services.asking_back import ask_back_listed
from campaigns.services.list_import import (
    Imported,
    ImportRequest,
    Rejects,
    check_readable,
    check_size,
    check_time,
    lock,
)
from campaigns.services.suppress import Wait
from campaigns.store import lists as versions
from campaigns.store import suppressions as rows
from campaigns.store.campaigns import record_operation
from campaigns.store.suppressions import ListTarget

_PLAIN_NANP = re.compile(r"(?:\+?1)?[\s.(-]*([2-9]\d\d)[\s.),-]*(\d{3})[\s.-]*(\d{4})", re.ASCII)
"""Ten digits as American lists write them: read here, because a full parse of millions takes minutes."""


@dataclass(frozen=True, slots=True)
class RowsOptions:
    """How the file is to be read, and how long its entries last."""

    target: ListTarget
    column: str | None = None
    expires_at: datetime | None = None


@dataclass(slots=True)
class _Reading:
    """One pass over the files, counting as it goes."""

    request: ImportRequest
    column: str | None
    rejects: Rejects
    digests: list[str]

    def numbers(self) -> Iterator[str]:
        """Every readable number in E.164."""
        for path in self.request.paths:
            with open_list(path) as file:
                self.digests.append(sha256_of(file))
                for name, chunks in list_members(file, name=path.name):
                    for item in written_numbers(chunks, column=self.column, file=name):
                        yield from self._number(item)

    def digest(self) -> str:
        """A single file's own SHA-256; of several the SHA-256 over theirs, sorted."""
        digests = self.digests
        return digests[0] if len(digests) == 1 else sha256("".join(sorted(digests)).encode()).hexdigest()

    def _number(self, item: WrittenNumber | LineReject) -> Iterator[str]:
        self.rejects.lines += 1
        if isinstance(item, LineReject):
            self.rejects.add([item])
            return
        number = e164(item.text)
        if isinstance(number, PhoneProblem):
            self.rejects.add([LineReject(item.file, item.line, number.message, item.text)])
        else:
            yield number


class ImportRows:
    """Imports for one operator. `wait` really waits that long; tests pass their own."""

    def __init__(self, engine: Engine, *, operator: str, wait: Wait) -> None:
        self._engine = engine
        self._operator = operator
        self._wait = wait

    def run(self, request: ImportRequest, options: RowsOptions) -> Imported:
        """Bring the numbers of these files onto a list. The same files again change nothing.

        Raises `ImportRefusedError` and `ListFileError`; then the list is as it was.
        """
        reading = _Reading(request, options.column, Rejects(), [])
        with self._engine.begin() as connection:
            rows.allow_long_import(connection)
            lock(connection, request.list_name)
            in_force = versions.active_version(connection, request.list_name)
            whole = is_state_list(request.list_name)
            check_time(request, now=versions.database_now(connection), in_force=in_force if whole else None)
            numbers = rows.stage_numbers(connection, reading.numbers())
            check_readable(request, numbers=numbers, rejects=reading.rejects, whole=whole)
            if whole:
                check_size(request, numbers=numbers, in_force=in_force)
            imported = self._write(connection, request, options, reading, numbers=numbers, in_force=in_force)
        self._wait(PERMIT_LIFETIME)
        return imported

    def _write(
        self,
        connection: Connection,
        request: ImportRequest,
        options: RowsOptions,
        reading: _Reading,
        *,
        numbers: int,
        in_force: versions.ListVersion | None,
    ) -> Imported:
        list_name, digest = request.list_name, reading.digest()
        whole = is_state_list(list_name)
        known = in_force is not None and _is_same(in_force, request, digest=digest)
        version_id = None if known else self._put_in_force(connection, request, reading, numbers=numbers)
        ended = rows.end_absent(connection, list_name, removed_by=self._operator) if whole else 0
        added = rows.add_staged(
            connection,
            options.target,
            source=request.source,
            added_by=self._operator,
            expires_at=options.expires_at,
            version_id=version_id or (in_force.id if in_force else None),
        )
        ask_back_listed(connection, options.target, asked_by=self._operator)
        changed = bool(added or ended or version_id)
        if changed:
            detail = f"{numbers} numbers from {request.source}: {added} added, {ended} ended"
            record_operation(
                connection, operator=self._operator, action="suppress import", subject=list_name, detail=detail
            )
        return Imported(
            list_name=list_name,
            changed=changed,
            numbers=numbers,
            rejects=reading.rejects,
            sha256=digest,
            added=added,
            ended=ended,
        )

    def _put_in_force(self, connection: Connection, request: ImportRequest, reading: _Reading, *, numbers: int) -> int:
        new = versions.NewVersion(
            list_name=request.list_name,
            folder=None,
            obtained_at=request.obtained_at,
            source=request.source,
            subscription=request.subscription,
            area_codes=(),
            numbers=numbers,
            rejects=reading.rejects.count,
            sha256=reading.digest(),
        )
        return versions.put_in_force(connection, new, imported_by=self._operator)


def _is_same(in_force: versions.ListVersion, request: ImportRequest, *, digest: str) -> bool:
    """A whole list that was obtained again is as good as new; an unchanged list that only grows is nothing new."""
    whole = is_state_list(request.list_name)
    return in_force.sha256 == digest and (not whole or in_force.obtained_at == request.obtained_at)


def e164(text: str) -> str | PhoneProblem:
    """A number as a list writes it; without a country code it is American."""
    written = text.strip()
    if plain := _PLAIN_NANP.fullmatch(written):
        return "+1" + "".join(plain.groups())
    return normalize(written, default_region="US")
