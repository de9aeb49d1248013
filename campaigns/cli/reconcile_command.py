"""`reconcile`: compare what the providers did with what the record says, and let a restored database dial again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption, instant_option
from campaigns.cli.output import answers, notes, print_json
from campaigns.cli.session import Session, open_session
from campaigns.definition.durations import DurationError, format_duration, parse_duration
from campaigns.providers.contract import ProviderUnavailableError
from campaigns.runtime.law import gatekeeper_at
from campaigns.runtime.provider_access import opened_provider
from campaigns.runtime.settings import Account
from campaigns.services.audit_result import AuditResult
from campaigns.services.plans import Definitions
from campaigns.services.provider_audit import AuditSpanError, ProviderAudit, UnknownAuditAccountError
from campaigns.services.record import Recorder
from campaigns.services.restored import Lifted, lift
from campaigns.store.campaigns import machine_now, record_operation


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one account. `result` None: its provider could not be asked, `unreachable` says why."""

    account: str
    result: AuditResult | None
    hold: Lifted
    unreachable: str | None = None

    @property
    def is_good(self) -> bool:
        return self.result is not None and self.result.explained and self.hold.why_not is None

    def as_dict(self) -> dict[str, Any]:
        numbers = self.result.as_dict() if self.result else {"account": self.account, "explained": False}
        return numbers | {"unreachable": self.unreachable, "hold": _hold_word(self.hold), "why_held": self.hold.why_not}


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("reconcile")(reconcile)


def reconcile(
    since: Annotated[
        str, typer.Option("--since", metavar="T", help="From when: 2026-11-01T12:00:00-05:00, or 24h for a day back.")
    ],
    account: Annotated[
        list[str] | None, typer.Option("--account", metavar="NAME", help="Only this account; may be given again.")
    ] = None,
    accept_strays: Annotated[
        bool,
        typer.Option("--accept-strays", help="Let a restored account dial again although something is unexplained."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare every call of the providers with the record, and every attempt with the providers.

    What nobody explains is listed by `ringfence attention`. A database that was restored or promoted dials nobody
    until this has looked far enough back. Exit code 0: all is explained; 1: not; 4: a provider does not answer.

    Examples: `ringfence reconcile --since 24h`, `ringfence reconcile --since 2026-11-01T12:00:00Z --account vapi-main`.
    """
    with open_session() as session:
        since_at = _instant(session, since)
        found = [
            answer
            for each in _accounts(session, account or [])
            if (answer := _reconcile(session, each, since=since_at, accept_strays=accept_strays, named=bool(account)))
        ]
    if as_json:
        print_json({"accounts": [each.as_dict() for each in found], "explained": all(each.is_good for each in found)})
    else:
        _tell(found)
    if any(each.unreachable for each in found):
        raise typer.Exit(ExitCode.UNREACHABLE)
    if not all(each.is_good for each in found):
        raise typer.Exit(ExitCode.BAD_ANSWER)


def _instant(session: Session, text: str) -> datetime:
    """An instant, or a duration back from now by the database's clock. Raises `CommandError`."""
    try:
        back = parse_duration(text)
    except DurationError:
        return instant_option(text, option="--since") or datetime.now(UTC)
    with session.engine.begin() as connection:
        return machine_now(connection) - back


def _accounts(session: Session, names: Sequence[str]) -> list[Account]:
    """Those named, or all there are. Raises `SettingsError`, `CommandError`."""
    accounts = [session.settings.account(name) for name in names] or list(session.settings.accounts.values())
    if not accounts:
        raise CommandError(
            "ringfence.toml names no account, so there is no provider to ask.", exit_code=ExitCode.BAD_INPUT
        )
    return accounts


def _reconcile(
    session: Session, account: Account, *, since: datetime, accept_strays: bool, named: bool
) -> _Answer | None:
    """None: an account of the settings that this database never used, and that nobody asked for by name."""
    try:
        result = _audit(session, account, since=since)
    except UnknownAuditAccountError as error:
        if named:
            raise CommandError(str(error), exit_code=ExitCode.REFUSED) from None
        return None
    except AuditSpanError as error:
        raise CommandError(f"--since: {error}.", exit_code=ExitCode.BAD_INPUT) from None
    except ProviderUnavailableError as error:
        return _Answer(account.name, None, Lifted(held=False), unreachable=str(error))
    hold = lift(session.engine, result, operator=session.operator, accept_strays=accept_strays)
    return _Answer(account.name, result, hold)


def _audit(session: Session, account: Account, *, since: datetime) -> AuditResult:
    recorder = Recorder(
        session.engine,
        gatekeeper_at(session.settings.home),
        Definitions(),
        keep_conversations=session.settings.retention.conversations,
    )
    with opened_provider(account) as (provider, run_async):
        audit = ProviderAudit(session.engine, recorder, {account.name: provider}, run_async=run_async)
        result = audit.run(account.name, since=since)
    with session.engine.begin() as connection:
        detail = f"since {since.isoformat()}: {result.found} found, {result.held} held, {result.new_strays} new strays"
        record_operation(connection, operator=session.operator, action="reconcile", subject=account.name, detail=detail)
    return result


def _tell(found: Sequence[_Answer]) -> None:
    for each in found:
        if each.result is None:
            notes().print(f"{each.account}: its provider does not answer: {each.unreachable}", markup=False)
            continue
        _tell_result(each.result)
        if each.hold.why_not is not None:
            answers().print(f"  still held: {each.hold.why_not}", markup=False, soft_wrap=True)
        elif each.hold.held:
            answers().print("  the account may dial again", markup=False)
    if any(each.result and not each.result.explained for each in found):
        notes().print("`ringfence attention` lists what a person has to look at")


def _tell_result(result: AuditResult) -> None:
    console, span = answers(), format_duration(result.until - result.since)
    verdict = "everything is explained" if result.explained else "NOT everything is explained"
    console.print(
        f"{result.account}: {span} until {result.until.isoformat(timespec='seconds')}: {verdict}", markup=False
    )
    if result.lists_calls:
        console.print(
            f"  provider: {result.calls} calls, {result.matched} ours, {result.foreign} of others", markup=False
        )
    else:
        console.print("  its provider lists no calls: strays cannot be seen, each of our calls was asked after")
    numbers = ("found", "absent", "held", "strays", "missing", "shared", "unproven", "gaps")
    told = ", ".join(f"{name} {getattr(result, name)}" for name in numbers)
    console.print(f"  record: {told}", markup=False, soft_wrap=True)


def _hold_word(hold: Lifted) -> str | None:
    if not hold.held:
        return None
    return "lifted" if hold.why_not is None else "held"
