"""Where a ZIP lies: its time zone from the package `zip2info` (an optional extra), its state from the postal prefix."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from campaigns.compliance.places import ZipPlace
from campaigns.files.zip_source import PACKAGE, zip_zones

_ZIP = re.compile(r"(\d{5})(?:-?\d{4})?", re.ASCII)


class ZipTableError(ValueError):
    """The table of prefixes cannot be used. The message says which file, and what is wrong in it."""


@dataclass(frozen=True, slots=True, eq=False)
class ZipPlaces:
    """A look-up of ZIPs. Called with a ZIP as a list writes it: `10001` or `10001-1234`."""

    states: Mapping[str, str]
    """By prefix, of three digits or, where a ZIP differs from its neighbours, of five."""
    zones: Mapping[int, int]
    """ZIP as a number → the index of its zone."""
    zone_names: tuple[str, ...]
    version: str
    """Of the package: it decides about hours, so it belongs to the digest of the rules."""

    def __call__(self, written: str) -> ZipPlace | None:
        found = _ZIP.fullmatch(written.strip())
        known = self.zones.get(int(found[1])) if found else None
        if found is None or known is None:
            return None
        return ZipPlace(state=self._state(found[1]), timezone=self.zone_names[known])

    def _state(self, digits: str) -> str | None:
        return self.states.get(digits) or self.states.get(digits[:3])


def load_zip_places(prefixes: Path) -> ZipPlaces | None:
    """The table, or None without the extra `zip`: then a ZIP alone is no evidence. Raises `ZipTableError`."""
    try:
        installed = version(PACKAGE)
    except PackageNotFoundError:
        return None
    table = zip_zones()
    return ZipPlaces(states=dict(_prefixes(prefixes)), zones=table.zones, zone_names=table.names, version=installed)


def _prefixes(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ZipTableError(f"{path.name}: cannot be read ({type(error).__name__}); restore it") from error
    for row in csv.DictReader(lines):
        try:
            first, last, state = row["first"], row["last"], row["state"]
            span = range(int(first), int(last) + 1)
        except (KeyError, ValueError, TypeError) as error:
            raise ZipTableError(f"{path.name}: each row needs first, last and state; mend or restore it") from error
        yield from ((f"{prefix:0{len(first)}}", state) for prefix in span)
