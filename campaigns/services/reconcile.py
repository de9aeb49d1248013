"""Reconcile: find out what became of attempts whose fate is unknown.

Found in the provider's list: adopted. Missing from one complete list proves nothing; missing from two, the second
`reconcileAfter` later, lets the campaign's `ambiguous` decide: `hold` for a person, or `redial` by a new attempt.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, VoiceProvider
from campaigns.services.dispatch import RunAsync
from campaigns.services.looks import Listed, Looks, clusters
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorder
from campaigns.store import repair as rows
from campaigns.store.inbox import receipt_waits

log = logging.getLogger(__name__)

MOST = 500
"""Attempts a pass."""
HELD_INTERVAL = timedelta(hours=1)
"""A held attempt is still looked for, in case the provider lists it late."""


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """How the attempts looked for came out."""

    found: int = 0
    absent: int = 0
    held: int = 0
    redialed: int = 0


class Reconcile:
    """One pass over the unknown fates whose look is due."""

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
        self._publisher = publisher
        self._looks = Looks(engine, providers, run_async=run_async)

    def run(self) -> ReconcileResult:
        """Look for each of them; an account that cannot be asked is asked again later, and holds up no other."""
        due = self._looks.due((AttemptState.FATE_UNKNOWN,), most=MOST)
        total = ReconcileResult()
        for account, attempts in due.items():
            try:
                total = _plus(total, self._account(account, attempts))
            except Exception:
                # Whatever it is, it is this account's; the attempts come up again when their lease is over.
                log.exception("reconcile_failed account=%s", account)
        if due:
            log.info("reconciled %s", total)
        return total

    def _account(self, account: str, attempts: Sequence[rows.DueAttempt]) -> ReconcileResult:
        total = ReconcileResult()
        unlisted = {attempt.id: attempt for attempt in attempts}
        for listed in self._looks.lists(account, clusters(attempts)):
            total = _plus(total, self._compare(listed))
            for attempt in listed.attempts:
                del unlisted[attempt.id]
        self._look_again(list(unlisted.values()))
        return total

    def _compare(self, listed: Listed) -> ReconcileResult:
        reports: dict[UUID, CallReport] = {each.attempt_id: each for each in listed.listing.reports if each.attempt_id}
        found = [attempt for attempt in listed.attempts if attempt.id in reports]
        recorded = self._recorder.run([Fact(attempt.id, reports[attempt.id]) for attempt in found])
        for limit_group in recorded.freed:
            self._publisher.request_feed(limit_group)
        absent = [attempt for attempt in listed.attempts if attempt.id not in reports]
        if not listed.listing.complete:
            self._look_again(absent)
            return ReconcileResult(found=len(found))
        return _plus(ReconcileResult(found=len(found)), self._absent(absent))

    def _look_again(self, attempts: Sequence[rows.DueAttempt]) -> None:
        with self._engine.begin() as connection:
            for attempt in attempts:
                rows.look_again(connection, [attempt.id], after=attempt.reconcile_after[0])

    def _absent(self, attempts: Sequence[rows.DueAttempt]) -> ReconcileResult:
        total = ReconcileResult()
        for attempt in attempts:
            with self._engine.begin() as connection:
                if attempt.absences == 0:
                    rows.note_absence(connection, attempt, next_look=attempt.reconcile_after[1])
                    total = _plus(total, ReconcileResult(absent=1))
                else:
                    total = _plus(total, self._conclude(connection, attempt))
        return total

    def _conclude(self, connection: Connection, attempt: rows.DueAttempt) -> ReconcileResult:
        """Twice absent. The provider shows no trace, which is still no proof: the campaign's author decides."""
        if receipt_waits(connection, attempt.id):
            # It told us by webhook what its list does not show; the inbox is about to apply that.
            rows.look_again(connection, [attempt.id], after=attempt.reconcile_after[0])
            return ReconcileResult(absent=1)
        if self._recorder.redial(connection, attempt.id):
            log.info("redial attempt_id=%s", attempt.id)
            return ReconcileResult(redialed=1)
        rows.need_person(connection, attempt.id, next_look=HELD_INTERVAL)
        return ReconcileResult(held=1)


def _plus(first: ReconcileResult, second: ReconcileResult) -> ReconcileResult:
    return ReconcileResult(
        found=first.found + second.found,
        absent=first.absent + second.absent,
        held=first.held + second.held,
        redialed=first.redialed + second.redialed,
    )
