"""Acting on one call at its provider: end it, take it back, move it, have its data deleted. Every act is on record.

Nothing here makes a phone ring: creating calls goes through the gate (`services/single_call.py`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from campaigns.calls.states import FINAL_ATTEMPT_STATES, AttemptState
from campaigns.providers.contract import CallReport, Phase, VoiceProvider
from campaigns.providers.extras import DeletesCallData, NotFoundAtProviderError, ReschedulesCalls
from campaigns.providers.registry import NotOfferedError
from campaigns.services.at_provider import RunAsync, on_record
from campaigns.store.calls_view import ListedAttempt


class CallRefusedError(Exception):
    """The call is not in a state for that. The message says what to do instead."""


@dataclass(frozen=True, slots=True)
class CallAtProvider:
    """One call there; `attempt`: ours, None for a call of somebody else on the account."""

    account: str
    provider_call_id: str
    attempt: ListedAttempt | None = None

    @property
    def subject(self) -> str:
        """What the record calls it."""
        ours = f", attempt {self.attempt.attempt_id}" if self.attempt else ", not one of ours"
        return f"{self.account}: {self.provider_call_id}{ours}"


class ProviderCalls:
    """For one operator at one account."""

    def __init__(self, engine: Engine, provider: VoiceProvider, *, operator: str, run_async: RunAsync) -> None:
        self._engine = engine
        self._provider = provider
        self._operator = operator
        self._run_async = run_async

    def look(self, call: CallAtProvider) -> CallReport | None:
        """What the provider says of it now; None: it knows no such call. Raises `ProviderUnavailableError`."""
        report: CallReport | None = self._run_async(self._provider.fetch(call.provider_call_id)).result()
        return report

    def end(self, call: CallAtProvider) -> bool:
        """Hang a live call up, take a waiting one back; False: it was over.

        Raises `ProviderUnavailableError`, `NotOfferedError`, `NotFoundAtProviderError`.
        """
        phase = self._known(call).phase
        if phase.rank >= Phase.ENDED.rank:
            return False
        if phase is not Phase.QUEUED and not self._provider.capabilities.ends_live:
            raise NotOfferedError("this provider hangs up no live call; it ends by itself")
        with on_record(self._engine, operator=self._operator, action="calls end", subject=call.subject) as result:
            ended: bool = self._run_async(self._provider.end(call.provider_call_id)).result()
            result.detail = "done" if ended else "it was over"
        return ended

    def cancel(self, call: CallAtProvider) -> bool:
        """Take a call back that does not ring yet; False: too late, and it goes on.

        Raises `ProviderUnavailableError`, `NotOfferedError`, `NotFoundAtProviderError`.
        """
        if not self._provider.capabilities.cancels_waiting:
            raise NotOfferedError("this provider takes no waiting call back")
        if self._known(call).phase is not Phase.QUEUED:
            return False
        with on_record(self._engine, operator=self._operator, action="calls cancel", subject=call.subject) as result:
            cancelled: bool = self._run_async(self._provider.cancel(call.provider_call_id)).result()
            result.detail = "done" if cancelled else "too late"
        return cancelled

    def delete_data(self, call: CallAtProvider, *, force: bool = False) -> None:
        """Have the provider forget a call that is over. `force`: although our record still waits for its report.

        Raises `CallRefusedError`, `ProviderUnavailableError`, `NotOfferedError`, `NotFoundAtProviderError`.
        """
        provider = self._provider
        if not isinstance(provider, DeletesCallData):
            raise NotOfferedError("this provider deletes no call's data for us; ask it, or use its portal")
        self._require_over(call, self._known(call), force=force)
        with on_record(self._engine, operator=self._operator, action="calls delete", subject=call.subject):
            if not self._run_async(provider.delete_data(call.provider_call_id)).result():
                raise NotFoundAtProviderError("404: it was gone before")

    def reschedule(self, call: CallAtProvider, *, due_at: datetime) -> bool:
        """Move a call that waits there; False: too late. Never one of ours: its permit was for its own time.

        Raises `CallRefusedError`, `ProviderUnavailableError`, `NotOfferedError`.
        """
        provider = self._provider
        if not isinstance(provider, ReschedulesCalls):
            raise NotOfferedError("this provider moves no call; cancel it and create it again")
        if call.attempt is not None:
            raise CallRefusedError(
                "this is a call of a campaign, allowed for its own time only: `ringfence calls cancel` it, and let the "
                "gate judge a new one"
            )
        with on_record(
            self._engine, operator=self._operator, action="calls reschedule", subject=call.subject
        ) as result:
            moved: bool = self._run_async(provider.reschedule(call.provider_call_id, due_at=due_at)).result()
            result.detail = f"done: {due_at.isoformat()}" if moved else "too late"
        return moved

    def _known(self, call: CallAtProvider) -> CallReport:
        report = self.look(call)
        if report is None:
            raise NotFoundAtProviderError("404: the provider knows no such call")
        return report

    def _require_over(self, call: CallAtProvider, report: CallReport, *, force: bool) -> None:
        if report.phase is Phase.QUEUED:
            raise CallRefusedError("the call has yet to ring, and deleting its data is no way to stop it: cancel it")
        if report.phase.rank < Phase.ENDED.rank:
            raise CallRefusedError("the call is live, and deleting its data would not hang it up: end it first")
        attempt = call.attempt
        if attempt is not None and AttemptState(attempt.state) not in FINAL_ATTEMPT_STATES and not force:
            raise CallRefusedError(
                "our own record still waits for the report that would be deleted: try again in a minute, or say --force"
            )
