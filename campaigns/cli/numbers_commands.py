"""`numbers buy`, `import`, `list`, `show`, `delete`: which numbers an account has."""

from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.account_options import AccountOption, chosen_account, read_secret, settings_here
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
from campaigns.cli.numbers_view import tell_number, tell_numbers
from campaigns.cli.options import JsonOption
from campaigns.cli.output import notes, plain, print_json
from campaigns.customers.phone import PhoneProblem, normalize
from campaigns.providers.numbers import NewNumber, NumberSource
from campaigns.runtime.provider_access import opened_numbers
from campaigns.services.provider_numbers import LineInUseError

IMPORTED = tuple(source for source in NumberSource if source is not NumberSource.VAPI)


def register(_app: typer.Typer) -> None:
    """Add these commands to their group."""
    for name, command in (("buy", buy), ("import", import_number), ("list", list_numbers), ("show", show)):
        numbers.command(name)(command)
    numbers.command("delete")(delete)


def buy(
    account: AccountOption = None,
    area_code: Annotated[str | None, typer.Option(metavar="415", help="The area code you would like.")] = None,
    sip_uri: Annotated[str | None, typer.Option(help="A SIP address to be called at, instead of a number.")] = None,
    name: NameOption = None,
    assistant: AssistantOption = None,
    squad: SquadOption = None,
    workflow: WorkflowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Get a number from the provider. Free ones make few calls a day and none abroad: import one for campaigns.

    ringfence numbers buy --area-code 415 --name "Main Support Line" --assistant ID
    """
    wish = NewNumber(
        source=NumberSource.VAPI,
        area_code=area_code,
        sip_uri=sip_uri,
        settings=_settings(name, assistant, squad, workflow),
    )
    with changing(account) as ours:
        number = ours.create(wish, action="numbers buy")
    tell_number(number, as_json=as_json, done="bought")


def import_number(
    source: Annotated[str, typer.Argument(metavar="|".join(IMPORTED), help="Where the number is now.")],
    account: AccountOption = None,
    number: Annotated[str | None, typer.Option(metavar="+12025550123", help="The number.")] = None,
    credential: Annotated[
        str | None, typer.Option(metavar="ID", help="vonage, telnyx, byo: the provider's id of your credential there.")
    ] = None,
    account_sid: Annotated[str | None, typer.Option(metavar="AC…", help="twilio: the account's SID.")] = None,
    auth_token_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="twilio: the variable that holds the auth token.")
    ] = None,
    auth_token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Or the file that holds it.")] = None,
    api_key: Annotated[str | None, typer.Option(metavar="SK…", help="twilio: an API key, instead of a token.")] = None,
    api_secret_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="twilio: the variable that holds the API key's secret.")
    ] = None,
    api_secret_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Or the file that holds it.")] = None,
    sms: Annotated[bool | None, typer.Option("--sms/--no-sms", help="twilio: take over its SMS too.")] = None,
    any_form: Annotated[bool, typer.Option("--any-form", help="byo: the number need not be E.164.")] = False,
    name: NameOption = None,
    assistant: AssistantOption = None,
    squad: SquadOption = None,
    workflow: WorkflowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Use a number of your own carrier's. Secrets come from a variable or a file, never from the command line.

    ringfence numbers import twilio --number +12025550123 --account-sid AC1 --auth-token-env TWILIO_AUTH_TOKEN

    ringfence numbers import telnyx --number +12025550123 --credential ID
    """
    wish = NewNumber(
        source=_source(source),
        number=number if number is None or any_form else _e164(number),
        credential_id=credential,
        account_sid=account_sid,
        auth_token=read_secret(auth_token_env, auth_token_file, option="--auth-token"),
        api_key=api_key,
        api_secret=read_secret(api_secret_env, api_secret_file, option="--api-secret"),
        sms_enabled=sms,
        check_e164=False if any_form else None,
        settings=_settings(name, assistant, squad, workflow),
    )
    with changing(account) as ours:
        made = ours.create(wish, action="numbers import")
    tell_number(made, as_json=as_json, done="imported")


def list_numbers(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Show every number of the account; the first column is what a campaign names as its line."""
    chosen = chosen_account(settings_here(), account)
    with opened_numbers(chosen) as (client, run_async):
        found = run_async(client.list_all()).result()
    tell_numbers(chosen.name, found, as_json=as_json)


def show(line: LineArgument, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Show one number: who answers it, its hooks, whether it is ready."""
    chosen = chosen_account(settings_here(), account)
    with opened_numbers(chosen) as (client, run_async):
        number = run_async(client.get(line)).result()
    tell_number(number, as_json=as_json)


def delete(
    line: LineArgument,
    account: AccountOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really; a bought number does not come back.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even if a campaign still dials from it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Give a number up. Refused while a campaign uses it as a line.

    ringfence numbers delete ID --yes
    """
    if not yes:
        raise CommandError(
            f"{line} would be given up for good: say --yes to do that; nothing was changed.",
            exit_code=ExitCode.BAD_INPUT,
        )
    with changing(account) as ours:
        try:
            ours.delete(line, force=force)
        except LineInUseError as error:
            raise CommandError(f"{error}.", exit_code=ExitCode.REFUSED) from None
    if as_json:
        print_json({"id": line, "deleted": True})
    else:
        notes().print(plain(f"{line}: given up"), soft_wrap=True)


def _settings(name: str | None, assistant: str | None, squad: str | None, workflow: str | None) -> dict[str, str]:
    return ({"name": name} if name else {}) | who_answers(assistant, squad, workflow)


def _source(text: str) -> NumberSource:
    if text in IMPORTED:
        return NumberSource(text)
    hint = "; `ringfence numbers buy` gets one from the provider" if text == NumberSource.VAPI else ""
    raise CommandError(f"SOURCE: found {text}; allowed are {', '.join(IMPORTED)}{hint}.", exit_code=ExitCode.BAD_INPUT)


def _e164(text: str) -> str:
    number = normalize(text, default_region=None)
    if isinstance(number, PhoneProblem):
        raise CommandError(
            f"--number: {number.message}; write it with + and country code, such as +12025550123.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return number
