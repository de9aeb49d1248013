"""Poll: ask the provider after calls that have been silent too long, or always where it cannot reach us.

Webhooks get lost and some providers are never given our address; a list request answers for many calls at once.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.permits import LIVE_MARGIN
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, Phase, ProviderUnavailableError, VoiceProvider
from campaigns.services.dispatch import RunAsync
from campaigns.services.ports import Publisher
from campaigns.services.record import POLL_INTERVAL, Fact, Recorder
from campaigns.store import facts as fact_rows
from campaigns.store import repair as rows

log = logging.getLogger(__name__)

MOST = 1000
"""Attempts a pass: one page of the provider's list."""
LIST_FROM = 4
"""From so many attempts of an account on, one list request is cheaper than a fetch each."""
SILENT_INTERVAL = timedelta(seconds=30)
"""Between looks at a call that is overdue although webhooks are on."""
ENDED_UNKNOWN = Verdict(Outcome.UNKNOWN, retryable=False, counts=True)
"""For a call that the provider no longer knows or never ends: somebody may have been reached, so nobody rings again."""


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
        run_async: RunAsync,
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._providers = providers
        self._publisher = publisher
        self._run_async = run_async

    def run(self) -> PollResult:
        """Ask and record. A provider that cannot be reached is asked again at the next look."""
        with self._engine.begin() as connection:
            due = rows.lease_due_attempts(
                connection, (AttemptState.IN_PROGRESS, AttemptState.ENDED), lease=SILENT_INTERVAL, most=MOST
            )
        by_account = defaultdict[str, list[rows.DueAttempt]](list)
        for attempt in due:
            by_account[attempt.account].append(attempt)
        reports = 0
        for account, attempts in by_account.items():
            try:
                reports += self._account(self._providers[account], attempts)
            except ProviderUnavailableError as error:
                log.warning("poll_failed account=%s cause=%s", account, error)
        return PollResult(len(due), reports)

    def _account(self, provider: VoiceProvider, attempts: Sequence[rows.DueAttempt]) -> int:
        reports = self._ask(provider, attempts)
        facts, active, analysed = list[Fact](), list[rows.DueAttempt](), list[rows.DueAttempt]()
        for attempt in attempts:
            report = reports.get(attempt.id)
            if report is None:
                continue
            if report.phase is Phase.ENDED and attempt.overdue:
                # Nothing firmer will come: what ended is reported, even if details are missing.
                report = replace(report, phase=Phase.REPORTED)
            elif report.phase is Phase.ENDED:
                # The analysis follows the end, and with it an opt-out: the number stays held until then.
                analysed.append(attempt)
            elif report.phase is not Phase.REPORTED and attempt.overdue:
                report = self._give_up(provider, attempt, report)
            elif report.phase is not Phase.REPORTED:
                active.append(attempt)
            facts.append(Fact(attempt.id, report))
        recorded = self._recorder.run(facts)
        self._keep(active)
        self._look_again([*active, *analysed])
        for limit_group in recorded.freed:
            self._publisher.request_feed(limit_group)
        return len(facts)

    def _ask(self, provider: VoiceProvider, attempts: Sequence[rows.DueAttempt]) -> dict[UUID, CallReport]:
        found: dict[UUID, CallReport] = {}
        if len(attempts) >= LIST_FROM:
            created_from, created_to = list_span(attempts)
            listing = self._run_async(provider.list_calls(created_from=created_from, created_to=created_to)).result()
            by_call = {report.provider_call_id: report for report in listing.reports}
            found = {each.id: by_call[each.provider_call_id] for each in attempts if each.provider_call_id in by_call}
        for attempt in attempts:
            if attempt.id not in found and attempt.provider_call_id is not None:
                found[attempt.id] = self._fetch(provider, attempt.id, attempt.provider_call_id)
        return found

    def _fetch(self, provider: VoiceProvider, attempt_id: UUID, provider_call_id: str) -> CallReport:
        report: CallReport | None = self._run_async(provider.fetch(provider_call_id)).result()
        if report is not None:
            return report
        return CallReport(
            provider_call_id,
            attempt_id,
            Phase.REPORTED,
            verdict=ENDED_UNKNOWN,
            ended_reason="the provider no longer knows this call",
        )

    def _give_up(self, provider: VoiceProvider, attempt: rows.DueAttempt, report: CallReport) -> CallReport:
        """A call that the provider never ends: hang it up and close it, so that its slot comes free."""
        self._run_async(provider.end(report.provider_call_id)).result()
        log.error("call_never_ended attempt_id=%s", attempt.id)
        with self._engine.begin() as connection:
            fact_rows.raise_alarm(connection, kind="call_never_ended", attempt_id=attempt.id, detail=report.phase)
        return replace(report, phase=Phase.REPORTED, verdict=ENDED_UNKNOWN, ended_reason="never ended at the provider")

    def _keep(self, active: Sequence[rows.DueAttempt]) -> None:
        """Calls that go on hold their slots."""
        if active:
            with self._engine.begin() as connection:
                fact_rows.extend_live(connection, [attempt.id for attempt in active], hold=2 * LIVE_MARGIN)

    def _look_again(self, attempts: Sequence[rows.DueAttempt]) -> None:
        """Soon, where only polling tells us."""
        polled = [attempt.id for attempt in attempts if not attempt.webhooks]
        if polled:
            with self._engine.begin() as connection:
                rows.look_again(connection, polled, after=POLL_INTERVAL)


def list_span(attempts: Sequence[rows.DueAttempt]) -> tuple[datetime, datetime]:
    """The span in which the provider must have created these calls, with room for clocks that differ a little."""
    created_from = min(attempt.claimed_at for attempt in attempts) - timedelta(seconds=60)
    created_to = max(attempt.send_by for attempt in attempts) + timedelta(minutes=5)
    return created_from, created_to
