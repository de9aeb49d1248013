"""Ask back: a call that waits at a provider is cancelled there, because somebody said no meanwhile.

A create that left before that cannot be unsent. But while the provider still holds the call (queued for want of a slot,
or scheduled), nobody's phone has rung: it is cancelled, and tried again until that worked or the call no longer waits.
A call that rings or talks is left alone. `asking_back.py` says which calls those are.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Engine

from campaigns.calls.states import FINAL_ATTEMPT_STATES, AttemptState
from campaigns.providers.contract import CallReport, Phase, ProviderUnavailableError, VoiceProvider
from campaigns.services.dispatch import RunAsync
from campaigns.store import provider_cancels as rows
from campaigns.store.accounts import same_kind

log = logging.getLogger(__name__)

MOST = 50
"""Calls a pass: each costs the provider two requests."""
LEASE = timedelta(seconds=10)
"""Longer than the two requests; a process that dies in between is followed by another one after this."""
LOOKS_UNTIL_GONE = 6
"""A provider's copies may lag behind its own answer: who does not know a call in one look may ring it in the next
minute."""
OVER = FINAL_ATTEMPT_STATES | {AttemptState.ENDED}


class AskBack:
    """One pass over the calls to ask back; two at once do no harm."""

    def __init__(
        self,
        engine: Engine,
        providers: Mapping[str, VoiceProvider],
        *,
        simulators: frozenset[str],
        run_async: RunAsync,
    ) -> None:
        self._engine = engine
        self._providers = providers
        self._simulators = simulators
        self._run_async = run_async

    def run(self) -> int:
        """Ask; returns how many calls were cancelled."""
        with self._engine.begin() as connection:
            accounts = same_kind(connection, list(self._providers), simulators=self._simulators)
            due = rows.lease_due(connection, accounts=accounts, lease=LEASE, most=MOST)
        cancelled, away = 0, set[str]()
        for cancel in due:
            if cancel.account in away:
                continue  # its lease brings it back; every further request would cost a time-out
            try:
                cancelled += self._ask(cancel) == "cancelled"
            except ProviderUnavailableError as error:
                log.warning("ask_back_failed attempt_id=%s cause=%s", cancel.attempt_id, error)
                away.add(cancel.account)
                with self._engine.begin() as connection:
                    rows.note_failure(connection, cancel.attempt_id, error=str(error))
            except Exception:
                # Whatever it is, it is this call's; it comes up again when its lease is over.
                log.exception("ask_back_failed attempt_id=%s", cancel.attempt_id)
        return cancelled

    def _ask(self, cancel: rows.DueCancel) -> str | None:
        """Raises `ProviderUnavailableError`."""
        settled_as = self._settled_as(cancel)
        if settled_as is not None:
            log.info("ask_back_settled attempt_id=%s as=%s", cancel.attempt_id, settled_as)
            with self._engine.begin() as connection:
                rows.settle(connection, cancel.attempt_id, settled_as=settled_as)
        return settled_as

    def _settled_as(self, cancel: rows.DueCancel) -> str | None:
        """None: nothing can be said yet. Raises `ProviderUnavailableError`."""
        if cancel.state in OVER:
            return "over"
        provider = self._providers[cancel.account]
        if cancel.provider_call_id is None:
            return None
        report: CallReport | None = self._run_async(provider.fetch(cancel.provider_call_id)).result()
        if report is None:
            return "over" if cancel.tries >= LOOKS_UNTIL_GONE else None
        if report.phase.rank >= Phase.ENDED.rank:
            return "over"
        if report.phase is not Phase.QUEUED:
            return "live"
        # Never `end` where it can be helped: the phone may have begun to ring since the look. What the provider
        # answers with "no" is looked at once more: only that tells a call that is over from one that still waits.
        stop = provider.cancel if provider.capabilities.cancels_waiting else provider.end
        stopped: bool = self._run_async(stop(cancel.provider_call_id)).result()
        return "cancelled" if stopped else None
