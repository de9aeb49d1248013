"""A provider that is full: nobody is lost, nobody spends an attempt, and the rate comes back by itself."""

from datetime import timedelta
from itertools import pairwise

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, FateUnknown, NotDialed, NotDialedKind, Phase, Placed, Trouble
from campaigns.runtime.law import gatekeeper
from campaigns.services.account_notes import RECOVERY, SLOWEST
from campaigns.services.record import Fact
from campaigns.services.status import campaign_status
from campaigns.services.why import Why

NEW_YORK = "+12125550123"
LATE_STEP = timedelta(seconds=60)


def numbers(count):
    return [f"+12125550{index:03d}" for index in range(100, 100 + count)]


def refusing(kind, message="no", **values):
    return lambda request: NotDialed(kind, message, **values)


def accepting(request):
    return Placed(f"call-{request.attempt_id}")


def wait_out(world):
    """The cool-down passes, and every wait of a call."""
    world.sql("UPDATE accounts SET cooldown_until = NULL")
    world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE state = 'scheduled'")
    world.sql("UPDATE pace SET next_at = clock_timestamp(), gaps = '[]'")


def share(world):
    return world.one("SELECT rate_share FROM accounts WHERE name = 'sim'")


def later(world, duration):
    """The rate was last changed that much longer ago."""
    world.sql("UPDATE accounts SET rate_changed_at = rate_changed_at - :duration", duration=duration)


def ended(world, call, outcome, *, trouble=None, reason="because", counts=True, retryable=False):
    """The provider accepted the call and now says how it ended."""
    attempt = world.newest_attempt(call)
    verdict = Verdict(outcome, retryable, counts)
    world.receive(CallReport(f"call-{attempt}", attempt, Phase.REPORTED, verdict, ended_reason=reason, trouble=trouble))


# --- slower and faster --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [NotDialedKind.RATE_LIMITED, NotDialedKind.CAPACITY])
def test_a_full_provider_halves_the_rate_and_costs_nobody_an_attempt(world, kind):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = refusing(kind)
    world.dial_all()
    assert share(world) == 0.5
    assert (world.state(call), world.attempt_states(call)) == ("scheduled", ["not_dialed"])
    assert world.sql("SELECT attempts, requests FROM calls") == [(0, 0)]


def test_many_refusals_of_one_moment_halve_the_rate_once(world):
    campaign = world.campaign()
    for number in numbers(20):
        world.call(campaign, number)
    world.provider.answer = refusing(NotDialedKind.RATE_LIMITED)
    world.dial_all()
    assert len(world.provider.dials) == 20
    assert share(world) == 0.5


