"""Poll: ask the provider after calls that have been silent too long, or always where it cannot reach us.

Webhooks get lost and some providers are never given our address; a list request answers for many calls at once.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.permits import LIVE_MARGIN
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, Phase, ProviderUnavailableError, VoiceProvider
from campaigns.providers.words import writable
from campaigns.services.apart import record_apart
from campaigns.services.attempt_rows import POLL_INTERVAL
from campaigns.services.dispatch import RunAsync
from campaigns.services.looks import Looks, clusters
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorder
from campaigns.store import facts as fact_rows
from campaigns.store import repair as rows

log = logging.getLogger(__name__)

MOST = 1000
"""Attempts a pass: one page of the provider's list."""
LIST_FROM = 4
"""From so many attempts of about the same time on, one list request is cheaper than a fetch each."""
MOST_FETCHES = 50
"""Single calls of an account asked after in a pass, so that the other accounts have their turn."""
FETCHES_AT_ONCE = 10
"""Together they cost one time-out at most; if none of them is answered, the account waits for the next pass."""
MOST_HANG_UPS = 20
"""Endless calls of an account hung up in a pass, one after the other."""
LOOKS_UNTIL_GONE = 3
"""A provider's copies may lag behind its own answer: only a call that it did not know in so many looks is gone."""
LOOKS_UNTIL_ABANDONED = 120
"""An hour of looks without an answer, a day after the call was overdue: a standstill of our own proves nothing."""
SILENT_INTERVAL = timedelta(seconds=30)
"""Between looks at a call of which the provider knows or says nothing."""
ENDED_UNKNOWN = Verdict(Outcome.UNKNOWN, retryable=False, counts=True)
"""For a call that the provider no longer knows or never ends: somebody may have been reached, so nobody rings again."""

