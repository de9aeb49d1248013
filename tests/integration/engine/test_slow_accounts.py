"""A provider that is full, a line that is spent, settings that are refused: nobody is lost, and it passes by itself."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, FateUnknown, NotDialed, NotDialedKind, Phase, Placed, Trouble
from campaigns.runtime.law import gatekeeper
from campaigns.services.account_notes import RECOVERY, REFUSALS_IN_A_ROW, SLOWEST
from campaigns.services.control import Control
from campaigns.services.record import Fact
from campaigns.services.status import campaign_status
from campaigns.services.why import Why

NEW_YORK = "+12125550123"
LONDON = "+442079460123"
TORONTO = "+14165550123"
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


def control(world):
    return Control(world.database, operator="ann", wait=lambda duration: None)


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


# --- lines --------------------------------------------------------------------------------------------------------


def test_a_line_that_is_spent_for_the_day_leaves_its_customer_to_another_line_at_once(world):
    call = world.call(world.campaign(), NEW_YORK, line="line-1")
    world.provider.answer = lambda request: (
        NotDialed(NotDialedKind.LINE_LIMIT, "400: daily limit") if request.line == "line-1" else accepting(request)
    )
    world.dial_all()
    waits = world.one("SELECT due_at - campaign_now(clock_campaign_at, clock_machine_at, clock_speed) FROM calls q "
                      "JOIN campaigns c ON c.id = q.campaign_id")  # fmt: skip
    assert waits <= timedelta(seconds=10)
    wait_out(world)
    world.dial_all()
    assert [request.line for request in world.provider.dials] == ["line-1", "line-2"]
    assert (world.state(call), world.sql("SELECT attempts, requests FROM calls")) == ("in_progress", [(1, 1)])


def test_a_line_that_is_spent_is_closed_until_midnight_utc_also_when_an_end_tells(world):
    call = world.call(world.campaign(), NEW_YORK, line="line-1")
    world.dial_all()
    ended(world, call, Outcome.PROVIDER_ERROR, trouble=Trouble.LINE_SPENT, counts=False, retryable=True)
    assert world.one(
        """SELECT held_until = date_trunc('day', clock_timestamp(), 'UTC') + interval '1 day'
        FROM line_holds WHERE line = 'line-1'"""
    )
    wait_out(world)
    world.dial_all()
    assert [request.line for request in world.provider.dials] == ["line-1", "line-2"]
    assert world.sql("SELECT attempts, requests FROM calls") == [(1, 1)]


def told_by_refusal(world, call):
    world.provider.answer = lambda request: (
        NotDialed(NotDialedKind.LINE_UNFIT, "400: no international calls")
        if request.line == "line-1"
        else accepting(request)
    )
    world.dial_all()


def told_by_end(world, call):
    world.dial_all()
    ended(world, call, Outcome.CONFIG_ERROR, trouble=Trouble.LINE_UNFIT, counts=False)


@pytest.mark.parametrize("tell", [told_by_refusal, told_by_end])
def test_a_line_that_calls_no_other_country_leaves_it_to_one_that_does(world, tell):
    campaign = world.campaign()
    call = world.call(campaign, LONDON, line="line-1")
    world.claim._gatekeeper = _AtHome(world.gate)
    tell(world, call)
    wait_out(world)
    world.dial_all()
    assert [request.line for request in world.provider.dials] == ["line-1", "line-2"]
    assert (world.state(call), world.sql("SELECT attempts, requests FROM calls")) == ("in_progress", [(1, 1)])
    assert world.one("SELECT count(*) FROM alarms WHERE kind = 'line_unfit'") == 1
    assert world.one("SELECT state FROM campaigns") == "active"


def test_where_no_line_can_call_a_country_its_calls_end_with_that_reason_and_hold_up_nobody(world):
    campaign = world.campaign(lines=["line-1"])
    world.sql("INSERT INTO line_bars VALUES ('line-1', 'GB', clock_timestamp() + interval '1 hour')")
    abroad = [world.call(campaign, f"+4420794601{n:02d}") for n in range(20)]
    home = world.call(campaign, NEW_YORK)
    world.sql("UPDATE accounts SET concurrency = 4")
    for _ in range(7):
        world.dial_all()
    assert {(world.state(call), world.reason(call)) for call in abroad} == {("failed", "no_line_for_country")}
    assert world.state(home) == "in_progress"
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_line_barred_for_canada_still_calls_the_united_states(world):
    campaign = world.campaign(lines=["line-1"])
    world.sql("INSERT INTO line_bars VALUES ('line-1', 'CA', clock_timestamp() + interval '1 hour')")
    canada, home = world.call(campaign, TORONTO), world.call(campaign, NEW_YORK)
    world.dial_all()
    assert (world.state(canada), world.state(home)) == ("failed", "in_progress")


def test_a_line_is_asked_again_tomorrow_and_its_daily_cap_holds_meanwhile(world):
    campaign = world.campaign(line_daily_limit=1)
    world.sql("INSERT INTO line_bars VALUES ('line-1', 'US', clock_timestamp() - interval '1 second')")
    for number in numbers(3):
        world.call(campaign, number)
    world.dial_all()
    assert sorted(request.line for request in world.provider.dials) == ["line-1", "line-2"]


class _AtHome:
    """The gate, which takes every number for one in New York: it knows no windows of other countries yet."""

    def __init__(self, gate):
        self._gate = gate

    def decide_call(self, facts, *, now):
        return self._gate.decide_call(replace(facts, number=NEW_YORK), now=now)

    def __getattr__(self, name):
        return getattr(self._gate, name)


# --- settings and credentials -------------------------------------------------------------------------------------


def test_a_refused_key_pauses_the_account_with_the_providers_words_and_uses_no_call_up(world):
    first, second = world.campaign("one"), world.campaign("two")
    calls = [world.call(campaign, number) for campaign, number in zip([first, second] * 3, numbers(6), strict=True)]
    world.provider.answer = refusing(NotDialedKind.CREDENTIALS, "401: Invalid Key. Hot tip")
    world.dial_all()
    reason = world.one("SELECT paused_reason FROM accounts")
    assert "5 calls in a row" in reason
    assert "Invalid Key. Hot tip" in reason
    assert world.sql("SELECT DISTINCT state FROM campaigns") == [("active",)]
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(0, 0)]
    assert world.one("SELECT kind FROM alarms") == "account_paused"
    for _ in range(4):  # mended badly, four times over
        control(world).resume("one")
        wait_out(world)
        world.dial_all()
    assert {world.state(call) for call in calls} == {"scheduled"}
    world.provider.answer = accepting
    control(world).resume("two")
    wait_out(world)
    world.dial_all()
    assert {world.state(call) for call in calls} == {"in_progress"}


def test_refused_settings_pause_their_campaign_and_no_other(world):
    wrong, right = world.campaign("wrong"), world.campaign("right")
    for number in numbers(8):
        world.call(wrong, number)
    good = world.call(right, NEW_YORK)
    world.provider.answer = lambda request: (
        accepting(request)
        if request.number == NEW_YORK
        else NotDialed(NotDialedKind.CONFIG_ERROR, "404: assistant not found")
    )
    world.dial_all()
    state, reason = world.sql("SELECT state, state_reason FROM campaigns WHERE name = 'wrong'")[0]
    assert state == "paused"
    assert "404: assistant not found" in reason
    assert world.one("SELECT paused_reason FROM accounts") is None
    assert world.one("SELECT state FROM campaigns WHERE name = 'right'") == "active"
    assert world.state(good) == "in_progress"
    assert "404: assistant not found" in campaign_status(world.database, "wrong").held_by


def test_resume_starts_the_counting_anew(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(REFUSALS_IN_A_ROW)]
    world.provider.answer = refusing(NotDialedKind.CONFIG_ERROR)
    world.dial_all()
    assert control(world).resume("spring").changed
    assert world.one("SELECT config_errors FROM campaigns") == 0
    wait_out(world)
    world.provider.answer = accepting
    world.dial_all()
    assert {world.state(call) for call in calls} == {"in_progress"}


def test_a_success_in_between_breaks_the_row(world):
    campaign = world.campaign()
    world.sql("UPDATE accounts SET concurrency = 1")
    for round_, number in enumerate(numbers(3 * REFUSALS_IN_A_ROW)):
        world.call(campaign, number)
        good = round_ % REFUSALS_IN_A_ROW == REFUSALS_IN_A_ROW - 1
        world.provider.answer = accepting if good else refusing(NotDialedKind.CONFIG_ERROR)
        world.dial_all()
        world.sql("DELETE FROM live")
    assert world.one("SELECT state FROM campaigns") == "active"


def test_calls_that_all_end_for_the_same_setting_pause_the_campaign_although_each_was_accepted(world):
    campaign = world.campaign()
    for number in numbers(REFUSALS_IN_A_ROW):
        call = world.call(campaign, number)
        world.dial_all()
        ended(world, call, Outcome.CONFIG_ERROR, reason="assistant-not-found", counts=False)
    state, reason = world.sql("SELECT state, state_reason FROM campaigns")[0]
    assert state == "paused"
    assert "assistant-not-found" in reason


@pytest.mark.parametrize(("between", "state"), [(Outcome.ANSWERED, "active"), (Outcome.NO_ANSWER, "paused")])
def test_only_a_conversation_shows_that_the_settings_work(world, between, state):
    campaign = world.campaign()
    for index, number in enumerate(numbers(REFUSALS_IN_A_ROW + 1)):
        call = world.call(campaign, number)
        world.dial_all()
        ended(world, call, between if index == 2 else Outcome.CONFIG_ERROR, counts=False)
    assert world.one("SELECT state FROM campaigns") == state


def test_a_frozen_subscription_pauses_the_account_and_fails_nobody(world):
    campaign = world.campaign()
    calls = []
    for number in numbers(REFUSALS_IN_A_ROW):
        calls.append(world.call(campaign, number))
        world.dial_all()
        reason = "call.start.error-subscription-frozen"
        ended(world, calls[-1], Outcome.CONFIG_ERROR, trouble=Trouble.CREDENTIALS, reason=reason, counts=False)
    assert "subscription-frozen" in world.one("SELECT paused_reason FROM accounts")
    assert {world.state(call) for call in calls} == {"scheduled"}
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(0, 0)]
