"""`attention`: what waits for a person, and the four answers to an unknown fate."""

from typing import Annotated
from uuid import UUID

import typer

from campaigns.cli.attention_view import tell
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption
from campaigns.cli.output import answers, print_json
from campaigns.cli.session import Session, open_session
from campaigns.providers.contract import CallReport
from campaigns.runtime.law import gatekeeper_at
from campaigns.runtime.provider_access import opened_provider
from campaigns.services.attention import waiting
from campaigns.services.decide import Decide, Decision, DecisionRefusedError, acknowledge, found_call, resolve_stray
from campaigns.services.decided import DecidedAs
from campaigns.services.plans import Definitions
from campaigns.services.record import Recorder

attention = typer.Typer(
    help="What waits for a person: unknown fates, late rings, stray calls, alarms.", invoke_without_command=True
)
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept on record with your name.")]
AttemptArgument = Annotated[str, typer.Argument(metavar="ATTEMPT", help="The attempt's id, as `attention` lists it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    attention.callback()(show)
    attention.command("decide")(decide)
    attention.command("resolve-stray")(resolve)
    attention.command("acknowledge")(acknowledge_alarm)
    app.add_typer(attention, name="attention")


def show(
    context: typer.Context,
    over: Annotated[bool, typer.Option("--all", help="Also unknown fates of calls that have ended meanwhile.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a person. Exit code 0: nothing does; 1: something does.

    Examples: `ringfence attention`, `ringfence attention decide ID --reached --reason "she called us back"`.
    """
    if context.invoked_subcommand is not None:
        return
    with open_session() as session:
        found = waiting(session.engine, over=over)
    if as_json:
        print_json(found.as_dict())
    else:
        tell(found)
    if found.count:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def decide(
    attempt: AttemptArgument,
    reason: ReasonOption,
    found: Annotated[
        str | None, typer.Option("--found", metavar="CALL_ID", help="It is this call of the provider's.")
    ] = None,
    not_dialed: Annotated[
        bool, typer.Option("--not-dialed", help="Certainly nobody was called; the call may be made again.")
    ] = False,
    reached: Annotated[
        bool, typer.Option("--reached", help="The person was on the phone; nobody calls them again.")
    ] = False,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="It will never be known; nobody calls them again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide an attempt of unknown fate: exactly one of the four answers, with a reason.

    Examples: `ringfence attention decide ID --found CALL_ID --reason "seen in the portal"`,
    `ringfence attention decide ID --not-dialed --reason "the carrier's log shows no call"`.
    """
    how = _answer(found, not_dialed=not_dialed, reached=reached, give_up=give_up)
    attempt_id, why = _attempt_id(attempt), _reason(reason)
    with open_session() as session:
        decider = Decide(session.engine, _recorder(session), operator=session.operator)
        try:
            call = _look_up(session, decider.account_of(attempt_id), found) if found else None
            decision = decider.run(attempt_id, how, reason=why, call=call)
        except DecisionRefusedError as error:
            raise _refused(error) from None
    _tell_decision(decision, how, as_json=as_json)


def resolve(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account on which the call was made.")],
    call: Annotated[str, typer.Argument(metavar="CALL", help="The provider's id of the call.")],
    reason: ReasonOption,
    reached: Annotated[
        bool, typer.Option("--reached", help="Its person was called: cancel the calls to them that wait.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain a call of the provider's that no attempt explains.

    Example: `ringfence attention resolve-stray vapi-main 0199… --reason "Ann's test from the portal"`.
    """
    why = _reason(reason)
    with open_session() as session:
        try:
            cancelled = resolve_stray(
                session.engine, account, call, operator=session.operator, reason=why, reached=reached
            )
        except DecisionRefusedError as error:
            raise _refused(error) from None
    if as_json:
        print_json({"account": account, "call": call, "resolved": True, "cancelled_calls": cancelled})
    else:
        also = f"; {cancelled} waiting calls cancelled" if reached else ""
        answers().print(f"{account}: {call}: resolved{also}", markup=False)


def acknowledge_alarm(
    alarm: Annotated[int, typer.Argument(metavar="ALARM", help="The alarm's number, as `attention` lists it.")],
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Take an alarm off the list, with what was done about it."""
    why = _reason(reason)
    with open_session() as session:
        try:
            acknowledge(session.engine, alarm, operator=session.operator, reason=why)
        except DecisionRefusedError as error:
            raise _refused(error) from None
    if as_json:
        print_json({"alarm": alarm, "resolved": True})
    else:
        answers().print(f"alarm {alarm}: acknowledged")


def _answer(found: str | None, *, not_dialed: bool, reached: bool, give_up: bool) -> DecidedAs:
    given = [
        how
        for how, is_given in (
            (DecidedAs.FOUND, bool(found)),
            (DecidedAs.NOT_DIALED, not_dialed),
            (DecidedAs.REACHED, reached),
            (DecidedAs.GIVEN_UP, give_up),
        )
        if is_given
    ]
    if len(given) != 1:
        said = "none of them" if not given else " and ".join(f"--{how.value.replace('_', '-')}" for how in given)
        raise CommandError(
            f"say exactly one of --found CALL_ID, --not-dialed, --reached, --give-up; found {said}.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return given[0]


def _attempt_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(
            f"ATTEMPT {text!r} is no attempt's id; copy one from `ringfence attention`.", exit_code=ExitCode.BAD_INPUT
        ) from None


def _reason(text: str) -> str:
    if not text.strip():
        raise CommandError("--reason is empty; say in a sentence why.", exit_code=ExitCode.BAD_INPUT)
    return text.strip()


def _recorder(session: Session) -> Recorder:
    return Recorder(
        session.engine,
        gatekeeper_at(session.settings.home),
        Definitions(),
        keep_conversations=session.settings.retention.conversations,
    )


def _look_up(session: Session, account: str, call_id: str) -> CallReport:
    """Raises `DecisionRefusedError`, `ProviderUnavailableError`, `SettingsError`."""
    with opened_provider(session.settings.account(account)) as (provider, run_async):
        return found_call(provider, call_id, run_async=run_async)


def _refused(error: DecisionRefusedError) -> CommandError:
    return CommandError(f"{error}.", exit_code=ExitCode.REFUSED)


def _tell_decision(decision: Decision, how: DecidedAs, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "attempt": str(decision.attempt_id),
                "decided": how.value,
                "attempt_state": decision.attempt_state.value,
                "call": decision.call_id,
                "call_state": decision.call_state.value,
            }
        )
        return
    answers().print(
        f"attempt {decision.attempt_id}: {how.value.replace('_', ' ')}; its call {decision.call_id} is "
        f"{decision.call_state.value.replace('_', ' ')}",
        markup=False,
        soft_wrap=True,
    )
