"""Invented customers, every one of whom may be called: the figures shall be about dialing, not about refusing."""

import csv
from pathlib import Path

AREA_CODES = ("212", "305", "214", "312", "602", "404", "617", "713", "503", "414")
PER_CODE = 800 * 10_000
"""Exchanges 200 to 999."""
HEADER = ("phone", "full_name", "plan", "consent", "consented_at", "form")


def number_of(index: int) -> str:
    """The index-th person's number, E.164; all differ."""
    code, rest = AREA_CODES[index % len(AREA_CODES)], index // len(AREA_CODES)
    return f"+1{code}{2_000_000 + rest * 37 % PER_CODE:07d}"


def write_people(path: Path, *, count: int, first: int = 0) -> None:
    """A CSV list with consent on each row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        for index in range(first, first + count):
            lines.writerow((number_of(index), f"Customer {index}", "Basic", "pewc", "2026-06-01T10:00:00Z", "Form 7"))
