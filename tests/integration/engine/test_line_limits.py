"""Most dials of a line in a day and in any sixty minutes: by whomever, and whenever they are counted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from campaigns.runtime.law import gatekeeper
from campaigns.services.why import Why
from campaigns.store.line_use import lock_lines


def numbers(count, *, code="212"):
    return [f"+1{code}55501{index:02d}" for index in range(count)]


def one_line(world, name="spring", line="line-9", **columns):
    """A campaign that calls from one line."""
    campaign = world.campaign(name, **columns)
    world.sql("UPDATE campaigns SET lines = ARRAY[CAST(:line AS text)] WHERE id = :id", line=line, id=campaign)
    return campaign


def dial_all(world, times=4):
    for _ in range(times):
        world.dial_all()


def age_attempts(world, by):
    """Let campaign time pass for all that was dialed."""
    world.sql("UPDATE attempts SET campaign_at = campaign_at - CAST(:by AS interval)", by=by)


def test_an_hourly_limit_is_never_passed_and_lines_take_turns(world):
    campaign = world.campaign(line_hourly_limit=3)
    for number in numbers(20):
        world.call(campaign, number)
    dial_all(world)
    assert sorted(request.line for request in world.provider.dials) == ["line-1"] * 3 + ["line-2"] * 3


def test_an_hour_is_any_sixty_minutes_and_not_one_of_the_clock(world):
    campaign = one_line(world, line_hourly_limit=2)
    for number in numbers(10):
        world.call(campaign, number)
    dial_all(world)
    age_attempts(world, timedelta(minutes=59))
    dial_all(world)
    assert len(world.provider.dials) == 2
    age_attempts(world, timedelta(minutes=2))
    dial_all(world)
    assert len(world.provider.dials) == 4


def test_of_a_daily_and_an_hourly_limit_the_tighter_one_holds(world):
    campaign = one_line(world, line_hourly_limit=2, line_daily_limit=3)
    for number in numbers(10):
        world.call(campaign, number)
    dial_all(world)
    assert len(world.provider.dials) == 2
    age_attempts(world, timedelta(hours=2))
    dial_all(world)
    assert len(world.provider.dials) == 3


def test_calls_that_find_no_line_wait_and_spend_nothing(world):
    campaign = one_line(world, line_hourly_limit=1)
    calls = [world.call(campaign, number) for number in numbers(3)]
    dial_all(world)
    assert sorted(world.state(call) for call in calls) == ["in_progress", "scheduled", "scheduled"]
    waiting = "SELECT DISTINCT attempts, requests, reason FROM calls WHERE state = 'scheduled'"
    assert world.sql(waiting) == [(0, 0, None)]


def test_a_dial_that_was_claimed_before_midnight_and_left_after_it_counts_for_the_new_day(world):
    campaign = one_line(world, line_daily_limit=1)
    first, second = (world.call(campaign, number) for number in numbers(2))
    dial_all(world)
    world.sql("UPDATE attempts SET campaign_at = '2026-12-02T23:59:59.6Z'")
    world.set_campaign_clock(campaign, "2026-12-03T00:00:05Z")  # seven in the evening in New York
    dial_all(world)
    assert (world.state(first), world.state(second)) == ("in_progress", "scheduled")
    world.sql("UPDATE attempts SET campaign_at = '2026-12-02T23:59:58.5Z'")
    dial_all(world)
    assert world.state(second) == "in_progress"


def test_campaigns_that_share_a_line_share_its_limits(world):
    daily = one_line(world, "one", line_daily_limit=3)
    hourly = one_line(world, "two", line_hourly_limit=3)
    for number in numbers(4):
        world.call(daily, number)
    for number in numbers(4, code="213"):
        world.call(hourly, number)
    dial_all(world)
    assert len(world.provider.dials) == 3


def test_two_accounts_that_share_a_line_do_not_both_take_its_last_dials(world):
    world.sql(
        """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second, ring_timeout,
            max_duration, reconcile_after, webhooks)
        SELECT 'sim-2', provider, 'g2', simulator, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    first = one_line(world, "one", line_daily_limit=5)
    second = one_line(world, "two", line_daily_limit=5, account="sim-2")
    for number in numbers(10):
        world.call(first, number)
    for number in numbers(10, code="213"):
        world.call(second, number)
    with ThreadPoolExecutor(2) as feeders:
        with world.database.begin() as somebody:  # both have begun, and neither has counted, when the lines are let go
            lock_lines(somebody, ["line-9"])
            fed = [feeders.submit(world.feed.run, group) for group in ("g", "g2")]
            while world.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'") < 2:
                assert not any(each.done() for each in fed)
        released = sum(each.result().released for each in fed)
    assert released == 5


def test_why_says_that_every_line_has_made_its_calls_of_the_hour(world):
    campaign = one_line(world, line_hourly_limit=1, line_daily_limit=9)
    for number in numbers(2):
        world.call(campaign, number)
    dial_all(world)
    held = [hold.what for hold in Why(world.database, gatekeeper()).campaign("spring").holds]
    assert held == ["every line has made its 1 calls of the last sixty minutes"]
