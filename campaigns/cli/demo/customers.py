"""The demo's customer list: invented people in every US zone, and every kind of trouble a real list brings."""

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from campaigns.cli.demo.places import FICTIONAL_LINES, STATE_ZIPS, AreaCode

HEADER = ("phone", "full_name", "st", "zip", "tz", "consent", "consented_at", "form", "consent_seller", "plan")
SELLER = "Example Energy, Inc."
FIRST_NAMES = (
    "Ada",
    "Ben",
    "Carla",
    "Dev",
    "Elif",
    "Femi",
    "Grace",
    "Hugo",
    "Ines",
    "Jun",
    "Kofi",
    "Lena",
    "Mo",
    "Nia",
)
LAST_NAMES = ("Abel", "Brook", "Castle", "Dale", "Elm", "Field", "Grove", "Hill", "Isle", "Lake", "Moor", "North")
PLANS = ("Basic", "Green", "Night", "Family")

UNASSIGNED_AREA_CODES = ("290", "392", "496")
"""Codes with a 9 in the middle are kept for the day when ten digits no longer suffice; nobody has one."""

TROUBLE_SHARE = 0.24
"""About a quarter of the list is trouble: far more than a fair list has, so that each kind shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list, as its owner would have typed it."""

    phone: str
    full_name: str
    st: str
    zip: str
    tz: str
    consent: str
    consented_at: str
    form: str
    consent_seller: str
    plan: str

    def cells(self) -> list[str]:
        return [getattr(self, column) for column in HEADER]


@dataclass(frozen=True, slots=True)
class CustomerList:
    """What was written: the rows, and the numbers that asked us before never to call."""

    path: Path
    rows: int
    suppressed: tuple[str, ...]


def write_customers(
    path: Path, *, customers: int, area_codes: Sequence[AreaCode], consented_before: datetime, seed: int
) -> CustomerList:
    """Write `customers` rows to `path`; the same seed gives the same list.

    `consented_before` is the campaign's start: ordinary consent is older. Raises `ValueError` if there are not enough
    fictional numbers for so many customers.
    """
    dice = random.Random(seed)  # noqa: S311  # a repeatable list, not a secret
    writer = _Writer(dice, area_codes=area_codes, consented_before=consented_before)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        lines.writerows(writer.cells() for _ in range(customers))
    return CustomerList(path=path, rows=customers, suppressed=tuple(writer.suppressed))


def most_customers(area_codes: Sequence[AreaCode]) -> int:
    """As many as there are fictional numbers."""
    return len(area_codes) * len(FICTIONAL_LINES)


