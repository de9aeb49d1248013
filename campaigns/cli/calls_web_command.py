"""`calls web`: a conversation with an assistant in the browser. Nobody's phone rings, so no gate is asked."""

from pathlib import Path
from typing import Annotated, Any

import typer

from campaigns.cli.account_options import AccountOption, chosen_account
from campaigns.cli.calls_group import calls
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption
from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.cli.session import open_session
from campaigns.definition.yaml_nodes import json_value
from campaigns.definition.yaml_reader import read_yaml
from campaigns.definition.yaml_tree import YamlFlawError
from campaigns.providers.extras import WebCall
from campaigns.runtime.provider_access import opened_web_calls
from campaigns.services.at_provider import on_record


def register(_app: typer.Typer) -> None:
    """Add this command to its group."""
    calls.command("web")(web)


def web(
    assistant: Annotated[str | None, typer.Option(metavar="ID", help="A saved assistant.")] = None,
    squad: Annotated[str | None, typer.Option(metavar="ID", help="Or a saved squad.")] = None,
    assistant_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Or a whole assistant, as YAML or JSON.")
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What it is told; can be given again.")
    ] = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Talk to an assistant in your browser: prints where to join. It costs what a call costs, and takes a slot there.

    Needs the account's public key: publicKeyEnv in ringfence.toml.

    ringfence calls web --assistant ID --variable firstName=Ann
    """
    block = _block(assistant, squad, assistant_file) | {"variables": _variables(variable or [])}
    with open_session() as session:
        chosen = chosen_account(session.settings, account)
        with (
            opened_web_calls(chosen) as (client, run_async),
            on_record(session.engine, operator=session.operator, action="calls web", subject=chosen.name) as result,
        ):
            call: WebCall = run_async(client.create(block)).result()
            result.detail = f"done: {call.provider_call_id}"
    if as_json:
        print_json({"provider_call_id": call.provider_call_id, "join_url": call.join_url})
        return
    notes().print(plain(f"call {call.provider_call_id}; no phone rings"), soft_wrap=True)
    answers().print(plain(call.join_url or "no address to join at; the provider's web client can"), soft_wrap=True)


def _block(assistant: str | None, squad: str | None, file: Path | None) -> dict[str, Any]:
    given: dict[str, Any] = {key: value for key, value in (("id", assistant), ("squadId", squad)) if value}
    if file is not None:
        given["inline"] = _inline(file)
    if len(given) != 1:
        raise CommandError(
            f"--assistant, --squad, --assistant-file: give one of them; found {len(given)}.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return given


def _inline(file: Path) -> Any:
    try:
        return json_value(read_yaml(file.read_bytes()).root)
    except OSError as error:
        why = error.strerror or "it cannot be read"
    except YamlFlawError as flaw:
        why = f"found {flaw.found}; allowed: {flaw.allowed}"
    raise CommandError(f"--assistant-file {file}: {why}.", exit_code=ExitCode.BAD_INPUT)


def _variables(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, separator, _ in pairs:
        if not name or not separator:
            raise CommandError("--variable: write it as NAME=VALUE.", exit_code=ExitCode.BAD_INPUT)
    return {name: value for name, _, value in pairs}
