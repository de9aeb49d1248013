"""`demo`: the whole of it on this machine, without accounts, keys or servers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.live import Live

from campaigns.cli.demo.clock import next_ordinary_start
from campaigns.cli.demo.customers import most_customers
from campaigns.cli.demo.funnel import funnel, pace_line
from campaigns.cli.demo.home import WINDOW
from campaigns.cli.demo.places import read_area_codes
from campaigns.cli.demo.run import DemoOptions, DemoResult, DemoWatcher, run_demo
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption
from campaigns.cli.output import notes, print_json
from campaigns.cli.status_view import REHEARSAL_ZONE, status_line, status_panel
from campaigns.runtime.installation import InstallationError
from campaigns.runtime.law import AREA_CODES_FILE, gatekeeper
from campaigns.services.status import CampaignStatus

DEFAULT_CUSTOMERS = 2000
DEFAULT_SPEED = 6000.0
"""A campaign hour in 0.6 s: a day of calling takes ten seconds, and a 27 hour rung comes due within twenty."""
PLAIN_LINES_EVERY = 4
"""Looks (of half a second) between two lines when nobody watches a terminal."""


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("demo")(demo)


def demo(
    customers: Annotated[int, typer.Option(min=1, help="Rows on the invented customer list.")] = DEFAULT_CUSTOMERS,
    at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the campaign begins on its own clock, with an offset.")
    ] = None,
    speed: Annotated[float, typer.Option(min=1, help="How many times as fast that clock runs.")] = DEFAULT_SPEED,
    seed: Annotated[int, typer.Option(help="The same seed gives the same list and the same outcomes.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Work in this new folder and leave data and logs there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a rehearsed campaign against a simulated provider, from file to last outcome, in under a minute."""
    options = DemoOptions(customers=customers, starts_at=_start(at), speed=speed, seed=seed, keep=keep)
    _check(options)
    console = notes()
    _announce(console, options)
    try:
        with _watcher(console, as_json=as_json) as watcher:
            result = run_demo(options, watcher)
    except InstallationError as error:
        raise CommandError(str(error), exit_code=ExitCode.BAD_ANSWER) from None
    console.print(funnel(result))
    console.print(pace_line(result))
    if as_json:
        print_json(summary(result))
    if not result.is_good:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def summary(result: DemoResult) -> dict[str, Any]:
    """The one object of `--json`; customers = rejected_rows + final."""
    status = result.status
    return {
        "customers": status.customers,
        "rejected_rows": status.rejected,
        "final": status.final,
        "by_state": status.by_state,
        "by_outcome": status.by_outcome,
        "dials": status.dials,
        "double_dials": result.witness.double_dials,
        "refusals_by_rule": status.refusals_by_rule,
        "seconds": round(result.seconds, 1),
    }


def _start(at: str | None) -> datetime:
    if at is None:
        return next_ordinary_start(datetime.now(UTC), is_holiday=_is_holiday)
    wrong = CommandError(
        f"--at: found {at!r}; give an instant with its offset, such as 2026-12-01T13:00:00-05:00.",
        exit_code=ExitCode.BAD_INPUT,
    )
    try:
        starts_at = datetime.fromisoformat(at)
    except ValueError:
        raise wrong from None
    if starts_at.tzinfo is None:
        raise wrong
    return starts_at.astimezone(UTC)


def _is_holiday(day: date) -> bool:
    """Whether any state bans or shortens calls on that date."""
    for each in gatekeeper().rules.jurisdictions.values():
        lists = [each.holiday_ban, each.holiday_hours.days if each.holiday_hours else None]
        if any(listed.name_of(day) for listed in lists if listed):
            return True
    return False


def _check(options: DemoOptions) -> None:
    most = most_customers(read_area_codes(AREA_CODES_FILE))
    if options.customers > most:
        raise CommandError(
            f"--customers: found {options.customers}; there are {most} fictional numbers, ask for no more.",
            exit_code=ExitCode.BAD_INPUT,
        )
    if options.keep is not None and options.keep.exists() and any(options.keep.iterdir()):
        raise CommandError(f"--keep: {options.keep} is not empty; name a new folder.", exit_code=ExitCode.BAD_INPUT)


def _announce(console: Console, options: DemoOptions) -> None:
    there = options.starts_at.astimezone(ZoneInfo(REHEARSAL_ZONE))
    console.print(
        f"rehearsal clock ×{options.speed:g}, from {there:%a %d %b %Y %H:%M} in New York for "
        f"{WINDOW.total_seconds() / 3600:.0f} hours of its own; everything else, pace included, runs in real time",
        soft_wrap=True,
    )


@contextmanager
def _watcher(console: Console, *, as_json: bool) -> Iterator[DemoWatcher]:
    """Bars on a terminal, lines otherwise."""
    if not console.is_terminal or as_json or os.environ.get("TERM") == "dumb":
        yield DemoWatcher(
            say=lambda line: console.print(line, markup=False, soft_wrap=True), show=_LinePrinter(console)
        )
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield DemoWatcher(
            say=lambda line: console.print(line, markup=False, soft_wrap=True),
            show=lambda status: live.update(status_panel(status), refresh=True),
        )


class _LinePrinter:
    """Prints every few looks, and always the last."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._looks = 0

    def __call__(self, status: CampaignStatus) -> None:
        if self._looks % PLAIN_LINES_EVERY == 0 or status.finished:
            self._console.print(status_line(status), markup=False, soft_wrap=True)
        self._looks += 1
