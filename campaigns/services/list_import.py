"""What imports of do-not-call lists have in common: what was asked for, what came of it, and when to refuse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from campaigns.files.list_problems import LineReject
from campaigns.store.lists import ListVersion, lock_list

MOST_REJECTED = 0.01
"""A whole list of which a larger share cannot be read is in a format that we misread: then nothing changes."""
SMALLEST_SHARE = 0.9
"""Lists grow. One that lost more than a tenth since the version in force was most likely cut short."""
REJECTS_SHOWN = 10
CLOCK_TOLERANCE = timedelta(minutes=5)


class ImportRefusedError(Exception):
    """Nothing was changed. The message says what was found and what to do."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One list as an operator hands it over. Several files are one version."""

    list_name: str
    paths: Sequence[Path]
    obtained_at: datetime
    source: str
    subscription: str | None = None
    replace_anyway: bool = False
    """Put it in force even though it is older, or much smaller, than the version in force."""


@dataclass(slots=True)
class Rejects:
    """Lines that are no numbers: how many, and the first of them to show."""

    count: int = 0
    lines: int = 0
    first: list[LineReject] = field(default_factory=list)

    def add(self, rejects: Iterable[LineReject]) -> None:
        """Count them; only the first are kept, so that a bad file does not fill the memory."""
        for reject in rejects:
            self.count += 1
            if len(self.first) < REJECTS_SHOWN:
                self.first.append(reject)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `changed` False: this very version was in force already."""

    list_name: str
    changed: bool
    numbers: int
    rejects: Rejects
    sha256: str
    area_codes: Sequence[str] = ()
    version: str | None = None
    added: int | None = None
    """Entries of a list in rows that are new, and that ended."""
    ended: int | None = None


def lock(connection: Connection, list_name: str) -> None:
    """Be the only import of this list until the transaction ends. Raises `ImportRefusedError`."""
    if not lock_list(connection, list_name):
        raise ImportRefusedError(f"another import of {list_name} is going on; wait until it has ended")


def check_time(request: ImportRequest, *, now: datetime, in_force: ListVersion | None) -> None:
    """Raises `ImportRefusedError` for a list from the future, or older than the one in force."""
    if request.obtained_at > now + CLOCK_TOLERANCE:
        raise ImportRefusedError(
            f"obtained at {request.obtained_at.isoformat()} is in the future; give the time at which the list was "
            "downloaded"
        )
    if in_force and request.obtained_at < in_force.obtained_at and not request.replace_anyway:
        raise ImportRefusedError(
            f"the version in force was obtained later, at {in_force.obtained_at.isoformat()}; if the older one is "
            "meant to take its place, add --replace-anyway"
        )


def check_readable(request: ImportRequest, *, numbers: int, rejects: Rejects, whole: bool = True) -> None:
    """Raises `ImportRefusedError` when the files hold no numbers, or too much else.

    Of a list that is not `whole`, whoever can be read is added: better some of those who objected than none.
    """
    if numbers == 0:
        raise ImportRefusedError(f"there is no number in {_files(request)}; a list has one ten-digit number a line")
    if whole and rejects.count > MOST_REJECTED * rejects.lines:
        example = rejects.first[0]
        raise ImportRefusedError(
            f"{rejects.count:,} of {rejects.lines:,} lines are no numbers ({example.file}, line {example.line} is the "
            "first); a list has one ten-digit number a line"
        )


def check_size(request: ImportRequest, *, numbers: int, in_force: ListVersion | None) -> None:
    """Raises `ImportRefusedError` for a list that shrank as no list does."""
    if in_force and numbers < SMALLEST_SHARE * in_force.numbers and not request.replace_anyway:
        raise ImportRefusedError(
            f"there are {numbers:,} numbers where the version in force has {in_force.numbers:,}; was the download cut "
            "short? If it is right, add --replace-anyway"
        )


def _files(request: ImportRequest) -> str:
    return ", ".join(path.name for path in request.paths)
