"""Decide: a person ends what nobody could find out, by the same record path as the provider's own word.

One wins: the call is locked, the attempt looked at, the decision written with its author in one transaction. Whoever
comes second is told by whom it was decided.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.calls.states import AttemptState, CallState
from campaigns.providers.contract import CallReport, VoiceProvider
from campaigns.services.adoption import WAITING
from campaigns.services.decided import Decided, DecidedAs
from campaigns.services.record import Fact, Recorder
from campaigns.store import attention as rows
from campaigns.store.callers import stop_after_this
from campaigns.store.campaigns import record_operation
from campaigns.store.facts import lock_calls_of
from campaigns.store.moves import Move, apply_moves
from campaigns.store.provider_audit import owners

DECIDE = "attention decide"
"""The operation under which a decision stands on record."""

RunAsync = Callable[[Coroutine[Any, Any, Any]], Future[Any]]


class DecisionRefusedError(Exception):
    """It cannot be decided like this; nothing was changed. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decision led to."""

    attempt_id: UUID
    attempt_state: AttemptState
    call_id: int
    call_state: CallState


class Decide:
    """Decisions of one operator."""

    def __init__(self, engine: Engine, recorder: Recorder, *, operator: str) -> None:
        self._engine = engine
        self._recorder = recorder
        self._operator = operator

    def account_of(self, attempt_id: UUID) -> str:
        """Where the attempt was made. Raises `DecisionRefusedError` for an id that no attempt has."""
        with self._engine.begin() as connection:
            return self._attempt(connection, attempt_id).account

    def run(self, attempt_id: UUID, how: DecidedAs, *, reason: str, call: CallReport | None = None) -> Decision:
        """Decide. `call`: what the provider says of the call that was found. Raises `DecisionRefusedError`."""
        decided = Decided(how, f"decided by {self._operator}: {reason}")
        with self._engine.begin() as connection:
            lock_calls_of(connection, [attempt_id])
            attempt = self._attempt(connection, attempt_id)
            self._check(connection, attempt, how)
            facts = [Fact(attempt_id, decided)]
            if call is not None:
                _check_call(connection, attempt, call)
                facts.append(Fact(attempt_id, replace(call, attempt_id=attempt_id)))
            self._recorder.apply(connection, facts)
            detail = f"{how}{f' {call.provider_call_id}' if call else ''}: {reason}"
            record_operation(
                connection, operator=self._operator, action=DECIDE, subject=f"attempt {attempt_id}", detail=detail
            )
            after = self._attempt(connection, attempt_id)
            return Decision(attempt_id, after.state, after.call_id, rows.call_state(connection, after.call_id))

    def _attempt(self, connection: Connection, attempt_id: UUID) -> rows.DecidedAttempt:
        attempt = rows.decided_attempt(connection, attempt_id)
        if attempt is None:
            raise DecisionRefusedError(f"there is no attempt {attempt_id}; `ringfence attention` lists those that wait")
        return attempt

    def _check(self, connection: Connection, attempt: rows.DecidedAttempt, how: DecidedAs) -> None:
        if attempt.state is not AttemptState.FATE_UNKNOWN:
            raise DecisionRefusedError(_known_already(connection, attempt))
        if how is DecidedAs.NOT_DIALED and not attempt.needs_person:
            raise DecisionRefusedError(
                f"attempt {attempt.id} is still being looked for at the provider, and may turn up there; "
                "wait until `ringfence attention` lists it"
            )


def found_call(provider: VoiceProvider, provider_call_id: str, *, run_async: RunAsync) -> CallReport:
    """What the provider says of this call. Raises `DecisionRefusedError`, `ProviderUnavailableError`."""
    report: CallReport | None = run_async(provider.fetch(provider_call_id)).result()
    if report is None:
        raise DecisionRefusedError(
            f"the provider knows no call {provider_call_id}; copy the id from its portal, or decide without --found"
        )
    return report


_STATES: Mapping[AttemptState, str] = {
    AttemptState.DIALING: "is being dialed at this moment; look again in a minute",
    AttemptState.IN_PROGRESS: "is in progress at its provider; there is nothing to decide",
    AttemptState.ENDED: "has ended, and its report is awaited; there is nothing to decide",
    AttemptState.NOT_DIALED: "is known not to have been dialed; there is nothing to decide",
    AttemptState.CLOSED: "is closed, and its outcome on record; there is nothing to decide",
}


def _known_already(connection: Connection, attempt: rows.DecidedAttempt) -> str:
    by = rows.newest_operation(connection, action=DECIDE, subject=f"attempt {attempt.id}")
    if by is None:
        return f"attempt {attempt.id} {_STATES[attempt.state]}"
    at = by.happened_at.isoformat(timespec="seconds")
    return f"attempt {attempt.id} was decided by {by.operator} at {at} ({by.detail}); nothing was changed"


def _check_call(connection: Connection, attempt: rows.DecidedAttempt, call: CallReport) -> None:
    """A call that is certainly another one would hide a double dial."""
    holders = owners(connection, attempt.account, [call.provider_call_id]).get(call.provider_call_id, [])
    if holders:
        raise DecisionRefusedError(f"call {call.provider_call_id} is that of attempt {holders[0]} already")
    if call.attempt_id not in (None, attempt.id):
        raise DecisionRefusedError(f"call {call.provider_call_id} carries the key of another attempt")
    if call.origin is not None and call.origin.number not in (None, attempt.number):
        raise DecisionRefusedError(f"call {call.provider_call_id} went to another number than this attempt")


def resolve_stray(
    engine: Engine, account: str, provider_call_id: str, *, operator: str, reason: str, reached: bool
) -> int:
    """Explain a stray call, once. `reached`: its person was called, so calls to them that wait are cancelled.

    Returns how many were cancelled. Raises `DecisionRefusedError`.
    """
    name = f"{account}: {provider_call_id}"
    with engine.begin() as connection:
        stray = rows.resolve_stray(connection, account, provider_call_id, operator=operator, resolution=reason)
        _require_first(stray, f"stray call {provider_call_id} of account {account}")
        cancelled = _cancel(connection, stray.waiting_calls) if stray and reached else 0
        rows.resolve_alarms_of(connection, name, kinds=("stray_call", "second_provider_call"), operator=operator)
        detail = f"{reason}; {cancelled} waiting calls cancelled" if reached else reason
        record_operation(connection, operator=operator, action="resolve stray", subject=name, detail=detail)
    return cancelled


def acknowledge(engine: Engine, alarm_id: int, *, operator: str, reason: str) -> None:
    """Take an alarm off the list, once. Raises `DecisionRefusedError`."""
    with engine.begin() as connection:
        alarm = rows.resolve_alarm(connection, alarm_id, operator=operator, resolution=reason)
        _require_first(alarm, f"alarm {alarm_id}")
        record_operation(
            connection, operator=operator, action="acknowledge", subject=f"alarm {alarm_id}", detail=reason
        )


def _require_first(resolved: rows.Resolved | None, what: str) -> None:
    if resolved is None:
        raise DecisionRefusedError(f"there is no {what}; `ringfence attention` lists those there are")
    if not resolved.now:
        at = resolved.at.isoformat(timespec="seconds")
        raise DecisionRefusedError(f"{what} was resolved by {resolved.by} at {at} ({resolved.resolution})")


def _cancel(connection: Connection, call_ids: Sequence[int]) -> int:
    calls = rows.lock_waiting_calls(connection, call_ids)
    waiting = [each for each in calls if each.state in WAITING]
    moves = [Move(each.id, each.state, CallState.CANCELLED, each.epoch, reason="stray_call") for each in waiting]
    # What has left already cannot be unsent; nothing follows it.
    stop_after_this(connection, [each.id for each in calls if each not in waiting], reason="stray_call")
    return len(apply_moves(connection, moves))
