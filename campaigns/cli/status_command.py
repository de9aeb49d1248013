"""`status`: progress, funnel, pace, what is waiting for what."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.live import Live
from sqlalchemy import Engine

from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption
from campaigns.cli.output import answers, print_json, print_whole
from campaigns.cli.session import open_session, wait
from campaigns.cli.status_view import overview, status_line, status_panel
from campaigns.runtime.interrupts import interrupts_deferred
from campaigns.services.control import UnknownCampaignError
from campaigns.services.status import CampaignStatus, campaign_status, campaign_statuses

WATCH_INTERVAL = timedelta(seconds=1)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("status")(status)


def status(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One campaign; all of them if left out.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay and follow it until it is finished.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show where a campaign stands, or all of them."""
    if watch and (name is None or as_json):
        raise CommandError("--watch needs a NAME and no --json.", exit_code=ExitCode.BAD_INPUT)
    with open_session() as session:
        if name is None:
            _show_all(session.engine, as_json=as_json)
        elif watch:
            _follow(session.engine, name)
        else:
            _show_one(_find(session.engine, name), as_json=as_json)


def _show_all(engine: Engine, *, as_json: bool) -> None:
    statuses = campaign_statuses(engine)
    if as_json:
        print_json({"campaigns": [each.as_dict() for each in statuses]})
    elif statuses:
        print_whole(overview(statuses))
    else:
        answers().print("there is no campaign yet; `ringfence submit FILE` makes one")


def _show_one(found: CampaignStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(found.as_dict())
    else:
        answers().print(status_panel(found))


def _follow(engine: Engine, name: str) -> None:
    console = answers()
    found = _find(engine, name)
    if not console.is_terminal:
        with interrupts_deferred() as interrupted:
            while not found.finished and not interrupted.arrived:
                console.print(status_line(found), markup=False, soft_wrap=True)
                wait(WATCH_INTERVAL * 2)
                found = _find(engine, name)
        console.print(status_line(found), markup=False, soft_wrap=True)
        return
    with (
        interrupts_deferred() as interrupted,
        Live(status_panel(found), console=console, auto_refresh=False) as live,
    ):
        while not found.finished and not interrupted.arrived:
            wait(WATCH_INTERVAL)
            found = _find(engine, name)
            live.update(status_panel(found), refresh=True)


def _find(engine: Engine, name: str) -> CampaignStatus:
    try:
        return campaign_status(engine, name)
    except UnknownCampaignError as error:
        raise unknown_campaign(error, name) from None
