"""`calls create`: one call through the gate, now or, held by the provider, later."""

from pathlib import Path
from typing import Annotated, Any

import typer

from campaigns.cli.account_options import AccountOption, chosen_account
from campaigns.cli.calls_group import calls
from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.follow_calls import stay
from campaigns.cli.options import JsonOption, american_number_advice
from campaigns.cli.session import Session, open_session
from campaigns.cli.single_call_options import CallOptions, document_of
from campaigns.cli.single_call_times import DEFAULT_WITHIN, duration_option, when_of
from campaigns.customers.phone import PhoneProblem, normalize
from campaigns.definition.problems import DefinitionError
from campaigns.providers.registry import holds_calls
from campaigns.services.provider_schedule import free_slots
from campaigns.services.single_call import SingleCall, When
from campaigns.services.submit import SubmitRefusedError


def register(_app: typer.Typer) -> None:
    """Add this command to its group."""
    calls.command("create")(create)


def create(
    line: Annotated[str, typer.Option(metavar="ID", help="The provider's id of the line to call from.")],
    seller: Annotated[str, typer.Option(metavar="NAME", help="On whose behalf; the consent must name it.")],
    account: AccountOption = None,
    to: Annotated[str | None, typer.Option(metavar="NUMBER", help="Whom to call, best as +12025550123.")] = None,
    assistant: Annotated[
        str | None, typer.Option(metavar="ID", help="Saved assistant (Vapi), application (Cognigy), script (Voxworks).")
    ] = None,
    assistant_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML or JSON with the assistant block of a campaign file.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The person's name.")] = None,
    variable: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Told to the assistant; may be repeated.")
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="telemarketing, informational or debt_collection: the law asks differently.")
    ] = "telemarketing",
    consent_level: Annotated[str | None, typer.Option(help="pewc (written) or pec (express).")] = None,
    consent_at: Annotated[str | None, typer.Option(metavar="INSTANT", help="When it was given.")] = None,
    consent_source: Annotated[str | None, typer.Option(metavar="TEXT", help="How: what proves it.")] = None,
    zip_code: Annotated[str | None, typer.Option("--zip", help="ZIP of the person's address.")] = None,
    state: Annotated[str | None, typer.Option(help="Two-letter state of the address.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="IANA zone the person lives in.")] = None,
    external_id: Annotated[str | None, typer.Option(metavar="ID", help="Your own id of the person.")] = None,
    region: Annotated[
        str | None, typer.Option(metavar="CC", help="Country of numbers without +; US for --to if left out.")
    ] = None,
    max_duration: Annotated[str | None, typer.Option(metavar="DURATION", help="Longest call, such as 5m.")] = None,
    within: Annotated[
        str, typer.Option(metavar="DURATION", help="For how long from now on it may be tried.")
    ] = DEFAULT_WITHIN,
    at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Vapi: let the provider hold the call until then.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="With --at: until when it may dial; 30 minutes if left out.")
    ] = None,
    batch: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --at: a CSV of up to 100 people instead of --to.")
    ] = None,
    line_daily_limit: Annotated[int | None, typer.Option(min=1, help="Most calls of the line on that day.")] = None,
    once: Annotated[str | None, typer.Option(metavar="KEY", help="The same key again makes no second call.")] = None,
    rehearse_at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Simulator accounts only: as if it were then.")
    ] = None,
    identification_reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why a sales call need not state its identification.")
    ] = None,
    withdraw_after: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Cancel it if no worker is there for so long.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it is over, or held.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Call one person, through the gate, and stay until it is over.

    It is a campaign of one, made and submitted here: consent, hours, lists, caps, pacing and the record hold as for any
    other. Ctrl-C leaves it running. Exit code 0: answered; 1: not reached; 3: the gate refused; 4: no worker came.

    With --at the provider holds the call and dials it by itself, WITHOUT asking the gate again: the gate must permit
    all of the time from --at to --until now. Revoking, pausing, cancelling and `stop --all` cancel it there. See
    docs/single-calls.md for what that weakens.

    Examples:

    ringfence calls create --line pn-1 --assistant a-1 --to +12025550123 --seller "Example Energy, Inc."
    --purpose informational --consent-level pec --consent-at 2026-09-01T12:00:00Z --consent-source "form 7"

    ringfence calls create --line pn-1 --assistant a-1 --seller "Example Energy, Inc." --batch people.csv
    --at 2026-12-02T12:00:00-05:00 --until 2026-12-02T12:30:00-05:00
    """
    with open_session() as session:
        chosen = chosen_account(session.settings, account)
        provider = chosen.settings.provider.value
        if batch is not None and at is None:
            raise _refused("--batch goes with --at; for calls of now submit a campaign file", ExitCode.BAD_INPUT)
        if until is not None and at is None:
            raise _refused("--until goes with --at; --within says for how long a call of now is tried",
                           ExitCode.BAD_INPUT)  # fmt: skip
        longest = duration_option(max_duration, option="--max-duration")
        document = document_of(
            CallOptions(
                account=chosen.name,
                provider=provider,
                line=line,
                purpose=purpose,
                seller=seller,
                assistant=assistant,
                assistant_file=assistant_file,
                to=None if to is None else checked_number(to, region=region),
                batch=batch,
                name=name,
                variables=variable or [],
                consent_level=consent_level,
                consent_at=consent_at,
                consent_source=consent_source,
                zip=zip_code,
                state=state,
                timezone=timezone,
                region=region,
                external_id=external_id,
                max_duration_seconds=int(longest.total_seconds()) if longest else None,
                line_daily_limit=line_daily_limit,
            )
        )
        singles = SingleCall(session.engine, operator=session.operator)
        try:
            singles.require_open(chosen.name)
            when = when_of(singles, at=at, until=until, within=within, rehearse_at=rehearse_at)
            if when.span is not None:
                _require_room(session, chosen.name, provider, when, calls=len(document["customers"]["list"]))
            submitted = singles.submit(document, when, once=once, identification_reason=identification_reason)
        except DefinitionError as error:
            raise _by_option(error, batch=batch is not None) from None
        except SubmitRefusedError as error:
            raise _refused(str(error), ExitCode.REFUSED) from None
        stay(session, submitted, withdraw_after=withdraw_after, to_the_end=wait, as_json=as_json)


def checked_number(text: str, *, region: str | None = None) -> str:
    """The number in E.164. Raises `CommandError`, without the number."""
    found = normalize(text, default_region=region or "US")
    if isinstance(found, PhoneProblem):
        raise _refused(f"--to: {american_number_advice(text, found)}", ExitCode.BAD_INPUT)
    return found


def _require_room(session: Session, account: str, provider: str, when: When, *, calls: int) -> None:
    """Raises `CommandError`: this provider holds no calls, or too few slots are free at that time."""
    if not holds_calls(provider):
        sentence = f"{provider} accounts do not hold calls for us; leave --at out, or submit a campaign for that time"
        raise _refused(sentence, ExitCode.REFUSED)
    free = free_slots(session.engine, account, when.span) if when.span else 0
    if calls > free:
        sentence = (
            f"{calls} calls at that time, and {free} of the account's slots are free then; give fewer people, or "
            "a time further from what is planned already"
        )
        raise _refused(sentence, ExitCode.REFUSED)


_OPTION_OF: dict[str, str] = {
    "purpose": "--purpose",
    "seller": "--seller",
    "lines.pool[0]": "--line",
    "consent.level": "--consent-level",
    "consent.obtainedAt": "--consent-at",
    "consent.source": "--consent-source",
    "customers.defaultRegion": "--region",
    "customers.list[0].zip": "--zip",
    "customers.list[0].state": "--state",
    "customers.list[0].timezone": "--timezone",
    "customers.list[0].name": "--name",
    "customers.list[0].externalId": "--external-id",
}


def _by_option(error: DefinitionError, *, batch: bool) -> CommandError:
    """The mistakes by the option that holds them; of a batch by its row."""
    items: list[dict[str, Any]] = []
    for each in error.problems:
        path = each.path if batch else _OPTION_OF.get(each.path, each.path)
        item = problem(f"{path}: {each.message}", path=path, found=each.found, allowed=each.allowed)
        items.append(item | {"nearest": each.nearest})
    first = items[0]["message"]
    lines = [str(item["message"]) for item in items[1:]]
    return CommandError(str(first), exit_code=ExitCode.BAD_INPUT, problems=items, lines=lines)


def _refused(sentence: str, code: ExitCode) -> CommandError:
    return CommandError(f"{sentence}.", exit_code=code)
