"""What follows an attempt."""

from datetime import timedelta

import pytest

from campaigns.calls.ladder import BACKOFF, CONFIG_TRIES, MAX_REQUESTS, End, Retry, RetryRules, next_step
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import CallState

RULES = RetryRules(max_attempts=4, ladder={Outcome.NO_ANSWER: (timedelta(hours=2), timedelta(hours=27))})
NO_ANSWER = Verdict(Outcome.NO_ANSWER, retryable=True, counts=True)
NO_CONTACT = Verdict(Outcome.PROVIDER_ERROR, retryable=True, counts=False)


def step(verdict, *, attempts=1, requests=1, earlier_same=0, rules=RULES):
    return next_step(verdict, attempts=attempts, requests=requests, earlier_same=earlier_same, rules=rules)


@pytest.mark.parametrize(("earlier_same", "wait"), [(0, timedelta(hours=2)), (1, timedelta(hours=27))])
def test_the_rung_is_the_number_of_earlier_attempts_with_that_outcome(earlier_same, wait):
    assert step(NO_ANSWER, attempts=2, earlier_same=earlier_same) == Retry(wait)


def test_a_spent_ladder_exhausts_the_call():
    assert step(NO_ANSWER, attempts=3, earlier_same=2) == End(CallState.EXHAUSTED, "no_answer")


def test_max_attempts_ends_a_ladder_early():
    assert step(NO_ANSWER, attempts=4) == End(CallState.EXHAUSTED, "no_answer")


def test_an_outcome_without_a_ladder_ends_the_call():
    assert step(Verdict(Outcome.BUSY, True, True)) == End(CallState.EXHAUSTED, "busy")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.ANSWERED, CallState.COMPLETED),
        (Outcome.REJECTED, CallState.EXHAUSTED),
        (Outcome.INVALID_NUMBER, CallState.FAILED),
        (Outcome.CONFIG_ERROR, CallState.FAILED),
        (Outcome.UNKNOWN, CallState.FAILED),
        (Outcome.CANCELLED, CallState.CANCELLED),
    ],
)
def test_outcomes_that_end_a_call(outcome, state):
    assert step(Verdict(outcome, retryable=False, counts=True)) == End(state, outcome.value)


def test_a_try_that_reached_nobody_waits_on_the_machines_clock_and_ever_longer():
    waits = [step(NO_CONTACT, earlier_same=tries) for tries in range(6)]
    assert waits == [Retry(wait, machine_time=True) for wait in (*BACKOFF, BACKOFF[-1], BACKOFF[-1])]


def test_a_poison_call_ends_after_the_most_requests():
    assert step(NO_CONTACT, requests=MAX_REQUESTS) == End(CallState.FAILED, "too_many_requests")


def test_refused_settings_fail_a_call_only_after_a_few_tries():
    refused = Verdict(Outcome.CONFIG_ERROR, retryable=True, counts=False)
    assert isinstance(step(refused, earlier_same=CONFIG_TRIES - 2), Retry)
    assert step(refused, earlier_same=CONFIG_TRIES - 1) == End(CallState.FAILED, "config_error")


def test_a_campaigns_own_ladder_for_provider_errors_is_followed():
    rules = RetryRules(max_attempts=1, ladder={Outcome.PROVIDER_ERROR: (timedelta(minutes=3),)})
    assert step(NO_CONTACT, rules=rules) == Retry(timedelta(minutes=3))
    assert step(NO_CONTACT, earlier_same=1, rules=rules) == End(CallState.FAILED, "provider_error")
