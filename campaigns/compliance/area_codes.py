"""North American area codes: the state of each and all the time zones that it may be in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from campaigns.compliance.zones import UnreadableZoneError, zone


class AreaCodeError(ValueError):
    """The table of area codes cannot be used. The message says which row is wrong and what is allowed."""


@dataclass(frozen=True, slots=True)
class AreaCode:
    """One row. A code without zones belongs to no place: toll-free, premium, personal."""

    code: str
    state: str | None
    zones: tuple[str, ...]
    kind: str
    confirmed: bool
    """False: a planned code, not yet known to the numbering plan we ship. It is not dialed."""


@dataclass(frozen=True, slots=True, eq=False)
class AreaCodeTable:
    """Every code we know, by its three digits. Compared by identity: loaded once."""

    codes: Mapping[str, AreaCode]
    zones: tuple[str, ...]
    """Every zone named in the table; one name per clock, so Boise is called Denver."""
    digest: str

    def get(self, code: str) -> AreaCode | None:
        return self.codes.get(code)


def area_code_table(rows: Iterable[Mapping[str, str]], *, digest: str) -> AreaCodeTable:
    """Build the table from rows with the columns `npa, state, kind, timezones, valid_in_phonenumbers`.

    Raises `AreaCodeError`.
    """
    codes: dict[str, AreaCode] = {}
    for row in rows:
        code = _area_code(row)
        if code.code in codes:
            raise AreaCodeError(f"area code {code.code} is listed twice; keep one row of it")
        codes[code.code] = code
    if not codes:
        raise AreaCodeError("the table of area codes is empty; without it no number has a place")
    zones = dict.fromkeys(name for code in codes.values() for name in code.zones)
    return AreaCodeTable(codes=MappingProxyType(codes), zones=tuple(zones), digest=digest)


def _area_code(row: Mapping[str, str]) -> AreaCode:
    try:
        code, kind = row["npa"], row["kind"]
        names = tuple(name for name in row["timezones"].split(";") if name)
        state, valid = row["state"] or None, row["valid_in_phonenumbers"]
    except (KeyError, AttributeError) as error:
        raise AreaCodeError(
            "a row lacks a column; each needs npa, state, kind, timezones, valid_in_phonenumbers"
        ) from error
    _check(code, kind=kind, state=state, zones=names)
    return AreaCode(code=code, state=state, zones=names, kind=kind, confirmed=valid == "true")


def _check(code: str, *, kind: str, state: str | None, zones: tuple[str, ...]) -> None:
    if len(code) != 3 or not (code.isascii() and code.isdigit()):
        raise AreaCodeError(f"{code!r} is not an area code; it has three digits")
    if kind == "geographic" and not (state and zones):
        raise AreaCodeError(f"area code {code} is geographic and lacks a state or a time zone")
    for name in zones:
        try:
            zone(name)
        except UnreadableZoneError as error:
            raise AreaCodeError(f"area code {code}: {error}") from error
