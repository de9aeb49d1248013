"""Late ring: a call that its provider accepted and that does not ring a minute later.

It waits in a queue of the provider's, and would ring when nobody counts on it any more: after the permit's facts are
stale, perhaps after the window closed.

    look (the webhook may be lost) ─ it rings, talks or is over: recorded
                                   └ it waits ─ the provider can take it back: intent on record, cancel, look at its end
                                              └ it cannot: flagged, one alarm

The intent is committed before the provider is asked, so that whatever happens in between, the report of the end tells
our own cancellation from the provider's: the call then counts for nothing and is tried again (`settle.py`). It does so
only if no ring was ever heard of; in doubt the person was rung.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Engine

from campaigns.providers.contract import CallReport, Phase, ProviderUnavailableError, VoiceProvider
from campaigns.services.dispatch import RunAsync
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorder
from campaigns.store import late_ring as rows
from campaigns.store.facts import raise_alarm
from campaigns.store.repair import look_again

log = logging.getLogger(__name__)

LATE_AFTER = timedelta(seconds=60)
"""A phone that is dialed at once rings within seconds."""
PATIENCE = timedelta(minutes=2)
"""How much longer a call is asked back before a person has to see it."""
LEASE = timedelta(seconds=15)
"""Longer than a look, a cancel and a look together take as a rule; a process that dies is followed after this."""
SOON = timedelta(seconds=2)
"""When the poll looks for the report of a call that was taken back, should the webhook be lost."""
MOST = 50
"""Calls a pass: each costs its provider up to three requests."""
ALARM = "late_ring"


class LateRing:
    """One pass over the calls that should ring by now; two at once do no harm."""

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        providers: Mapping[str, VoiceProvider],
        publisher: Publisher,
        *,
        run_async: RunAsync,
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._providers = providers
        self._publisher = publisher
        self._run_async = run_async

    def run(self) -> int:
        """Look; returns how many calls were taken back."""
        with self._engine.begin() as connection:
            silent = rows.lease_silent_calls(
                connection, accounts=list(self._providers), after=LATE_AFTER, patience=PATIENCE, lease=LEASE, most=MOST
            )
        taken_back, away = 0, set[str]()
        for call in silent:
            if call.account in away:
                continue
            try:
                taken_back += self._settle(call)
            except ProviderUnavailableError as error:
                # Nothing is known of it: the lease brings it back, and an outage is the poll's to tell of.
                log.warning("late_ring_not_seen attempt_id=%s cause=%s", call.id, error)
                away.add(call.account)
            except Exception:
                # Whatever it is, it is this call's; it comes up again when its lease is over.
                log.exception("late_ring_failed attempt_id=%s", call.id)
        return taken_back

    def _settle(self, call: rows.SilentCall) -> bool:
        """Whether it was taken back. Raises `ProviderUnavailableError`."""
        provider = self._providers[call.account]
        if not self._waits(call, provider):
            return False
        if not provider.capabilities.cancels_waiting:
            self._flag(call, detail="accepted, does not ring, and this provider takes no call back")
            return False
        with self._engine.begin() as connection:
            if not rows.intend_cancel(connection, call.id):
                return False
        cancelled: bool = self._run_async(provider.cancel(call.provider_call_id)).result()
        if cancelled:
            log.info("late_ring_cancelled attempt_id=%s", call.id)
            with self._engine.begin() as connection:
                rows.note_cancelled(connection, call.id)
                look_again(connection, [call.id], after=SOON)
        if not self._waits(call, provider):
            return cancelled
        if call.given_up:
            self._flag(call, detail="accepted, does not ring, and could not be taken back")
        return cancelled

    def _waits(self, call: rows.SilentCall, provider: VoiceProvider) -> bool:
        """Whether the provider still holds it back. What else it says of the call is recorded."""
        report: CallReport | None = self._run_async(provider.fetch(call.provider_call_id)).result()
        if report is None:
            if call.given_up:
                self._flag(call, detail="accepted, and the provider does not know it")
            return False
        if report.phase is Phase.QUEUED:
            return True
        for limit_group in self._recorder.run([Fact(call.id, report)]).freed:
            self._publisher.request_feed(limit_group)
        return False

    def _flag(self, call: rows.SilentCall, *, detail: str) -> None:
        with self._engine.begin() as connection:
            if rows.flag_late(connection, call.id):
                log.error("alarm kind=%s attempt_id=%s", ALARM, call.id)
                raise_alarm(connection, kind=ALARM, attempt_id=call.id, detail=detail)
