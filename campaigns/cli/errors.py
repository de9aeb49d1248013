"""How a command ends: the exit codes, and the one error that carries them to the top."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What a script may rely on."""

    DONE = 0
    BAD_ANSWER = 1
    """It ran, and the answer is bad."""
    BAD_INPUT = 2
    REFUSED = 3
    """A guard said no; nothing was changed."""
    UNREACHABLE = 4
    """Postgres, Redis or a provider does not answer."""
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends a command with one clear sentence (or one per problem) and an exit code."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: ExitCode,
        problems: Sequence[Mapping[str, Any]] = (),
        lines: Sequence[str] = (),
    ) -> None:
        """`problems`: the objects of `--json`, made from `message` if none; `lines`: what a terminal shows below it."""
        super().__init__(message)
        self.exit_code = exit_code
        self.lines = tuple(lines)
        self.problems = tuple(problems) or (problem(message),)


def problem(message: str, *, path: str = "", found: str = "", allowed: str = "") -> dict[str, Any]:
    """One error in the shape that every `--json` error has, for those that stand in no file."""
    return {
        "file": None,
        "line": None,
        "column": None,
        "path": path,
        "found": found,
        "allowed": allowed,
        "nearest": None,
        "message": message,
    }
