"""`approve`, `rules ruling`, `rules emergency`: what people decide and answer for, by name and with a reason."""

from collections.abc import Callable
from typing import Annotated, Literal

import typer

from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import JsonOption, NameArgument
from campaigns.cli.output import notes, print_json
from campaigns.cli.rules_commands import rules
from campaigns.cli.session import Session, open_session, wait
from campaigns.runtime.law import gatekeeper
from campaigns.services.approvals import ApprovalRefusedError, approve_emergency
from campaigns.services.control import UnknownCampaignError
from campaigns.services.rulings import RecordRuling, RulingRefusedError, UnknownJurisdictionError

StateArgument = Annotated[str, typer.Argument(metavar="US-XX", help="The jurisdiction, such as US-WA.")]
ReasonOption = Annotated[str, typer.Option(help="The letter, order or fact that it rests on; kept on record.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("approve")(approve)
    rules.command("ruling")(ruling)
    rules.command("emergency")(emergency)


def approve(name: NameArgument, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Approve a campaign of emergency calls that somebody else submitted; it waits until then."""
    with open_session() as session:
        try:
            added = approve_emergency(session.engine, name, reason=reason, operator=session.operator)
        except UnknownCampaignError as error:
            raise unknown_campaign(error, name) from None
        except ApprovalRefusedError as error:
            raise CommandError(str(error), exit_code=ExitCode.REFUSED) from None
        if as_json:
            print_json({"campaign": name, "approved": True, "changed": added, "operator": session.operator})
        else:
            notes().print(f"{name}:{'' if added else ' already'} approved by {session.operator}")


def ruling(
    jurisdiction: StateArgument,
    ai_voice: Annotated[Literal["allow", "deny"], typer.Option(help="Counsel's decision on sales by an AI voice.")],
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Record counsel's decision for a state whose ban on recorded sales messages may cover an AI voice."""
    with open_session() as session:
        changed = _recorded(
            lambda: _record(session).on_ai_voice(jurisdiction, allow=ai_voice == "allow", reason=reason)
        )
    _tell(jurisdiction, f"sales by an AI voice: {ai_voice}", changed=changed, as_json=as_json)


def emergency(
    jurisdiction: StateArgument,
    declare: Annotated[bool, typer.Option("--declare/--lift", help="An emergency begins, or is over.")],
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Declare or lift an emergency; where the law says so, no sales call can leave once this has returned."""
    with open_session() as session:
        changed = _recorded(lambda: _record(session).on_emergency(jurisdiction, declared=declare, reason=reason))
    _tell(jurisdiction, f"emergency {'declared' if declare else 'lifted'}", changed=changed, as_json=as_json)


def _record(session: Session) -> RecordRuling:
    return RecordRuling(session.engine, gatekeeper().rules, operator=session.operator, wait=wait)


def _recorded(act: Callable[[], bool]) -> bool:
    try:
        return act()
    except UnknownJurisdictionError as error:
        item = problem(str(error), path="US-XX", allowed="a jurisdiction of `ringfence rules list`")
        problems = [item | {"nearest": error.nearest}]
        raise CommandError(str(error), exit_code=ExitCode.BAD_INPUT, problems=problems) from None
    except RulingRefusedError as error:
        raise CommandError(str(error), exit_code=ExitCode.REFUSED) from None


def _tell(jurisdiction: str, decision: str, *, changed: bool, as_json: bool) -> None:
    key = jurisdiction.upper()
    if as_json:
        print_json({"jurisdiction": key, "decision": decision, "changed": changed})
    else:
        notes().print(f"{key}: {decision}{'' if changed else ' (as before)'}")
