"""Ask back: a call that waits at a provider for a person who revoked meanwhile is cancelled there.

A create that left before the revocation cannot be unsent. But while the provider still holds the call (queued for want
of a slot, or scheduled), nobody's phone has rung: it is cancelled, and tried again until that worked or the call no
longer waits. A call that rings or talks is left alone.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection, Engine

from campaigns.calls.states import FINAL_ATTEMPT_STATES, AttemptState
from campaigns.compliance.facts import Purpose
from campaigns.compliance.revocations import covers
from campaigns.providers.contract import CallReport, Phase, ProviderUnavailableError, VoiceProvider
from campaigns.services.dispatch import RunAsync
from campaigns.store import provider_cancels as rows
from campaigns.store.revocations import StoredRevocation

log = logging.getLogger(__name__)

MOST = 50
"""Calls a pass: each costs the provider two requests."""
LEASE = timedelta(seconds=10)
"""Longer than the two requests; a process that dies in between is followed by another one after this."""
OVER = FINAL_ATTEMPT_STATES | {AttemptState.ENDED}


def ask_back(connection: Connection, revocation: StoredRevocation) -> int:
    """Put the calls that may wait at a provider on the list, as far as the revocation covers them; returns how many."""
    fact = revocation.as_fact
    covered = [
        attempt.id
        for attempt in rows.open_attempts(connection, revocation.number)
        if attempt.subject.purpose is not Purpose.EMERGENCY and covers(fact, attempt.subject)
    ]
    rows.ask_back(connection, covered, revocation_id=revocation.id)
    return len(covered)


class AskBack:
    """One pass over the calls to ask back; two at once do no harm."""

    def __init__(self, engine: Engine, providers: Mapping[str, VoiceProvider], *, run_async: RunAsync) -> None:
        self._engine = engine
        self._providers = providers
        self._run_async = run_async

    def run(self) -> int:
        """Ask; returns how many calls were cancelled."""
        with self._engine.begin() as connection:
            due = rows.lease_due(connection, lease=LEASE, most=MOST)
        return sum(self._ask(cancel) == "cancelled" for cancel in due)

    def _ask(self, cancel: rows.DueCancel) -> str | None:
        try:
            settled_as = self._settled_as(cancel)
        except ProviderUnavailableError as error:
            log.warning("ask_back_failed attempt_id=%s cause=%s", cancel.attempt_id, error)
            with self._engine.begin() as connection:
                rows.note_failure(connection, cancel.attempt_id, error=str(error))
            return None
        if settled_as is not None:
            log.info("ask_back_settled attempt_id=%s as=%s", cancel.attempt_id, settled_as)
            with self._engine.begin() as connection:
                rows.settle(connection, cancel.attempt_id, settled_as=settled_as)
        return settled_as

    def _settled_as(self, cancel: rows.DueCancel) -> str | None:
        """None: nothing can be said yet. Raises `ProviderUnavailableError`."""
        if cancel.state in OVER:
            return "over"
        provider = self._providers.get(cancel.account)
        if provider is None or cancel.provider_call_id is None:
            return None
        report: CallReport | None = self._run_async(provider.fetch(cancel.provider_call_id)).result()
        if report is None or report.phase.rank >= Phase.ENDED.rank:
            return "over"
        if report.phase is not Phase.QUEUED:
            return "live"
        ended: bool = self._run_async(provider.end(cancel.provider_call_id)).result()
        return "cancelled" if ended else "over"