class _Writer:
    """Invents one row after another; remembers those it may repeat as duplicates."""

    def __init__(self, dice: random.Random, *, area_codes: Sequence[AreaCode], consented_before: datetime) -> None:
        self._dice = dice
        self._area_codes = area_codes
        self._consented_before = consented_before
        self._turn = count()
        self._earlier: list[Row] = []
        self.suppressed: list[str] = []
        self._troubles: tuple[Callable[[Row], Row | list[str]], ...] = (
            self._duplicate, self._duplicate, self._bad_number, self._bad_number, self._short_row,
            self._no_consent, self._no_consent, self._weak_consent, self._future_consent, self._unreadable_consent,
            self._other_seller, self._no_source, self._suppressed, self._suppressed, self._toll_free,
            self._unknown_area_code, self._moved, self._moved, self._wrong_zone, self._unreadable_zone,
        )  # fmt: skip

    def cells(self) -> list[str]:
        row = self._ordinary()
        if self._dice.random() >= TROUBLE_SHARE:
            self._earlier.append(row)
            return row.cells()
        troubled = self._dice.choice(self._troubles)(row)
        return troubled if isinstance(troubled, list) else troubled.cells()

    def _ordinary(self) -> Row:
        turn = next(self._turn)
        place = self._area_codes[turn % len(self._area_codes)]
        line = turn // len(self._area_codes)
        if line >= len(FICTIONAL_LINES):
            raise ValueError(f"there are only {most_customers(self._area_codes)} fictional numbers")
        consented_at = self._consented_before - timedelta(days=self._dice.randint(10, 300), minutes=turn % 600)
        stated = self._dice.random()
        return Row(
            phone=place.number(FICTIONAL_LINES[line]),
            full_name=f"{self._dice.choice(FIRST_NAMES)} {self._dice.choice(LAST_NAMES)}",
            st=place.state if stated < 0.6 else "",
            zip=STATE_ZIPS.get(place.state, "") if stated < 0.3 else "",
            tz=place.zones[0] if stated > 0.9 else "",
            consent="pewc",
            consented_at=consented_at.isoformat(timespec="seconds"),
            form="web form 7",
            consent_seller=SELLER,
            plan=self._dice.choice(PLANS),
        )

    # --- trouble that the import rejects ----------------------------------------------------------------

    def _duplicate(self, row: Row) -> Row:
        """Somebody who is on the list already, spelt another way, perhaps with less consent."""
        if not self._earlier:
            return row
        twin = self._dice.choice(self._earlier)
        digits = twin.phone.removeprefix("+1")
        spelling = self._dice.choice(
            (
                f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
                f"1-{digits[:3]}-{digits[3:6]}-{digits[6:]}",
                f"+1 {digits[:3]}.{digits[3:6]}.{digits[6:]}",
                digits,
            )
        )
        consent = self._dice.choice((twin.consent, "pec"))
        return replace(twin, phone=spelling, consent=consent)

    def _bad_number(self, row: Row) -> Row:
        wrong = ("555-0142", "n/a", "", "+1 212 555 01", "call the office", "+44 20 7946", f"{row.phone} ext. 12")
        return replace(row, phone=self._dice.choice(wrong))

    def _short_row(self, row: Row) -> list[str]:
        return row.cells()[:3]

    def _unreadable_consent(self, row: Row) -> Row:
        return replace(row, consented_at="last spring")

    def _unreadable_zone(self, row: Row) -> Row:
        return replace(row, tz="Eastern Standard")

    # --- trouble that the gate meets at the moment of dialing -------------------------------------------

    def _no_consent(self, row: Row) -> Row:
        return replace(row, consent="", consented_at="", form="", consent_seller="")

    def _weak_consent(self, row: Row) -> Row:
        """Consent given by word of mouth: not enough to sell something by an artificial voice."""
        return replace(row, consent="pec", form="phone order")

    def _future_consent(self, row: Row) -> Row:
        return replace(row, consented_at=(self._consented_before + timedelta(days=90)).isoformat(timespec="seconds"))

    def _other_seller(self, row: Row) -> Row:
        return replace(row, consent_seller="Another Power Company, LLC")

    def _no_source(self, row: Row) -> Row:
        return replace(row, form="")

    def _suppressed(self, row: Row) -> Row:
        """Asked us before never to call again."""
        self.suppressed.append(row.phone)
        return row

    def _toll_free(self, row: Row) -> Row:
        return replace(row, phone=f"+1888{row.phone[5:]}", st="", zip="", tz="")

    def _unknown_area_code(self, row: Row) -> Row:
        return replace(row, phone=f"+1{self._dice.choice(UNASSIGNED_AREA_CODES)}{row.phone[5:]}", st="", zip="", tz="")

    def _moved(self, row: Row) -> Row:
        """The number says one state, the address another: both have to allow the call."""
        state = self._dice.choice([other for other in STATE_ZIPS if other != row.st])
        return replace(row, st=state, zip=STATE_ZIPS[state], tz="")

    def _wrong_zone(self, row: Row) -> Row:
        return replace(row, tz=self._dice.choice(("Pacific/Honolulu", "America/New_York", "America/Los_Angeles")))


def describe(rows: CustomerList) -> Iterator[str]:
    """What the list is, for people who watch."""
    yield f"{rows.rows} customers with 555-01XX numbers in every US zone and territory"
    yield f"{len(rows.suppressed)} of them asked before never to be called"
