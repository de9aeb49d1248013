"""What a fact about an attempt changes: pure, so that every order of facts can be tried.

Facts arrive late, twice and out of order: our own 201, webhooks, polls, listings. They are keyed by attempt,
always accepted, and only ever move an attempt forward.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from campaigns.calls.hang_ups import is_hang_up
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import (
    AnsweredBy,
    CallReport,
    DialResult,
    FateUnknown,
    NotDialed,
    NotDialedKind,
    Phase,
    Placed,
    Trouble,
)
from campaigns.services.answered_by import ANSWERED, corrected, joined_word, told_apart


@dataclass(frozen=True, slots=True)
class AttemptView:
    """An attempt as the fold sees it."""

    id: UUID
    state: AttemptState
    provider_call_id: str | None
    connected: bool
    outcome: Outcome | None = None
    disposition: str | None = None
    ended_reason: str | None = None
    detail: str | None = None
    duration: timedelta | None = None
    cost_usd: float | None = None
    hung_up: bool = False
    rang: bool = False
    """The phone rang, or somebody talked, at some time."""
    late_cancel: bool = False
    """We asked the provider to take the call back because it had not rung in time."""
    late_cancelled: bool = False
    """And the provider said that it did."""
    asked_back: bool = False
    """The same because its person revoked."""
    answered_by: AnsweredBy | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt after a fact. `verdict` set: the attempt is over and the call takes its next step."""

    attempt: AttemptView
    verdict: Verdict | None = None
    wait: timedelta | None = None
    """For a try that surely did not dial: the least time to wait, machine clock; None: the ladder's backoff."""
    contended: bool = False
    """The try failed for lack of room, not for a fault: it leaves no outcome and does not use the call up."""
    reason: str | None = None
    """Why the call ends, where the outcome's own word does not say it."""
    alarm: str | None = None


_NOT_DIALED: dict[NotDialedKind, tuple[Verdict, timedelta | None]] = {
    NotDialedKind.PERMIT_LAPSED: (Verdict(Outcome.PROVIDER_ERROR, True, False), timedelta(0)),
    NotDialedKind.NO_CONNECTION: (Verdict(Outcome.PROVIDER_ERROR, True, False), None),
    NotDialedKind.CAPACITY: (Verdict(Outcome.PROVIDER_ERROR, True, False), timedelta(seconds=10)),
    NotDialedKind.RATE_LIMITED: (Verdict(Outcome.PROVIDER_ERROR, True, False), timedelta(seconds=60)),
    # The feed knows by then that this line is closed, and gives another one, or none until it opens.
    NotDialedKind.LINE_LIMIT: (Verdict(Outcome.PROVIDER_ERROR, True, False), timedelta(seconds=10)),
    NotDialedKind.LINE_UNFIT: (Verdict(Outcome.PROVIDER_ERROR, True, False), timedelta(seconds=10)),
    # No call's fault, and the account is paused after a few of them.
    NotDialedKind.CREDENTIALS: (Verdict(Outcome.CONFIG_ERROR, True, False), timedelta(minutes=10)),
    # Nothing was dialed and the settings may be mended soon: the call waits a few times before it fails.
    NotDialedKind.CONFIG_ERROR: (Verdict(Outcome.CONFIG_ERROR, True, False), timedelta(minutes=10)),
    NotDialedKind.INVALID_NUMBER: (Verdict(Outcome.INVALID_NUMBER, False, False), None),
}
"""What each certain "not dialed" means for the call, and the least wait when the provider names none."""

CONTENTION = frozenset(
    {
        NotDialedKind.PERMIT_LAPSED,
        NotDialedKind.CAPACITY,
        NotDialedKind.RATE_LIMITED,
        NotDialedKind.LINE_LIMIT,
        NotDialedKind.LINE_UNFIT,
        NotDialedKind.CREDENTIALS,
    }
)
"""Not for want of anything in the call: such tries never use it up."""

_WAIT_AFTER: dict[Trouble, timedelta] = {
    Trouble.FULL: timedelta(seconds=10),
    Trouble.LINE_SPENT: timedelta(seconds=10),
    Trouble.LINE_UNFIT: timedelta(seconds=10),
    Trouble.CREDENTIALS: timedelta(minutes=10),
}
"""The same refusals, told by the end of a call that the provider had accepted: nobody's phone rang."""


