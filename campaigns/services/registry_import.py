"""Importing a version of the national registry: written beside the one in force, put in force by one transaction.

A crash at any point leaves the old version whole: until the row in Postgres changes, nobody looks at the new folder.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Engine

from campaigns.files.list_chunks import list_members, open_list, sha256_of
from campaigns.files.list_folders import import_folder, place, remove_others
from campaigns.files.number_bits import BitWriter, WrittenBits
from campaigns.files.number_lines import read_numbers
from campaigns.files.registry import NATIONAL
from campaigns.services.list_import import (
    Imported,
    ImportRefusedError,
    ImportRequest,
    Rejects,
    check_readable,
    check_size,
    check_time,
    lock,
)
from campaigns.store import lists as rows
from campaigns.store.campaigns import record_operation

OnLines = Callable[[int], None]
"""Told now and then how many lines were read."""


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """Files turned into bits."""

    bits: WrittenBits
    rejects: Rejects
    sha256: str


def write_bits(
    paths: Sequence[Path], folder: Path, *, area_codes: frozenset[str] | None, on_lines: OnLines
) -> ReadFiles:
    """Read the files into bit files of `folder`. `area_codes`: what they cover; None: the codes found in them.

    Raises `ListFileError`, and `ImportRefusedError` for numbers outside that scope.
    """
    writer, rejects, digests = BitWriter(folder), Rejects(), []
    for path in paths:
        with ExitStack() as stack:
            file = stack.enter_context(open_list(path))
            digests.append(sha256_of(file))
            for name, chunks in list_members(file, name=path.name):
                for chunk in read_numbers(chunks, file=name):
                    _require_scope(chunk.numbers.keys(), area_codes, file=name)
                    writer.add(chunk.numbers)
                    rejects.add(chunk.rejects)
                    rejects.lines += chunk.lines
                    on_lines(rejects.lines)
    return ReadFiles(writer.finish(also_covered=sorted(area_codes or ())), rejects, _joint_digest(digests))


class ImportRegistry:
    """Imports for one operator. `home`: RINGFENCE_HOME, whose `lists` folder the workers of this machine read."""

    def __init__(self, engine: Engine, *, home: Path, operator: str) -> None:
        self._engine = engine
        self._home = home
        self._operator = operator

    def run(
        self, request: ImportRequest, *, area_codes: frozenset[str] | None = None, on_lines: OnLines = lambda _: None
    ) -> Imported:
        """Bring one version into force. The same files again change nothing but bring them onto this machine.

        Raises `ImportRefusedError`, `ListFileError`, `ListBusyError`; then the version in force is as it was.
        """
        with self._engine.begin() as connection:
            check_time(request, now=rows.database_now(connection), in_force=rows.active_version(connection, NATIONAL))
        with import_folder(self._home, NATIONAL) as folder:
            read = write_bits(request.paths, folder, area_codes=area_codes, on_lines=on_lines)
            check_readable(request, numbers=read.bits.numbers, rejects=read.rejects)
            self._check_against_version_in_force(request, read)
            version = place(folder, digests=read.bits.digests, obtained_at=request.obtained_at)
            changed = self._switch(request, read, version)
            self._clear_old_versions()
        return Imported(
            list_name=NATIONAL,
            changed=changed,
            numbers=read.bits.numbers,
            rejects=read.rejects,
            sha256=read.sha256,
            area_codes=sorted(read.bits.digests),
            version=version,
        )

    def _check_against_version_in_force(self, request: ImportRequest, read: ReadFiles) -> None:
        with self._engine.begin() as connection:
            in_force = rows.active_version(connection, NATIONAL)
        check_size(request, numbers=read.bits.numbers, in_force=in_force)
        lost = sorted(set(in_force.area_codes) - set(read.bits.digests)) if in_force else []
        if lost and not request.replace_anyway:
            raise ImportRefusedError(
                f"the version in force covers area codes that this one lacks ({', '.join(lost[:10])}"
                f"{', …' if len(lost) > 10 else ''}); import all files of a version at once, or add --replace-anyway"
            )

    def _switch(self, request: ImportRequest, read: ReadFiles, version: str) -> bool:
        """Put it in force; False: it is. The transaction is the switch for every worker."""
        with self._engine.begin() as connection:
            lock(connection, NATIONAL)
            in_force = rows.active_version(connection, NATIONAL)
            if in_force and in_force.folder == version:
                return False
            check_time(request, now=rows.database_now(connection), in_force=in_force)
            new = rows.NewVersion(
                list_name=NATIONAL,
                folder=version,
                obtained_at=request.obtained_at,
                source=request.source,
                subscription=request.subscription,
                area_codes=sorted(read.bits.digests),
                numbers=read.bits.numbers,
                rejects=read.rejects.count,
                sha256=read.sha256,
            )
            rows.put_in_force(connection, new, imported_by=self._operator)
            record_operation(
                connection,
                operator=self._operator,
                action="suppress import",
                subject=NATIONAL,
                detail=f"{new.numbers} numbers of {len(new.area_codes)} area codes, version {version}",
            )
            return True

    def _clear_old_versions(self) -> None:
        """Keep the one in force, and the one before it for claims that began before the switch."""
        with self._engine.begin() as connection:
            kept = rows.newest_versions(connection, NATIONAL, most=2)
        remove_others(self._home, NATIONAL, keep=frozenset(one.folder for one in kept if one.folder))


def _require_scope(found: Iterable[str], area_codes: frozenset[str] | None, *, file: str) -> None:
    outside = sorted(set(found) - area_codes) if area_codes is not None else []
    if outside:
        raise ImportRefusedError(
            f"{file} holds numbers of area code {outside[0]}, which --area-codes does not name; add it, or leave the "
            "option out to cover what the files hold"
        )


def _joint_digest(digests: Sequence[str]) -> str:
    """A single file's own SHA-256; of several the SHA-256 over theirs, sorted."""
    return digests[0] if len(digests) == 1 else sha256("".join(sorted(digests)).encode()).hexdigest()
