"""The `numbers` group: the phone numbers of an account at its provider. Its commands stand in files of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from campaigns.cli.account_options import chosen_account
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.session import open_session
from campaigns.runtime.provider_access import opened_numbers
from campaigns.services.provider_numbers import ProviderNumbers

numbers = typer.Typer(help="Phone numbers at the provider: buy, import, set up, give up.", no_args_is_help=True)

LineArgument = Annotated[str, typer.Argument(metavar="ID", help="The provider's id of the number: a campaign's line.")]
NameOption = Annotated[str | None, typer.Option("--name", help="A name for the number, at most 40 characters.")]
AssistantOption = Annotated[str | None, typer.Option("--assistant", metavar="ID", help="Who answers a call to it.")]
SquadOption = Annotated[str | None, typer.Option("--squad", metavar="ID", help="Or a squad.")]
WorkflowOption = Annotated[str | None, typer.Option("--workflow", metavar="ID", help="Or a workflow.")]


def register(app: typer.Typer) -> None:
    """Add the group; what its files registered in it comes along."""
    app.add_typer(numbers, name="numbers")


@contextmanager
def changing(account: str | None) -> Iterator[ProviderNumbers]:
    """The account's numbers, with every change on record."""
    with open_session() as session:
        chosen = chosen_account(session.settings, account)
        with opened_numbers(chosen) as (client, run_async):
            yield ProviderNumbers(
                session.engine, client, account=chosen.name, operator=session.operator, run_async=run_async
            )


def who_answers(assistant: str | None, squad: str | None, workflow: str | None) -> dict[str, str]:
    """The setting that says so; empty if none was given. Raises `CommandError` for two of them."""
    given = {"assistantId": assistant, "squadId": squad, "workflowId": workflow}
    named = {key: value for key, value in given.items() if value}
    if len(named) > 1:
        raise CommandError("--assistant, --squad, --workflow: give one of them.", exit_code=ExitCode.BAD_INPUT)
    return named