_UNKNOWN = Verdict(Outcome.UNKNOWN, retryable=False, counts=True)
"""For an end of which nothing is told."""


def settle_dial(attempt: AttemptView, result: DialResult) -> Settled:
    """Apply what the provider answered to our own request."""
    if isinstance(result, Placed):
        return _placed(attempt, result.provider_call_id)
    if attempt.state not in (AttemptState.DIALING, AttemptState.FATE_UNKNOWN):
        # A webhook was quicker than the answer: what it said is firmer than a lost answer.
        contradiction = isinstance(result, NotDialed) and attempt.provider_call_id is not None
        return Settled(attempt, alarm="not_dialed_but_reported" if contradiction else None)
    if isinstance(result, FateUnknown):
        return Settled(replace(attempt, state=AttemptState.FATE_UNKNOWN, detail=result.message))
    verdict, wait = _NOT_DIALED[result.kind]
    contended = result.kind in CONTENTION
    outcome = None if contended else verdict.outcome
    closed = replace(attempt, state=AttemptState.NOT_DIALED, outcome=outcome, detail=f"{result.kind}: {result.message}")
    return Settled(closed, verdict, wait=result.retry_after or wait, contended=contended)


def settle_report(attempt: AttemptView, report: CallReport) -> Settled:
    """Apply what the provider says of the call, however it reached us."""
    alarm = _second_id(attempt, report.provider_call_id)
    if alarm is not None:
        return Settled(attempt, alarm=alarm)
    if attempt.state is AttemptState.NOT_DIALED:
        return _adopted(settle_report(_undone(attempt), report))
    report = _as_taken_back(attempt, report)
    told = replace(
        attempt,
        provider_call_id=report.provider_call_id,
        connected=attempt.connected or report.phase is Phase.CONNECTED,
        rang=attempt.rang or _shows_ringing(report),
        answered_by=joined_word(attempt.answered_by, report.answered_by),
        ended_reason=report.ended_reason or attempt.ended_reason,
        duration=report.duration or attempt.duration,
        cost_usd=report.cost_usd if report.cost_usd is not None else attempt.cost_usd,
        # Asked anew with every report: the first one of an end often lacks the duration.
        hung_up=is_hang_up(
            ended_by_customer=report.ended_by_customer or attempt.hung_up,
            duration=report.duration or attempt.duration,
        ),
    )
    if is_given_up(attempt):
        return replace(settle_report(_reopened(attempt), report), alarm="late_report_of_unknown_attempt")
    if attempt.state is AttemptState.CLOSED:
        return _late(attempt, told, report)
    if report.phase is Phase.REPORTED:
        return _closed(told, report)
    if report.phase is Phase.ENDED:
        outcome = report.verdict.outcome if report.verdict else told.outcome
        return _ended(replace(told, state=AttemptState.ENDED, outcome=outcome), report)
    if attempt.state is AttemptState.ENDED:
        return _ended(told, report)
    return Settled(replace(told, state=AttemptState.IN_PROGRESS))


def _ended(told: AttemptView, report: CallReport) -> Settled:
    """Over, and the report is awaited; who answered is all that was missing of an answered call."""
    if told.outcome is Outcome.ANSWERED and told.answered_by is not None:
        return _closed(told, replace(report, phase=Phase.REPORTED, verdict=ANSWERED))
    return Settled(told)


def _as_taken_back(attempt: AttemptView, report: CallReport) -> CallReport:
    """A gateway has one word for a phone that rang out and for a call that we took back before it rang.

    Of a late call it is the second only if the gateway said that it took the call back: what we merely asked for may
    have rung out all the same, and then it counts.
    """
    ours = (attempt.late_cancelled or attempt.asked_back) and not (attempt.rang or attempt.connected)
    if not ours or report.verdict is None or report.verdict.outcome is not Outcome.NO_ANSWER:
        return report
    return replace(report, verdict=Verdict(Outcome.CANCELLED, retryable=False, counts=True))


def close_unknown(attempt: AttemptView, *, detail: str) -> AttemptView:
    """End an attempt whose outcome nobody will ever tell us."""
    return replace(attempt, state=AttemptState.CLOSED, outcome=Outcome.UNKNOWN, detail=detail)


