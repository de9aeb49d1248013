"""One row of a case table, cell by cell; what cannot be read is a problem with its line, and reading goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class CaseProblem:
    """What cannot be read, in the terms of every error: where, what was found, what is allowed."""

    line: int | None
    column: str
    found: str
    allowed: str
    nearest: str | None = None

    @property
    def message(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"column {self.column}: found {self.found!r}, allowed is {self.allowed}{hint}"


class Row:
    """One row's cells; what cannot be read goes to the problems, and reading goes on."""

    def __init__(self, cells: Mapping[str, str], line: int, problems: list[CaseProblem]) -> None:
        self._cells = cells
        self._line = line
        self._problems = problems

    def has(self, column: str) -> bool:
        return column in self._cells

    def text(self, column: str) -> str | None:
        """The cell; None if it is blank or there is no such column."""
        return self._cells.get(column) or None

    def read(self, column: str, parse: Callable[[str], _Value], *, allowed: str) -> _Value | None:
        cell = self.text(column)
        if cell is None:
            return None
        try:
            return parse(cell)
        except (ValueError, KeyError, OverflowError):
            self._problems.append(CaseProblem(self._line, column, cell, allowed))
            return None

    def required(self, column: str, parse: Callable[[str], _Value], *, allowed: str) -> _Value | None:
        if self.text(column) is None:
            self._problems.append(CaseProblem(self._line, column, "", allowed))
        return self.read(column, parse, allowed=allowed)

    def flag(self, column: str) -> bool | None:
        return self.read(column, {"0": False, "1": True}.__getitem__, allowed="0, 1 or blank")

    def listed(self, column: str) -> list[str]:
        return [part.strip() for part in (self.text(column) or "").split(";") if part.strip()]
