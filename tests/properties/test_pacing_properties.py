"""Pacing: whatever the order of requests, no rolling second holds more dials than its limit."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.calls.pacing import JITTER, Scope, allot, lateness_of, spacing

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


@pytest.mark.parametrize("per_minute", [1, 2, 5, 50 * 60])
def test_slow_rates_are_not_rounded_up(per_minute):
    """The next call after a minute's worth of them comes after that minute, and not much later."""
    instants, _ = allot([fresh(per_minute / 60)], now=START, count=2 * per_minute + 1)
    minutes = [later - first for first, later in zip(instants, instants[per_minute:], strict=False)]
    assert min(minutes) >= 60
    assert max(minutes) <= 60 * 1.04


def test_ready_work_uses_the_limit():
    instants, _ = allot([fresh(50)], now=START, count=500)
    assert 500 / (instants[-1] - START) >= 0.97 * 50


def test_nothing_is_taken_beyond_the_horizon():
    instants, (scope,) = allot([fresh(2)], now=START, count=10, until=START + 0.5)
    assert instants == [START]
    assert scope.first_free(START) == START + spacing(2)


@given(rates, st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_however_late_each_dial_leaves_within_its_tolerance_the_provider_sees_no_more_than_the_limit(rate, delays):
    instants, _ = allot([fresh(rate)], now=START, count=len(delays))
    # All of the jitter: what is ours and what is the way's. The last of it stays unused, for a double is not exact.
    arrived = [instant + 0.999 * JITTER * delay for instant, delay in zip(instants, delays, strict=True)]
    assert most_in_a_second(arrived) <= math.ceil(rate)


@given(rates)
def test_below_one_a_second_a_dial_may_leave_late_by_a_share_of_its_spacing(rate):
    assert 2 * lateness_of(spacing(rate)) <= max(JITTER, spacing(rate) - 1 / rate) + 1e-9


@given(rates, st.lists(st.tuples(st.integers(1, 20), st.floats(0, 0.5), st.integers(0, 20)), max_size=20))
def test_turns_that_are_given_back_are_taken_again_and_never_exceed_the_limit(rate, asks):
    scope, now, dialed = fresh(rate), START, []
    for count, pause, refused in asks:
        now += pause
        instants, (scope,) = allot([scope], now=now, count=count, until=now + 1)
        kept = max(0, len(instants) - refused)
        scope = scope.give_back([instant for instant in instants[kept:] if instant > now])
        dialed += instants[:kept]
    assert most_in_a_second(dialed) <= math.ceil(rate)
    assert all(later - first >= spacing(rate) - 1e-6 for first, later in pairwise(sorted(dialed)))


@given(
    rates,
    rates,
    st.lists(st.tuples(st.booleans(), st.integers(1, 10), st.floats(0, 1), st.integers(0, 9)), max_size=15),
)
def test_turns_of_a_slow_campaign_that_are_given_back_disturb_no_other(account_rate, own_rate, asks):
    account, own, now, dialed, of_own = fresh(account_rate), fresh(own_rate), START, [], []
    for is_own, count, pause, refused in asks:
        now += pause
        scopes = [account, own] if is_own else [account]
        instants, left = allot(scopes, now=now, count=count, until=now + 1)
        back = [instant for instant in instants[max(0, len(instants) - refused) :] if instant > now]
        account, *rest = [scope.give_back(back) for scope in left]
        own = rest[0] if rest else own
        kept = [instant for instant in instants if instant not in back]
        dialed += kept
        of_own += kept if is_own else []
    assert most_in_a_second(dialed) <= math.ceil(account_rate)
    assert most_in_a_second(of_own) <= math.ceil(own_rate)


@given(rates, st.floats(-7200, 7200), st.integers(1, 60))
def test_after_a_pause_new_dials_keep_their_distance_from_all_that_had_turns(rate, step, count):
    taken, (scope,) = allot([fresh(rate)], now=START, count=count, until=START + 0.9)
    # On our own clock: dials that had turns leave at them; the database's clock was set by `step` the moment after.
    later, _ = allot([scope.after_pause(START + step)], now=START + step, count=count)
    assert most_in_a_second([*taken, *(instant - step for instant in later)]) <= math.ceil(rate)


@given(rates, st.floats(0, 1), st.integers(0, 100))
def test_what_dialing_leaves_on_record_is_plausible_and_an_hour_ahead_is_not(rate, lead, count):
    _, (scope,) = allot([fresh(rate)], now=START + lead, count=count, until=START + 1)
    assert scope.is_plausible(START)
    assert scope.after_pause(START).is_plausible(START)
    assert not Scope(START + 3600, spacing(max(rate, 1)), ()).is_plausible(START)