Answers = dict[UUID, CallReport | BaseException | None]
"""Attempt id → what the provider says of its call; None: it does not know it; an error: it gave no answer this time.
An attempt that is missing has not been asked after."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """Attempts asked after, and reports that came back."""

    asked: int = 0
    reports: int = 0


class Poll:
    """One pass over the attempts whose look is due."""

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
        self._providers = providers
        self._publisher = publisher
        self._run_async = run_async
        self._looks = Looks(engine, providers, simulators=simulators, run_async=run_async)

    def run(self) -> PollResult:
        """Ask and record. A call or an account that cannot be asked is asked again later, and holds up no other."""
        due = self._looks.due((AttemptState.IN_PROGRESS, AttemptState.ENDED), most=MOST)
        reports = 0
        for account, attempts in due.items():
            try:
                reports += self._account(account, attempts)
            except Exception:
                # Whatever it is, it is this account's; the attempts come up again when their lease is over.
                log.exception("poll_failed account=%s", account)
        self._looks.check_clocks()
        return PollResult(sum(map(len, due.values())), reports)

    def _account(self, account: str, attempts: Sequence[rows.DueAttempt]) -> int:
        answers = self._ask(account, attempts)
        news = [(attempt, report) for attempt in attempts if (report := self._news(attempt, answers)) is not None]
        endless = [(attempt, report) for attempt, report in news if _is_endless(attempt, report)]
        self._record([Fact(attempt.id, report) for attempt, report in news if not _is_endless(attempt, report)])
        self._keep(
            [attempt for attempt, report in news if not attempt.overdue and report.phase.rank < Phase.ENDED.rank]
        )
        self._await_analysis([attempt for attempt, report in news if report.phase is Phase.ENDED])
        for attempt, report in endless[:MOST_HANG_UPS]:
            self._record([Fact(attempt.id, self._give_up(attempt, report))])
        return len(news)

    def _record(self, facts: Sequence[Fact]) -> None:
        for recorded in record_apart(facts, self._recorder.run):
            for limit_group in recorded.freed:
                self._publisher.request_feed(limit_group)

    # --- asking ------------------------------------------------------------------------------------------------

    def _ask(self, account: str, attempts: Sequence[rows.DueAttempt]) -> Answers:
        answers: Answers = {}
        crowds = [cluster for cluster in clusters(attempts) if len(cluster) >= LIST_FROM]
        for listed in self._looks.lists(account, crowds):
            by_call = {report.provider_call_id: report for report in listed.listing.reports}
            answers |= {
                each.id: by_call[each.provider_call_id] for each in attempts if each.provider_call_id in by_call
            }
        return answers | self._fetch(account, [attempt for attempt in attempts if attempt.id not in answers])

    def _fetch(self, account: str, attempts: Sequence[rows.DueAttempt]) -> Answers:
        """Ask after each by itself, as far as the pass allows; the others are due again at once, and so come first."""
        answers: Answers = {}
        asked = 0
        while asked < min(len(attempts), MOST_FETCHES):
            batch = attempts[asked : asked + FETCHES_AT_ONCE]
            asked += len(batch)
            answered = self._run_async(_fetch_all(self._providers[account], batch)).result()
            answers |= answered
            if all(isinstance(answer, BaseException) for answer in answered.values()):
                break
        if left := [attempt.id for attempt in attempts[asked:]]:
            with self._engine.begin() as connection:
                rows.look_again(connection, left, after=timedelta(0))
        return answers

    # --- judging -----------------------------------------------------------------------------------------------

    def _news(self, attempt: rows.DueAttempt, answers: Answers) -> CallReport | None:
        """What to record of it; None: nothing yet."""
        if attempt.id not in answers:
            return None
        report = answers[attempt.id]
        if isinstance(report, BaseException):
            return self._unanswered(attempt)
        if report is None:
            return self._gone(attempt)
        if report.phase is Phase.ENDED and attempt.overdue:
            # Nothing firmer will come: what ended is reported, even if details are missing.
            return replace(report, phase=Phase.REPORTED)
        return report

    def _gone(self, attempt: rows.DueAttempt) -> CallReport | None:
        """The provider does not know the call: of a young one that proves nothing."""
        if attempt.overdue or attempt.absences + 1 >= LOOKS_UNTIL_GONE:
            return _ended_unknown(attempt, reason="the provider no longer knows this call")
        self._note_absence(attempt)
        return None

    def _unanswered(self, attempt: rows.DueAttempt) -> CallReport | None:
        """An outage passes. What lasts for more than a day a person must see, and the call's slot comes free."""
        if not attempt.abandoned:
            return None
        if attempt.absences + 1 < LOOKS_UNTIL_ABANDONED:
            self._note_absence(attempt)
            return None
        self._alarm("call_never_answered_for", attempt, detail="the provider gives no answer about this call")
        return _ended_unknown(attempt, reason="the provider never answered for this call")

    def _note_absence(self, attempt: rows.DueAttempt) -> None:
        with self._engine.begin() as connection:
            rows.note_absence(connection, attempt, next_look=SILENT_INTERVAL)

    def _give_up(self, attempt: rows.DueAttempt, report: CallReport) -> CallReport:
        """A call that the provider never ends: hang it up if that can be done, and close it in any case."""
        try:
            self._run_async(self._providers[attempt.account].end(report.provider_call_id)).result()
            hung_up = "hung up"
        except ProviderUnavailableError as error:
            hung_up = f"not hung up: {error}"
        self._alarm("call_never_ended", attempt, detail=f"{report.phase}, {hung_up}")
        return replace(report, phase=Phase.REPORTED, verdict=ENDED_UNKNOWN, ended_reason="never ended at the provider")

    def _alarm(self, kind: str, attempt: rows.DueAttempt, *, detail: str) -> None:
        log.error("alarm kind=%s attempt_id=%s", kind, attempt.id)
        with self._engine.begin() as connection:
            fact_rows.raise_alarm(connection, kind=kind, attempt_id=attempt.id, detail=writable(detail))

    def _keep(self, active: Sequence[rows.DueAttempt]) -> None:
        """Calls that go on: look again soon where only polling tells us; hold their slots (`live` is locked last)."""
        if not active:
            return
        with self._engine.begin() as connection:
            _look_soon(connection, active)
            fact_rows.extend_live(connection, [attempt.id for attempt in active], hold=2 * LIVE_MARGIN)

    def _await_analysis(self, ended: Sequence[rows.DueAttempt]) -> None:
        """The analysis follows the end, and with it an opt-out: the number stays held until then."""
        if ended:
            with self._engine.begin() as connection:
                _look_soon(connection, ended)


def _look_soon(connection: Connection, attempts: Sequence[rows.DueAttempt]) -> None:
    polled = [attempt.id for attempt in attempts if not attempt.webhooks]
    rows.look_again(connection, polled, after=POLL_INTERVAL)


async def _fetch_all(provider: VoiceProvider, attempts: Sequence[rows.DueAttempt]) -> Answers:
    """What the provider says of each, or the error that it answered with."""
    known = [(attempt.id, attempt.provider_call_id) for attempt in attempts if attempt.provider_call_id is not None]
    answers = await asyncio.gather(*(provider.fetch(call_id) for _, call_id in known), return_exceptions=True)
    found: Answers = {}
    for (attempt_id, _), answer in zip(known, answers, strict=True):
        if isinstance(answer, BaseException):
            log.warning("fetch_failed attempt_id=%s cause=%s", attempt_id, _cause(answer))
        found[attempt_id] = answer
    return found


def _cause(error: BaseException) -> str:
    """Only the contract's own error promises a message without numbers and names."""
    return str(error) if isinstance(error, ProviderUnavailableError) else type(error).__name__


def _is_endless(attempt: rows.DueAttempt, report: CallReport) -> bool:
    return attempt.overdue and report.phase.rank < Phase.ENDED.rank


def _ended_unknown(attempt: rows.DueAttempt, *, reason: str) -> CallReport:
    return CallReport(
        attempt.provider_call_id or "", attempt.id, Phase.REPORTED, verdict=ENDED_UNKNOWN, ended_reason=reason
    )
