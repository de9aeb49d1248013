"""Pacing: whatever the order of requests, no rolling second holds more dials than its limit."""

import math

from hypothesis import given
from hypothesis import strategies as st

from campaigns.calls.pacing import Scope, allot, spacing

START = 1_800_000_000.0
rates = st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 50.0, 500.0])


def most_in_a_second(instants):
    ordered = sorted(instants)
    return max((sum(first <= each < first + 1 for each in ordered[i:]) for i, first in enumerate(ordered)), default=0)


def fresh(rate):
    return Scope(START, spacing(rate))


@given(rates, st.lists(st.tuples(st.integers(1, 20), st.floats(0, 3)), max_size=15))
def test_no_rolling_second_exceeds_the_limit_of_one_scope(rate, asks):
    scope, now, taken = fresh(rate), START, []
    for count, pause in asks:
        now += pause
        instants, (scope,) = allot([scope], now=now, count=count)
        assert all(instant >= now for instant in instants)
        taken += instants
    assert most_in_a_second(taken) <= math.ceil(rate)


@given(rates, rates, rates, st.lists(st.tuples(st.booleans(), st.integers(1, 10), st.floats(0, 2)), max_size=15))
def test_campaigns_on_one_account_keep_their_own_limits_and_its(account_rate, first_rate, second_rate, asks):
    account = fresh(account_rate)
    own = {True: fresh(first_rate), False: fresh(second_rate)}
    now, taken = START, {True: [], False: []}
    for which, count, pause in asks:
        now += pause
        instants, (account, own[which]) = allot([account, own[which]], now=now, count=count)
        taken[which] += instants
    assert most_in_a_second(taken[True] + taken[False]) <= math.ceil(account_rate)
    assert most_in_a_second(taken[True]) <= math.ceil(first_rate)
    assert most_in_a_second(taken[False]) <= math.ceil(second_rate)


def test_a_slow_campaign_leaves_the_accounts_time_to_others():
    account, slow = fresh(50), fresh(1)
    _, (account, slow) = allot([account, slow], now=START, count=5)
    instants, _ = allot([account], now=START, count=100)
    assert instants[-1] - START < 106 / 50 * 1.02


def test_slow_rates_are_not_rounded_up():
    instants, _ = allot([fresh(1 / 60)], now=START, count=3)
    assert [round(instant - START, 3) for instant in instants] == [0.0, 61.2, 122.4]


def test_ready_work_uses_the_limit():
    instants, _ = allot([fresh(50)], now=START, count=500)
    assert 500 / (instants[-1] - START) > 0.97 * 50


def test_nothing_is_taken_beyond_the_horizon():
    instants, (scope,) = allot([fresh(2)], now=START, count=10, until=START + 0.5)
    assert instants == [START]
    assert scope.first_free(START) == START + spacing(2)
