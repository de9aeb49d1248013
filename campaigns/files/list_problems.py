"""What can be wrong with a do-not-call file: with the whole of it, or with one of its lines."""

from dataclasses import dataclass


class ListFileError(Exception):
    """The file cannot be used as it is. One sentence: what was found, what is allowed, what to do."""

    def __init__(self, message: str, *, file: str, line: int | None = None) -> None:
        super().__init__(f"{file}, line {line}: {message}" if line else f"{file}: {message}")
        self.message = message
        self.file = file
        self.line = line


class UnreadableListError(Exception):
    """A version on this machine cannot be trusted: a file is missing, short or not what was imported."""


@dataclass(frozen=True, slots=True)
class LineReject:
    """One line that is no number; the rest of the file goes on."""

    file: str
    line: int
    reason: str
    original: str
