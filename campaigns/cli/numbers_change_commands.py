"""`numbers update`, `assign`, `hooks`: what happens when somebody calls a number, and where that is reported."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from campaigns.cli.account_options import AccountOption
from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.numbers_group import (
    AssistantOption,
    LineArgument,
    NameOption,
    SquadOption,
    WorkflowOption,
    changing,
    numbers,
    who_answers,
)
from campaigns.cli.numbers_view import tell_number
from campaigns.cli.options import JsonOption
from campaigns.cli.session import open_session
from campaigns.customers.phone import PhoneProblem, normalize
from campaigns.providers.vapi.hooks import ENDING, RINGING, say, transfer
from campaigns.services.control import UnknownCampaignError
from campaigns.services.webhook_target import find_addresses

EVENTS = {"ringing": RINGING, "ending": ENDING}


def register(_app: typer.Typer) -> None:
    """Add these commands to their group."""
    for command in (update, assign, hooks):
        numbers.command(command.__name__)(command)


def update(
    line: LineArgument,
    account: AccountOption = None,
    name: NameOption = None,
    reports_to: Annotated[
        str | None,
        typer.Option(
            metavar="CAMPAIGN", help="Report calls to this number to that campaign, for stopWhen.inboundCall."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a number's name, or have calls to it reported here, so that who calls back is not called again.

    ringfence numbers update ID --name "Updated Name"

    ringfence numbers update ID --reports-to spring-renewal
    """
    settings: dict[str, Any] = {"name": name} if name else {}
    if reports_to:
        settings["server"] = _server(reports_to)
    if not settings:
        raise CommandError("nothing to change: give --name or --reports-to.", exit_code=ExitCode.BAD_INPUT)
    with changing(account) as ours:
        number = ours.update(line, settings, action="numbers update")
    tell_number(number, as_json=as_json, done="changed")


def assign(
    line: LineArgument,
    account: AccountOption = None,
    assistant: AssistantOption = None,
    squad: SquadOption = None,
    workflow: WorkflowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who answers when somebody calls the number. What campaigns dial from it says who speaks itself.

    ringfence numbers assign ID --squad ID
    """
    settings = who_answers(assistant, squad, workflow)
    if not settings:
        raise CommandError("say who: --assistant, --squad or --workflow.", exit_code=ExitCode.BAD_INPUT)
    with changing(account) as ours:
        number = ours.update(line, settings, action="numbers assign")
    tell_number(number, as_json=as_json, done="assigned")


def hooks(
    line: LineArgument,
    account: AccountOption = None,
    say_text: Annotated[str | None, typer.Option("--say", metavar="TEXT", help="Say this to whoever calls.")] = None,
    transfer_to: Annotated[
        str | None, typer.Option("--transfer", metavar="NUMBER|sip:…", help="Or pass the caller on.")
    ] = None,
    on: Annotated[str, typer.Option("--on", metavar="ringing|ending", help="When.")] = "ringing",
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help='Or a JSON file: {"hooks": […]}, or the list alone.')
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Or have no hooks any more.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Set what happens by itself when somebody calls the number; it replaces the hooks there were.

    ringfence numbers hooks ID --say "Please hold while we connect you."

    ringfence numbers hooks ID --on ending --transfer +12025550123
    """
    made = _hooks(say_text, transfer_to, file, clear=clear, on=on)
    with changing(account) as ours:
        number = ours.update(line, {"hooks": made}, action="numbers hooks")
    tell_number(number, as_json=as_json, done=_counted(made))


def _counted(made: Any) -> str:
    return {0: "no hooks any more", 1: "1 hook set"}.get(len(made), f"{len(made)} hooks set")


def _hooks(text: str | None, destination: str | None, file: Path | None, *, clear: bool, on: str) -> Any:
    given = [option for option in (text, destination, file, clear or None) if option is not None]
    if len(given) != 1:
        raise CommandError(
            f"--say, --transfer, --file, --clear: give one of them; found {len(given)}.", exit_code=ExitCode.BAD_INPUT
        )
    if on not in EVENTS:
        raise CommandError(f"--on: found {on}; allowed are {', '.join(EVENTS)}.", exit_code=ExitCode.BAD_INPUT)
    if text is not None:
        return [say(text, on=EVENTS[on])]
    if destination is not None:
        return [transfer(_destination(destination), on=EVENTS[on])]
    return [] if file is None else _read_hooks(file)


def _destination(text: str) -> str:
    if text.startswith("sip:"):
        return text
    number = normalize(text, default_region=None)
    if isinstance(number, PhoneProblem):
        raise CommandError(
            f"--transfer: {number.message}; write it as +12025550123, or an address that begins with sip:.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return number


def _read_hooks(file: Path) -> Any:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no JSON"
        raise CommandError(f"--file {file}: it cannot be read ({why}).", exit_code=ExitCode.BAD_INPUT) from None
    return document.get("hooks") if isinstance(document, dict) else document


def _server(campaign: str) -> dict[str, Any]:
    with open_session() as session:
        public_url = session.settings.public_url
        if public_url is None:
            raise CommandError(
                "publicUrl is not set, so no provider can reach this installation; set it in ringfence.toml.",
                exit_code=ExitCode.REFUSED,
            )
        try:
            target = find_addresses(session.engine, campaign, public_url=public_url).by_header
        except UnknownCampaignError as error:
            raise unknown_campaign(error, campaign) from None
    return {"url": target.url, "headers": dict(target.headers)}
