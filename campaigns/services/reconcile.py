"""Reconcile: find out what became of attempts whose fate is unknown.

Found at the provider, by whatever it keeps of a call: adopted. Absent from one complete look proves nothing; absent
from two, the second `reconcileAfter` later, lets the campaign's `ambiguous` decide: `hold` for a person, or `redial` by
a new attempt. A provider that lists nothing proves nothing: there a person is asked at the first look, and no attempt
is ever redialed by itself.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, VoiceProvider
from campaigns.services.apart import record_apart
from campaigns.services.dispatch import RunAsync
from campaigns.services.looks import Listed, Looks, clusters
from campaigns.services.passing import passes
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorder
from campaigns.store import repair as rows
from campaigns.store.inbox import receipt_waits
from campaigns.store.provider_audit import owners

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
        simulators: frozenset[str],
        run_async: RunAsync,
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._publisher = publisher
        self._looks = Looks(engine, providers, simulators=simulators, run_async=run_async)

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
        if not self._looks.can_list(account):
            return self._hold(attempts)
        total = ReconcileResult()
        unasked = {attempt.id: attempt for attempt in attempts}
        for looked in self._looks.finds(account, clusters(attempts)):
            total = _plus(total, self._compare(account, looked))
            for attempt in looked.attempts:
                del unasked[attempt.id]
        self._look_again(list(unasked.values()))
        return total

    def _hold(self, attempts: Sequence[rows.DueAttempt]) -> ReconcileResult:
        """No look can ever prove anything here: only the provider's own word, or a person's, ends these fates."""
        with self._engine.begin() as connection:
            for attempt in attempts:
                rows.need_person(connection, attempt.id, next_look=HELD_INTERVAL)
        return ReconcileResult(held=len(attempts))

    def _compare(self, account: str, looked: Listed) -> ReconcileResult:
        reports = self._unowned(account, looked)
        found = [attempt for attempt in looked.attempts if attempt.id in reports]
        facts = [Fact(attempt.id, reports[attempt.id]) for attempt in found]
        for recorded in record_apart(facts, self._recorder.run):
            for limit_group in recorded.freed:
                self._publisher.request_feed(limit_group)
        missing = [attempt for attempt in looked.attempts if attempt.id not in reports]
        contested = {each.attempt_id for each in _contested(looked)}
        absent = [each for each in missing if looked.listing.complete and each.id not in contested]
        unproven = [each for each in missing if each not in absent]
        total = _plus(ReconcileResult(found=len(found)), self._absent(absent))
        self._look_again([each for each in unproven if not each.overdue])
        # Nothing has proven it for longer than any call lasts, so no look of ours is going to.
        return _plus(total, self._hold([each for each in unproven if each.overdue]))

    def _unowned(self, account: str, looked: Listed) -> dict[UUID, CallReport]:
        """Attempt id → its call, without calls that are another attempt's already.

        Where a provider keeps only numbers and times of a call, a redial of the same person looks like it.
        """
        contested = _contested(looked)
        reports = {
            each.attempt_id: each for each in looked.listing.reports if each.attempt_id and each not in contested
        }
        with self._engine.begin() as connection:
            owned = owners(connection, account, [each.provider_call_id for each in reports.values()])
        return {
            attempt_id: report
            for attempt_id, report in reports.items()
            if set(owned.get(report.provider_call_id, ())) <= {attempt_id}
        }

    def _look_again(self, attempts: Sequence[rows.DueAttempt]) -> None:
        with self._engine.begin() as connection:
            for attempt in attempts:
                rows.look_again(connection, [attempt.id], after=attempt.reconcile_after[0])

    def _absent(self, attempts: Sequence[rows.DueAttempt]) -> ReconcileResult:
        total = ReconcileResult()
        for attempt in attempts:
            try:
                total = _plus(total, self._absence_of(attempt))
            except Exception as error:
                if passes(error):
                    raise
                # Its campaign cannot be read. Nobody is redialed for it, and it comes up again when its lease is over.
                log.exception("absence_not_judged attempt_id=%s", attempt.id)
        return total

    def _absence_of(self, attempt: rows.DueAttempt) -> ReconcileResult:
        with self._engine.begin() as connection:
            if attempt.absences > 0:
                return self._conclude(connection, attempt)
            rows.note_absence(connection, attempt, next_look=attempt.reconcile_after[1])
            return ReconcileResult(absent=1)

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


def _contested(looked: Listed) -> list[CallReport]:
    """Reports that name one call for two attempts: then it may be either's, and proves nothing of both."""
    claims = Counter(each.provider_call_id for each in looked.listing.reports if each.attempt_id)
    return [each for each in looked.listing.reports if claims[each.provider_call_id] > 1]


def _plus(first: ReconcileResult, second: ReconcileResult) -> ReconcileResult:
    return ReconcileResult(
        found=first.found + second.found,
        absent=first.absent + second.absent,
        held=first.held + second.held,
        redialed=first.redialed + second.redialed,
    )
