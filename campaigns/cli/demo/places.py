"""Area codes to invent customers from, and numbers that belong to nobody."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

FICTIONAL_LINES = range(100, 200)
"""555-0100 to 555-0199 are set aside for fiction in every area code."""

STATE_ZIPS = {
    "AL": "35203", "AZ": "85004", "CA": "90012", "CO": "80202", "FL": "33130", "GA": "30303", "HI": "96813",
    "IL": "60602", "IN": "46204", "KY": "40202", "LA": "70112", "MA": "02108", "MI": "48226", "MN": "55401",
    "NC": "27601", "NJ": "07102", "NV": "89101", "NY": "10007", "OH": "43215", "OR": "97204", "PA": "19107",
    "TN": "37219", "TX": "75201", "VA": "23219", "WA": "98104",
}  # fmt: skip
"""A well-known ZIP code of a large city for some states; the others go without."""


@dataclass(frozen=True, slots=True)
class AreaCode:
    """One area code: where its numbers may be."""

    code: str
    state: str
    zones: tuple[str, ...]

    def number(self, line: int) -> str:
        """The E.164 form of a fictional number, `line` from `FICTIONAL_LINES`."""
        return f"+1{self.code}555{line:04d}"


def read_area_codes(path: Path) -> list[AreaCode]:
    """The geographic area codes of `config/area_codes.csv`, one of each state before the second of any."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        codes = [_area_code(row) for row in rows if row["kind"] == "geographic" and row["timezones"]]
    return list(_states_in_turn(codes))


def _area_code(row: dict[str, str]) -> AreaCode:
    return AreaCode(code=row["npa"], state=row["state"], zones=tuple(row["timezones"].split(";")))


def _states_in_turn(codes: Iterable[AreaCode]) -> Iterator[AreaCode]:
    """Every state early, so that even a short list meets every time zone."""
    by_state: dict[str, list[AreaCode]] = {}
    for code in codes:
        by_state.setdefault(code.state, []).append(code)
    while by_state:
        for state in sorted(by_state):
            yield by_state[state].pop(0)
        by_state = {state: left for state, left in by_state.items() if left}
