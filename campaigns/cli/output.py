"""What goes where: the answer on stdout (with `--json` exactly one object, last), everything else on stderr."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from campaigns.cli.errors import CommandError

PLAIN_WIDTH = 120
"""Columns of tables when no terminal says how wide it is."""
WIDEST = 10_000
"""No row is wider; only a bound for measuring."""


def answers() -> Console:
    """The console of answers: stdout."""
    return _console(stderr=False)


def notes() -> Console:
    """The console of progress, hints and errors: stderr."""
    return _console(stderr=True)


def print_json(answer: Mapping[str, Any]) -> None:
    """The one object of `--json`."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def print_error(error: CommandError, *, as_json: bool) -> None:
    """Tell why the command ends: as an object for a program, as lines for a person."""
    if as_json:
        print_json({"errors": [dict(item) for item in error.problems]})
        return
    console = notes()
    console.print(f"[bold red]error:[/] {plain(str(error))}", soft_wrap=True)
    for line in error.lines:
        console.print(plain(line), soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else PLAIN_WIDTH)


def print_whole(table: Table) -> None:
    """A table of ids and names that are copied into the next command: wider than the terminal rather than cut short."""
    console = answers()
    needed = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    console.width = max(console.width, needed)
    console.print(table, crop=False)


def plain(text: str) -> str:
    """Text from outside is no markup."""
    return text.replace("[", r"\[")