def _placed(attempt: AttemptView, provider_call_id: str) -> Settled:
    alarm = _second_id(attempt, provider_call_id)
    if alarm is not None:
        return Settled(attempt, alarm=alarm)
    if attempt.state is AttemptState.NOT_DIALED:
        return _adopted(_placed(_undone(attempt), provider_call_id))
    if attempt.state in (AttemptState.DIALING, AttemptState.FATE_UNKNOWN):
        return Settled(replace(attempt, state=AttemptState.IN_PROGRESS, provider_call_id=provider_call_id))
    if is_given_up(attempt):
        return replace(_placed(_reopened(attempt), provider_call_id), alarm="late_answer_of_unknown_attempt")
    return Settled(replace(attempt, provider_call_id=provider_call_id))


def _undone(attempt: AttemptView) -> AttemptView:
    """As it was before the answer "not dialed"; `detail` keeps what that answer said."""
    return replace(attempt, state=AttemptState.DIALING, outcome=None)


def _adopted(settled: Settled) -> Settled:
    """The provider said that it had not dialed, and now shows the call: believe the call, and say so loudly."""
    return replace(settled, alarm="reported_but_not_dialed")


def is_given_up(attempt: AttemptView) -> bool:
    """Closed without a trace of it at the provider: after a redial, its call is one that nobody counted on."""
    return (
        attempt.state is AttemptState.CLOSED and attempt.outcome is Outcome.UNKNOWN and attempt.provider_call_id is None
    )


def _reopened(attempt: AttemptView) -> AttemptView:
    """As it was before it was given up: its fate is known now, and it may even be alive."""
    return replace(attempt, state=AttemptState.FATE_UNKNOWN, outcome=None)


def _closed(told: AttemptView, report: CallReport) -> Settled:
    verdict = told_apart(report.verdict or _UNKNOWN, told.answered_by)
    if report.trouble in _WAIT_AFTER and not told.connected:
        closed = replace(told, state=AttemptState.CLOSED, outcome=verdict.outcome)
        again = Verdict(verdict.outcome, retryable=True, counts=False)
        return Settled(closed, again, wait=_WAIT_AFTER[report.trouble], contended=True)
    if told.connected and verdict.outcome is Outcome.PROVIDER_ERROR:
        # The person picked up and heard silence: ringing again would be a second call in their pocket.
        verdict = Verdict(Outcome.PROVIDER_ERROR, retryable=False, counts=True)
    elif told.late_cancel and verdict.outcome is Outcome.CANCELLED and not (told.rang or told.connected):
        # Taken back by us before any phone rang: the person may be called, and has not been.
        verdict = Verdict(Outcome.PROVIDER_ERROR, retryable=True, counts=False)
    return Settled(replace(told, state=AttemptState.CLOSED, outcome=verdict.outcome), verdict)


_RUNG_FOR = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.REJECTED})
"""Outcomes that no phone has without ringing."""


def _shows_ringing(report: CallReport) -> bool:
    if report.phase in (Phase.RINGING, Phase.CONNECTED) or report.duration:
        return True
    return report.verdict is not None and report.verdict.outcome in _RUNG_FOR


def _late(attempt: AttemptView, told: AttemptView, report: CallReport) -> Settled:
    """A report for an attempt that is over: usually a duplicate. A person may have closed it without the call's id."""
    if told.answered_by is not attempt.answered_by:
        return _late_word(attempt, told)
    if attempt.outcome is not Outcome.UNKNOWN or report.phase.rank < Phase.ENDED.rank:
        return Settled(replace(attempt, provider_call_id=told.provider_call_id))
    verdict = told_apart(report.verdict or _UNKNOWN, told.answered_by)
    return Settled(replace(told, outcome=verdict.outcome))


def _late_word(attempt: AttemptView, told: AttemptView) -> Settled:
    """Who answered, told after the call took its next step: a machine changes only what is on record, and a person who
    was taken for a machine stops the next try."""
    outcome = corrected(attempt.outcome, told.answered_by)
    view = replace(
        attempt, provider_call_id=told.provider_call_id, answered_by=told.answered_by, connected=True, outcome=outcome
    )
    was_reached = attempt.outcome is Outcome.VOICEMAIL and outcome is Outcome.ANSWERED
    return Settled(view, ANSWERED if was_reached else None)


def _second_id(attempt: AttemptView, provider_call_id: str) -> str | None:
    """One attempt, one provider call. A second id means that somebody was called twice: say so loudly."""
    if attempt.provider_call_id is not None and attempt.provider_call_id != provider_call_id:
        return "second_provider_call"
    return None
