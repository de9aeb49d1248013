"""`calls list`, `calls show`: what is on record about single calls, and what their provider says of them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from campaigns.cli.account_options import AccountOption, chosen_account
from campaigns.cli.calls_group import calls
from campaigns.cli.calls_subject import CallArgument, call_named, unknown_call
from campaigns.cli.calls_view import tell_attempts, tell_listing, tell_report, tell_shown
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.explain_commands import read_number
from campaigns.cli.options import JsonOption, instant_option
from campaigns.cli.session import Session, open_session
from campaigns.definition.durations import parse_duration
from campaigns.providers.contract import CallReport
from campaigns.runtime.provider_access import opened_provider
from campaigns.services.calls_view import AttemptFilter, CallsView
from campaigns.services.provider_calls import CallAtProvider, ProviderCalls

DEFAULT_SPAN = "24h"
AHEAD = timedelta(minutes=5)
"""Calls made this minute may bear a time of a clock that runs before ours."""

SinceOption = Annotated[str, typer.Option(metavar="TIME|DURATION", help="From when: 2026-12-01T08:00:00Z, or 2h ago.")]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Until when; now, when left out.")]


def register(_app: typer.Typer) -> None:
    """Add these commands to their group."""
    calls.command("list")(list_calls)
    calls.command("show")(show)


def list_calls(
    campaign: Annotated[str | None, typer.Option(metavar="NAME", help="Only this campaign's.")] = None,
    number: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only calls to this number.")] = None,
    since: SinceOption = DEFAULT_SPAN,
    until: UntilOption = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the newest first.")] = 50,
    at_provider: Annotated[
        bool, typer.Option("--provider", help="The provider's own list of the account, and which are ours.")
    ] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """List attempts, the newest first; numbers in full for the roles that see people.

    ringfence calls list --campaign spring-renewal --since 2h

    ringfence calls list --provider --account vapi-main --since 2h
    """
    begins, ends = _since(since), instant_option(until, option="--until")
    e164 = read_number(number) if number else None
    with open_session() as session:
        if at_provider:
            _require_alone(campaign, number)
            _list_at_provider(session, account, begins, ends or _now() + AHEAD, as_json=as_json)
            return
        wanted = AttemptFilter(since=begins, until=ends, campaign=campaign, account=account, number=e164, most=most)
        tell_attempts(_view(session).listed(wanted), most=most, as_json=as_json)


def show(
    call: CallArgument,
    account: AccountOption = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the provider too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show everything about one attempt: permit, outcome, what is kept of the conversation (by role).

    ID is ours or the provider's. A look at what was said goes on record.
    """
    with open_session() as session:
        subject = call_named(session, call, account)
        asked = live or subject.attempt is None
        report = _asked(session, subject) if asked else None
        if subject.attempt is not None:
            tell_shown(_view(session).show(subject.attempt), report, asked=asked, as_json=as_json)
            return
    if report is None:
        raise unknown_call(call, subject.account)
    tell_report(report, as_json=as_json)


def _asked(session: Session, subject: CallAtProvider) -> CallReport | None:
    if not subject.provider_call_id:
        return None
    with opened_provider(session.settings.account(subject.account)) as (provider, run_async):
        return ProviderCalls(session.engine, provider, operator=session.operator, run_async=run_async).look(subject)


def _list_at_provider(
    session: Session, account: str | None, begins: datetime, ends: datetime, *, as_json: bool
) -> None:
    chosen = chosen_account(session.settings, account)
    with opened_provider(chosen) as (provider, run_async):
        if not provider.capabilities.lists_calls:
            raise CommandError(
                f"{chosen.settings.provider} lists no calls; `ringfence calls list` shows ours, "
                "and `ringfence calls show ID --live` asks for one.",
                exit_code=ExitCode.REFUSED,
            )
        listing = run_async(provider.list_calls(created_from=begins, created_to=ends)).result()
    owners = _view(session).owners(chosen.name, [report.provider_call_id for report in listing.reports])
    tell_listing(chosen.name, listing, owners, as_json=as_json)


def _view(session: Session) -> CallsView:
    return CallsView(session.engine, role=session.settings.role, operator=session.operator)


def _require_alone(campaign: str | None, number: str | None) -> None:
    if campaign or number:
        raise CommandError(
            "--provider shows the account's calls by time only; leave --campaign and --number out.",
            exit_code=ExitCode.BAD_INPUT,
        )


def _since(text: str) -> datetime:
    """An instant, or a duration before now."""
    try:
        return _now() - parse_duration(text)
    except ValueError:
        return instant_option(text, option="--since") or _now()


def _now() -> datetime:
    return datetime.now(UTC)
