"""Which call a command is about: named by our attempt id or by the provider's id."""

from typing import Annotated

import typer

from campaigns.cli.account_options import chosen_account
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.session import Session
from campaigns.services.calls_view import CallsView
from campaigns.services.provider_calls import CallAtProvider

CallArgument = Annotated[str, typer.Argument(metavar="ID", help="Our attempt id, or the provider's id of the call.")]


def call_named(session: Session, wanted: str, account: str | None) -> CallAtProvider:
    """Ours if it is on record; else a call of somebody else on the chosen account. Raises `CommandError`."""
    view = CallsView(session.engine, role=session.settings.role, operator=session.operator)
    found = [attempt for attempt in view.find(wanted) if account in (None, attempt.account)]
    if len(found) > 1:
        accounts = ", ".join(sorted({attempt.account for attempt in found}))
        raise CommandError(
            f"ID {wanted}: several attempts bear it ({accounts}); say --account, or give the attempt id.",
            exit_code=ExitCode.BAD_INPUT,
        )
    if found:
        return CallAtProvider(found[0].account, found[0].provider_call_id or "", found[0])
    return CallAtProvider(chosen_account(session.settings, account).name, wanted)


def require_known_there(call: CallAtProvider) -> CallAtProvider:
    """Raises `CommandError` for an attempt whose provider never told its id."""
    if call.provider_call_id:
        return call
    raise CommandError(
        "the provider has not told an id of this call, so it cannot be asked about it; `ringfence attention` lists "
        "attempts of unknown fate.",
        exit_code=ExitCode.REFUSED,
    )


def unknown_call(wanted: str, account: str) -> CommandError:
    """The error for an id that neither we nor the provider know."""
    return CommandError(
        f"ID {wanted}: neither on record here nor known to account {account}; `ringfence calls list` shows ours.",
        exit_code=ExitCode.BAD_INPUT,
    )
