"""`pause`, `resume`, `cancel`, `stop`, `start`: the switches. When a stopping one returns, nothing more is dialed."""

from collections.abc import Callable
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import JsonOption, NameArgument
from campaigns.cli.output import notes, print_json
from campaigns.cli.session import open_session, wait
from campaigns.services.control import Control, ControlRefusedError, Switched, UnknownCampaignError


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (pause, resume, cancel, stop, start):
        app.command(command.__name__)(command)


def pause(name: NameArgument, as_json: JsonOption = False) -> None:
    """Dial nothing more of a campaign until it is resumed; live calls finish."""
    _switch("paused", name, lambda control: control.pause(name), as_json=as_json)


def resume(name: NameArgument, as_json: JsonOption = False) -> None:
    """Let a paused campaign go on."""
    _switch("resumed", name, lambda control: control.resume(name), as_json=as_json)


def cancel(name: NameArgument, as_json: JsonOption = False) -> None:
    """End a campaign for good; live calls finish, waiting ones are cancelled."""
    _switch("cancelled", name, lambda control: control.cancel(name), as_json=as_json)


def stop(
    everything: Annotated[bool, typer.Option("--all", help="Stop every campaign; required.")] = False,
    as_json: JsonOption = False,
) -> None:
    """One durable switch: dial nothing of any campaign until `ringfence start`; live calls finish."""
    if not everything:
        raise CommandError(
            "`ringfence stop` stops every campaign: say `ringfence stop --all`, or `ringfence pause NAME` for one.",
            exit_code=ExitCode.BAD_INPUT,
        )
    _switch("stopped", "all campaigns", Control.stop_all, as_json=as_json)


def start(as_json: JsonOption = False) -> None:
    """Take `stop --all` back; paused campaigns stay paused."""
    _switch("started", "all campaigns", Control.start, as_json=as_json)


def _switch(done: str, subject: str, act: Callable[[Control], Switched], *, as_json: bool) -> None:
    with open_session() as session:
        try:
            switched = act(Control(session.engine, operator=session.operator, wait=wait))
        except UnknownCampaignError as error:
            raise unknown_campaign(error, subject) from None
        except ControlRefusedError as error:
            raise CommandError(str(error), exit_code=ExitCode.REFUSED) from None
    if as_json:
        print_json(
            {
                "subject": subject,
                "state": done,
                "changed": switched.changed,
                "cancelled_calls": switched.cancelled_calls,
                "asked_back": switched.asked_back,
            }
        )
    else:
        notes().print(_sentence(done, subject, switched))


def _sentence(done: str, subject: str, switched: Switched) -> str:
    already = "" if switched.changed else " already"
    cancelled = f"; {switched.cancelled_calls} waiting calls cancelled" if switched.cancelled_calls else ""
    held = f"; {switched.asked_back} calls held by a provider are being cancelled there" if switched.asked_back else ""
    return f"{subject}:{already} {done}{cancelled}{held}"


def unknown_campaign(error: UnknownCampaignError, name: str) -> CommandError:
    """The error for a name that no campaign has, with the nearest one that there is."""
    item = problem(str(error), path="NAME", found=name, allowed="the name of a campaign")
    item["nearest"] = error.nearest[0] if error.nearest else None
    return CommandError(str(error), exit_code=ExitCode.BAD_INPUT, problems=[item])
