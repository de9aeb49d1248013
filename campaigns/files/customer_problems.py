"""What can be wrong with a customer list: with the whole file, or with one of its rows."""

from dataclasses import dataclass


class CustomerFileError(Exception):
    """The list cannot be used as it is. One sentence: what was found, what is allowed, what to do."""

    def __init__(self, message: str, *, file: str, line: int | None = None, nearest: str | None = None) -> None:
        super().__init__(f"{file}, line {line}: {message}" if line else f"{file}: {message}")
        self.message = message
        self.file = file
        self.line = line
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as the list gives it. `row_number` counts records from 1, the header left out."""

    row_number: int
    values: dict[str, str]
    """By header, blanks around header names stripped."""
    original: str


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """One row that cannot be read; it becomes a reject, the rest of the file goes on."""

    row_number: int
    reason: str
    detail: str
    original: str


SourceItem = SourceRow | SourceProblem
