"""The retry ladder: from an attempt's verdict to the call's next step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import CallState

MAX_REQUESTS = 20
"""Requests a call may make in all, tries that surely did not dial included: a poison call ends here."""

CONFIG_TRIES = 3
"""Creates refused for the account's or campaign's settings until the call fails; the account is paused long before."""

BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
)
"""Waits after a try that surely reached nobody (no connection, provider's fault before dialing); the last repeats."""


@dataclass(frozen=True, slots=True)
class RetryRules:
    """A campaign's `retries` block. Without a ladder for an outcome, that outcome ends the call."""

    max_attempts: int = 1
    ladder: Mapping[Outcome, tuple[timedelta, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again no sooner than `wait` from now; hours and law may make it later.

    Rungs are campaign time. Waits for a provider or network to recover are machine time: a rehearsal's fast clock
    does not mend them any sooner.
    """

    wait: timedelta
    machine_time: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The call is over."""

    state: CallState
    reason: str


NextStep = Retry | End

_ENDS: dict[Outcome, CallState] = {
    Outcome.ANSWERED: CallState.COMPLETED,
    Outcome.VOICEMAIL: CallState.EXHAUSTED,
    Outcome.NO_ANSWER: CallState.EXHAUSTED,
    Outcome.BUSY: CallState.EXHAUSTED,
    Outcome.REJECTED: CallState.EXHAUSTED,
    Outcome.INVALID_NUMBER: CallState.FAILED,
    Outcome.CONFIG_ERROR: CallState.FAILED,
    Outcome.PROVIDER_ERROR: CallState.FAILED,
    Outcome.UNKNOWN: CallState.FAILED,
    Outcome.CANCELLED: CallState.CANCELLED,
}
"""Where a call ends when the outcome leads to no further attempt."""


def end_state(outcome: Outcome) -> CallState:
    """Where a call ends whose last attempt came to this."""
    return _ENDS[outcome]


def next_step(verdict: Verdict, *, attempts: int, requests: int, earlier_same: int, rules: RetryRules) -> NextStep:
    """What follows an attempt.

    `attempts`: counted attempts, this one included. `requests`: requests made, this one included.
    `earlier_same`: earlier attempts of the call with the same outcome; it selects the rung.
    """
    end = End(_ENDS[verdict.outcome], reason=verdict.outcome.value)
    if not verdict.retryable:
        return end
    if requests >= MAX_REQUESTS:
        return End(CallState.FAILED, reason="too_many_requests")
    if verdict.outcome is Outcome.CONFIG_ERROR and earlier_same + 1 >= CONFIG_TRIES:
        return end
    rungs = rules.ladder.get(verdict.outcome)
    if rungs is None and not verdict.counts:
        return Retry(BACKOFF[min(earlier_same, len(BACKOFF) - 1)], machine_time=True)
    if (verdict.counts and attempts >= rules.max_attempts) or earlier_same >= len(rungs or ()):
        return end
    return Retry((rungs or ())[earlier_same])
