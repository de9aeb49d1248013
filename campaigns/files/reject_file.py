"""Rows that were not taken over, as a file that their owner can mend and give again."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Self

from campaigns.files.cells import harmless

HEADER = ("row", "reason", "detail", "original")


class RejectFile:
    """A CSV file, written row by row. It holds original rows, so it is readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, row_number: int, *, reason: str, detail: str, original: str) -> None:
        """One row."""
        self._writer.writerow((row_number, reason, harmless(detail), harmless(original)))
