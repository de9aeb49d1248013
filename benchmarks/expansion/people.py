"""Invented lists to be read: every column that a sales campaign maps, some spellings, some mistakes, some repeats."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

AREA_CODES = (
    ("212", "NY"), ("305", "FL"), ("214", "TX"), ("312", "IL"), ("602", "AZ"),
    ("404", "GA"), ("617", "MA"), ("423", "TN"), ("503", "OR"), ("303", "CO"),
)  # fmt: skip
"""With the state of the address; 423 lies in two time zones."""
PER_CODE = 800 * 10_000
"""Exchanges 200 to 999."""
STEP = 37_013
"""Prime to `PER_CODE`: neighbours in a list share no exchange, as in a real one."""
ABROAD = ("+4420794{:05d}", "+4969907{:05d}", "+9198765{:05d}", "+3314200{:05d}")
CONSENTED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""One consent every 17 seconds, so that no two rows share a time."""
HEADER = ("phone", "full_name", "st", "zip", "plan", "consent", "consented_at", "form", "crm_id")
REPEATED_EVERY, WRONG_EVERY = 200, 500
"""One row in 200 has a number that stood before, one in 500 a number that no plan knows."""


def write_people(path: Path, *, count: int, spelled: float = 0.0, abroad: float = 0.0) -> None:
    """A CSV list. `spelled`: the share written as people write, `(212) 555-0123`; `abroad`: the share not in +1."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        lines.writerows(_people(count, spelled=spelled, abroad=abroad, chance=random.Random(1)))


def _people(count: int, *, spelled: float, abroad: float, chance: random.Random) -> Iterator[tuple[str, ...]]:
    for index in range(count):
        code, state = AREA_CODES[index % len(AREA_CODES)]
        number = _number(index, code, spelled=chance.random() < spelled, abroad=chance.random() < abroad)
        consented_at = (CONSENTED_FROM + timedelta(seconds=17 * index)).isoformat()
        consent = ("pewc", consented_at, "Form 7")
        yield (number, f"Customer {index}", state, "", "Basic", *consent, f"crm-{index}")


def _number(index: int, code: str, *, spelled: bool, abroad: bool) -> str:
    if index % WRONG_EVERY == WRONG_EVERY - 1:
        return f"+1{code}1{index % 1_000_000:06d}"  # no exchange begins with 1
    if abroad:
        return ABROAD[index % len(ABROAD)].format(index % 100_000)
    first = index // REPEATED_EVERY * REPEATED_EVERY if index % REPEATED_EVERY == REPEATED_EVERY // 2 else index
    line = f"{2_000_000 + first // len(AREA_CODES) * STEP % PER_CODE:07d}"
    code = AREA_CODES[first % len(AREA_CODES)][0]
    return f"({code}) {line[:3]}-{line[3:]}" if spelled else f"+1{code}{line}"
