"""The ZIP table of the package `zip2info`, read as the text it is.

Imported, its forty thousand rows cost each process 150 MB and two thirds of a second, because Python compiles a module
of 1.5 MB; read line by line they cost 5 MB. A release that is laid out in another way is imported after all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "zip2info"
_ZONES_OPEN = re.compile(r"TIMEZONES\b.*= \(")
_ZONE = re.compile(r"    '([A-Za-z_/+-]+)',")
_ROWS_OPEN = re.compile(r"ZIP_INFO\b.*= \{")
_ROW = re.compile(r"    (\d{1,5}): \((\d{1,3}), -?\d+(?:\.\d+)?, -?\d+(?:\.\d+)?\),")


@dataclass(frozen=True, slots=True)
class ZipZones:
    """ZIP as a number → the index of its zone in `names`."""

    zones: Mapping[int, int]
    names: tuple[str, ...]


def zip_zones() -> ZipZones:
    """The table of the installed package. Raises `ModuleNotFoundError` without it."""
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    read = read_zip_zones(Path(folders[0]) / "_data.py") if folders else None
    return read or imported_zip_zones()


def imported_zip_zones() -> ZipZones:
    """The same by way of Python's import."""
    data = import_module(f"{PACKAGE}._data")
    return ZipZones({number: row[0] for number, row in data.ZIP_INFO.items()}, tuple(data.TIMEZONES))


def read_zip_zones(path: Path) -> ZipZones | None:
    """What the file says; None unless every line of both tables is of the form we know, for a guess would be hours."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = (line.rstrip("\n") for line in file)
            names = tuple(found[1] for found in _table(lines, opened=_ZONES_OPEN, row=_ZONE, closed=")"))
            rows = _table(lines, opened=_ROWS_OPEN, row=_ROW, closed="}")
            zones = {int(found[1]): int(found[2]) for found in rows}
            unread = any(line.strip() for line in lines)
    except (OSError, UnicodeDecodeError, _UnknownFormError):
        return None
    whole = zones and max(zones.values()) < len(names) and not unread
    return ZipZones(zones, names) if whole else None


class _UnknownFormError(Exception):
    """A line that is not laid out as we know it."""


def _table(
    lines: Iterator[str], *, opened: re.Pattern[str], row: re.Pattern[str], closed: str
) -> Iterator[re.Match[str]]:
    """The rows between the line that opens a table and the one that closes it. Raises `_UnknownFormError`."""
    if not any(opened.fullmatch(line) for line in lines):
        raise _UnknownFormError
    for line in lines:
        if line == closed:
            return
        found = row.fullmatch(line)
        if found is None:
            raise _UnknownFormError
        yield found
    raise _UnknownFormError
