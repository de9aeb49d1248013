"""`calls end`, `cancel`, `delete`, `reschedule`, `web`: acts at the provider. None of them makes a phone ring."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from campaigns.cli.account_options import AccountOption
from campaigns.cli.calls_group import calls
from campaigns.cli.calls_subject import CallArgument, call_named, require_known_there
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption, instant_option
from campaigns.cli.output import notes, plain, print_json
from campaigns.cli.session import open_session
from campaigns.runtime.provider_access import opened_provider
from campaigns.services.provider_calls import CallAtProvider, CallRefusedError, ProviderCalls


def register(_app: typer.Typer) -> None:
    """Add these commands to their group."""
    for command in (end, cancel, delete, reschedule):
        calls.command(command.__name__)(command)


def end(call: CallArgument, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Hang up a live call, or take a waiting one back. What was said so far stays.

    ringfence calls end ID
    """
    with _acting(call, account) as (subject, ours):
        ended = ours.end(subject)
    _tell(subject, {"ended": ended}, "ended" if ended else "it was over already", as_json=as_json)


def cancel(call: CallArgument, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Take a call back that waits at the provider; one that rings or talks is left alone.

    ringfence calls cancel ID
    """
    with _acting(call, account) as (subject, ours):
        cancelled = ours.cancel(subject)
    said = "cancelled" if cancelled else "too late: it rings, talks or is over; `ringfence calls end` hangs it up"
    _tell(subject, {"cancelled": cancelled}, said, as_json=as_json)
    if not cancelled:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def delete(
    call: CallArgument,
    account: AccountOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Really; the provider cannot bring it back.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Even if our record still waits for the provider's report.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete what the provider keeps of a call: transcript, recording, cost. It does NOT hang up.

    Our own record stays; what is kept of the conversation here is deleted by its age.

    ringfence calls delete ID --yes
    """
    if not yes:
        raise CommandError(
            "the provider's data of this call would be deleted for good (this does not hang up): say --yes to do "
            "that; nothing was changed.",
            exit_code=ExitCode.BAD_INPUT,
        )
    with _acting(call, account) as (subject, ours):
        ours.delete_data(subject, force=force)
    _tell(subject, {"deleted": True}, "the provider's data is deleted; our record stays", as_json=as_json)


def reschedule(
    call: CallArgument,
    at: Annotated[str, typer.Option(metavar="TIME", help="The new time, such as 2026-12-01T14:00:00-05:00.")],
    account: AccountOption = None,
    unjudged: Annotated[
        bool, typer.Option("--unjudged", help="Required: nobody asks the rules about the new time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Move a call that somebody else scheduled on this account (Voxworks). Refused for calls of our campaigns.

    ringfence calls reschedule ID --at 2026-12-01T14:00:00-05:00 --unjudged
    """
    due_at = instant_option(at, option="--at")
    if not unjudged or due_at is None:
        raise CommandError(
            "the rules are not asked about a call that is not ours: see to it that the person may be called then, "
            "and say --unjudged; nothing was changed.",
            exit_code=ExitCode.REFUSED,
        )
    with _acting(call, account) as (subject, ours):
        moved = ours.reschedule(subject, due_at=due_at)
    said = f"moved to {due_at.isoformat()}" if moved else "too late: it rings, talks or is over"
    _tell(subject, {"moved": moved}, said, as_json=as_json)
    if not moved:
        raise typer.Exit(ExitCode.BAD_ANSWER)


@contextmanager
def _acting(call: str, account: str | None) -> Iterator[tuple[CallAtProvider, ProviderCalls]]:
    with open_session() as session:
        subject = require_known_there(call_named(session, call, account))
        with opened_provider(session.settings.account(subject.account)) as (provider, run_async):
            try:
                yield (
                    subject,
                    ProviderCalls(session.engine, provider, operator=session.operator, run_async=run_async),
                )
            except CallRefusedError as error:
                raise CommandError(f"{error}.", exit_code=ExitCode.REFUSED) from None


def _tell(subject: CallAtProvider, answer: dict[str, bool], said: str, *, as_json: bool) -> None:
    attempt_id = str(subject.attempt.attempt_id) if subject.attempt else None
    if as_json:
        print_json({"provider_call_id": subject.provider_call_id, "attempt_id": attempt_id, **answer})
    else:
        notes().print(plain(f"{subject.provider_call_id}: {said}"), soft_wrap=True)