def test_a_refusal_that_comes_while_the_account_cools_down_changes_nothing(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = refusing(NotDialedKind.RATE_LIMITED)
    world.dial_all()
    world.recorder.run([Fact(world.newest_attempt(call), NotDialed(NotDialedKind.RATE_LIMITED, "429"))])
    assert share(world) == 0.5


def test_the_rate_is_never_cut_to_nothing(world):
    world.call(world.campaign(), NEW_YORK)
    world.provider.answer = refusing(NotDialedKind.RATE_LIMITED)
    for _ in range(10):
        world.dial_all()
        wait_out(world)
    assert share(world) == SLOWEST


def test_successes_bring_the_full_rate_back_within_minutes(world):
    world.sql("UPDATE accounts SET rate_share = :slowest", slowest=SLOWEST)
    campaign = world.campaign()
    shares = []
    for number in numbers(int(RECOVERY / LATE_STEP) + 1):
        world.call(campaign, number)
        later(world, LATE_STEP)
        wait_out(world)
        world.dial_all()
        shares.append(share(world))
    assert shares == sorted(shares)
    assert shares[0] < 0.25
    assert shares[-1] == 1


def test_a_success_after_a_quiet_night_does_not_bring_all_of_it_back(world):
    world.sql("UPDATE accounts SET rate_share = :slowest", slowest=SLOWEST)
    world.call(world.campaign(), NEW_YORK)
    later(world, timedelta(hours=8))
    world.dial_all()
    assert share(world) < 0.25


def test_no_answer_of_unknown_fate_brings_the_rate_back(world):
    world.sql("UPDATE accounts SET rate_share = 0.5")
    world.call(world.campaign(), NEW_YORK)
    later(world, timedelta(hours=8))
    world.provider.answer = lambda request: FateUnknown("500")
    world.dial_all()
    assert share(world) == 0.5


def test_feed_and_pace_keep_to_the_slower_rate(world):
    campaign = world.campaign()
    for number in numbers(30):
        world.call(campaign, number)
    world.sql("UPDATE accounts SET calls_per_second = 16, rate_share = 0.25")
    assert world.feed.run("g").released == 4
    left_at = []
    world.provider.answer = lambda request: left_at.append(world.dispatch._clock()) or accepting(request)
    world.deliver()
    assert len(left_at) == 4
    assert all(second - first >= 0.2 for first, second in pairwise(left_at))


def test_accounts_that_share_a_credential_slow_down_together(world):
    world.sql(
        """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second, ring_timeout,
            max_duration, reconcile_after, webhooks)
        SELECT 'sim-2', provider, limit_group, simulator, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    world.call(world.campaign(), NEW_YORK)
    world.provider.answer = refusing(NotDialedKind.RATE_LIMITED)
    world.dial_all()
    assert world.sql("SELECT rate_share FROM accounts") == [(0.5,), (0.5,)]


def test_a_call_that_ended_for_want_of_room_slows_the_account_once_and_is_tried_again(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    for _ in range(2):  # the report comes twice
        ended(world, call, Outcome.PROVIDER_ERROR, trouble=Trouble.FULL, counts=False, retryable=True)
    assert share(world) == 0.5
    assert world.feed.run("g").held_by == "cooling_down"
    assert (world.state(call), world.sql("SELECT attempts, requests FROM calls")) == ("scheduled", [(0, 0)])


def test_a_provider_that_says_that_this_was_the_last_one_is_given_a_pause_but_no_lower_rate(world):
    campaign = world.campaign()
    for number in numbers(2):
        world.call(campaign, number)
    world.sql("UPDATE accounts SET concurrency = 1")
    world.provider.answer = lambda request: Placed("call-1", rate_spent=True)
    world.dial_all()
    assert world.feed.run("g").held_by == "cooling_down"
    assert share(world) == 1


def test_through_a_storm_of_refusals_everybody_is_dialed_once_and_the_rate_comes_back(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(40)]
    answered = {"dials": 0}

    def answer(request):
        answered["dials"] += 1
        full = answered["dials"] % 3 if answered["dials"] <= 90 else 0
        return NotDialed(NotDialedKind.RATE_LIMITED, "429") if full else accepting(request)

    world.provider.answer = answer
    slowest = 1.0
    for _ in range(60):
        world.dial_all()
        slowest = min(slowest, share(world))
        later(world, LATE_STEP)
        wait_out(world)
    assert slowest <= 0.25
    assert {world.state(call) for call in calls} == {"in_progress"}
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(1, 1)]
    assert world.one("SELECT max(n) FROM (SELECT count(*) n FROM attempts WHERE counts GROUP BY call_id) x") == 1
    for number in numbers(50)[40:]:
        world.call(campaign, number)
        later(world, LATE_STEP)
        wait_out(world)
        world.dial_all()
    assert share(world) == 1


def test_status_and_why_say_that_the_account_is_slowed(world):
    world.call(world.campaign(), NEW_YORK)
    world.sql("UPDATE accounts SET calls_per_second = 2, rate_share = 0.25")
    sentence = "slowed to 0.5 calls a second, for the provider said that it was full"
    assert campaign_status(world.database, "spring").held_by == sentence
    assert sentence in [hold.what for hold in Why(world.database, gatekeeper()).campaign("spring").holds]
