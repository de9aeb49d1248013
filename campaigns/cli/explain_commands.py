"""`explain`, `why`: everything about one number; what holds a campaign or a number."""

import re
from typing import Annotated

import typer
from rich.table import Table

from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import JsonOption, american_number_advice
from campaigns.cli.output import answers, plain, print_json
from campaigns.cli.session import Session, open_session
from campaigns.customers.phone import PhoneProblem, normalize
from campaigns.runtime.law import gatekeeper, gatekeeper_at
from campaigns.services.control import UnknownCampaignError
from campaigns.services.explain import Event, explain_number
from campaigns.services.why import CallWhy, CampaignWhy, GateAnswer, NumberWhy, Why

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="A phone number, best as +12025550123.")]
SubjectArgument = Annotated[str, typer.Argument(metavar="NAME|NUMBER", help="A campaign's name, or a phone number.")]
_LIKE_A_NUMBER = re.compile(r"[+(]?[\d][\d\s().-]{6,}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("explain")(explain)
    app.command("why")(why)


def explain(number: NumberArgument, as_json: JsonOption = False) -> None:
    """Everything on record about one number, in the order of time: what an auditor asks for."""
    e164 = read_number(number)
    with open_session() as session:
        events = explain_number(session.engine, e164, rules=gatekeeper().rules)
    if as_json:
        print_json({"number": e164, "events": [event.as_dict() for event in events]})
    else:
        _tell_events(e164, events)


def why(subject: SubjectArgument, as_json: JsonOption = False) -> None:
    """What holds a campaign or a number now, until when, and what ends it."""
    with open_session() as session:
        found = _ask(session, subject)
    if as_json:
        print_json(found.as_dict())
    elif isinstance(found, CampaignWhy):
        _tell_campaign(found)
    else:
        _tell_number(found)


def read_number(text: str) -> str:
    """The number in E.164; without a country code it is taken for American. Raises `CommandError`."""
    number = normalize(text, default_region="US")
    if isinstance(number, PhoneProblem):
        item = problem(
            f"NUMBER: {american_number_advice(text, number)}.",
            path="NUMBER",
            found="a value that is not shown",
            allowed="a number such as +12025550123",
        )
        raise CommandError(item["message"], exit_code=ExitCode.BAD_INPUT, problems=[item])
    return number


def _ask(session: Session, subject: str) -> CampaignWhy | NumberWhy:
    asker = Why(session.engine, gatekeeper_at(session.settings.home))
    if _LIKE_A_NUMBER.fullmatch(subject.strip()) and not asker.is_campaign(subject):
        return asker.number(read_number(subject))
    try:
        return asker.campaign(subject)
    except UnknownCampaignError as error:
        raise unknown_campaign(error, subject) from None


def _tell_events(number: str, events: tuple[Event, ...]) -> None:
    console = answers()
    if not events:
        console.print(f"nothing is on record about {number}", markup=False)
        return
    table = Table("when (UTC)", "what", "", box=None, pad_edge=False)
    for event in events:
        table.add_row(f"{event.at:%Y-%m-%d %H:%M:%S}", event.kind.replace("_", " "), plain(event.text))
    console.print(table)


def _tell_campaign(found: CampaignWhy) -> None:
    console = answers()
    console.print(f"{found.campaign}: {found.answer}", markup=False, soft_wrap=True)
    for hold in found.holds:
        until = f" until {hold.until.isoformat()}" if hold.until else ""
        console.print(f"  {hold.what}{until}" + (f" → {hold.do}" if hold.do else ""), markup=False, soft_wrap=True)
    for group in found.groups:
        console.print(f"  {group.waiting} wait in {group.group}, due {group.due_at.isoformat()}", markup=False)
        if group.gate is not None:
            console.print(f"      gate: {_gate(group.gate)}", markup=False, soft_wrap=True)


def _tell_number(found: NumberWhy) -> None:
    console = answers()
    console.print(found.answer, markup=False, soft_wrap=True)
    for call in found.calls:
        console.print(f"  {_call(call)}", markup=False, soft_wrap=True)
    for ended in found.final:
        what = f"{ended['campaign']}: {ended['state']}, {ended['reason']}, {ended['final_at'].isoformat()}"
        console.print(f"  {what}", markup=False, soft_wrap=True)
    if found.last_refusal is not None:
        last = found.last_refusal
        cited = f" [{last['citation']}]" if last["citation"] else ""
        again = f", {last['repeated']} times since" if last["repeated"] else ""
        text = f"last refusal {last['decided_at'].isoformat()}: {last['rule_id']}, {last['detail']}{cited}{again}"
        console.print(f"  {text}", markup=False, soft_wrap=True)


def _call(call: CallWhy) -> str:
    due = f", due {call.due_at.isoformat()}" if call.due_at else ""
    return f"{call.campaign}: {call.state}{due}" + (f"; gate: {_gate(call.gate)}" if call.gate else "")


def _gate(gate: GateAnswer) -> str:
    if gate.verdict == "permit":
        return gate.detail
    cited = f" [{gate.citation}]" if gate.citation else ""
    until = f", until {gate.next_allowed_at.isoformat()}" if gate.next_allowed_at else ", which time does not cure"
    return f"{gate.rule_id}: {gate.detail}{cited}{until}"
