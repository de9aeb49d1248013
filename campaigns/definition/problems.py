"""What is wrong with a campaign file: one value a mistake, each with its place, and the error that carries them all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, told so that the writer can mend it without reading our code.

    `line` and `column` count from 1 and are None when the mistake has no place (an empty file, a stored definition).
    `path` is the key as the file spells it, such as `customers.list[3].consent.level`; empty for the whole file.
    """

    file: str
    line: int | None
    column: int | None
    path: str
    found: str
    allowed: str
    nearest: str | None
    message: str

    def as_dict(self) -> dict[str, str | int | None]:
        """The shape that `--json` prints: file, line, column, path, found, allowed, nearest, message."""
        return asdict(self)

    def render(self) -> str:
        """One line for a terminal: `file:line:column: path: message`."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return _printable(": ".join(part for part in (place, self.path, self.message) if part))


class DefinitionError(Exception):
    """The campaign file is not usable; `problems` says all that is wrong, in the order of the file.

    The text of the exception names places only: what was found may be personal, and exceptions end up in logs.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_place))
        first = self.problems[0]
        where = f"line {first.line}, column {first.column}" if first.line else "no place"
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"{count} in {first.file}, the first at {where} ({first.path or 'the whole file'})")


def _printable(text: str) -> str:
    """What a file says must not steer the terminal that shows it."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _place(problem: Problem) -> tuple[int, int, str]:
    return problem.line or 0, problem.column or 0, problem.path
