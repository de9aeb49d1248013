"""Limits hold across feeders, campaigns and failures; and while work is ready they are used."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.services.feed import MOST_PROBES


def numbers(count, *, code="212"):
    return [f"+1{code}55501{index:02d}" for index in range(count)]


def set_limits(world, *, concurrency=100, calls_per_second=1000.0):
    world.sql("UPDATE accounts SET concurrency = :c, calls_per_second = :s", c=concurrency, s=calls_per_second)


def in_flight(world):
    return world.one(
        """SELECT (SELECT count(*) FROM calls WHERE state = 'queued')
            + (SELECT count(*) FROM live WHERE holds_slot)"""
    )


def test_in_flight_never_passes_the_accounts_concurrency(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(20)]
    set_limits(world, concurrency=5)
    world.dial_all()
    world.dial_all()
    assert len(world.provider.dials) == 5
    world.finish(calls[0], Outcome.ANSWERED)
    world.dial_all()
    assert len(world.provider.dials) == 6


def test_eight_feeders_at_once_release_no_more_than_one_would(world):
    campaign = world.campaign()
    for number in numbers(60):
        world.call(campaign, number)
    set_limits(world, concurrency=7)
    with ThreadPoolExecutor(8) as feeders:
        list(feeders.map(lambda _: world.feed.run("g"), range(24)))
    assert in_flight(world) == 7
    ids = [ref.call_id for _, refs in world.publisher.messages for ref in refs]
    assert len(ids) == len(set(ids)) == 7


def test_workers_that_claim_the_same_message_at_once_dial_once(world):
    campaign = world.campaign()
    for number in numbers(30):
        world.call(campaign, number)
    world.feed.run("g")
    messages = world.publisher.messages * 4
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda each: world.dispatch.run(each[1], campaign_id=each[0], task_id="t"), messages))
    for _ in range(20):  # permits that lapsed on a busy machine bring their calls back, undialed
        world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE state = 'scheduled'")
        world.dial_all()
    assert sorted(world.dials_by_number().values()) == [1] * 30


def test_two_accounts_with_one_credential_share_one_limit(world):
    world.sql(
        """INSERT INTO accounts SELECT 'sim-2', provider, limit_group, simulator, concurrency, calls_per_second,
            ring_timeout, max_duration, reconcile_after, webhooks FROM accounts"""
    )
    first, second = world.campaign("one"), world.campaign("two", account="sim-2")
    for number in numbers(10):
        world.call(first, number)
    for number in numbers(10, code="213"):
        world.call(second, number)
    set_limits(world, concurrency=6)
    world.feed.run("g")
    assert in_flight(world) == 6


def test_a_campaigns_own_concurrency_holds_beside_the_accounts(world):
    small, large = world.campaign("small", concurrency=2), world.campaign("large")
    for number in numbers(10):
        world.call(small, number)
    for number in numbers(10, code="213"):
        world.call(large, number)
    set_limits(world, concurrency=8)
    world.feed.run("g")
    released = {
        campaign: sum(len(refs) for c, refs in world.publisher.messages if c == campaign) for campaign in (small, large)
    }
    assert released == {small: 2, large: 6}


def test_no_more_is_released_than_the_pace_can_send_in_a_second(world):
    campaign = world.campaign()
    for number in numbers(20):
        world.call(campaign, number)
    set_limits(world, calls_per_second=3.0)
    assert world.feed.run("g").released == 3
    assert world.feed.run("g").released == 0


def test_a_budget_of_dials_is_never_passed(world):
    campaign = world.campaign(dial_budget=4)
    for number in numbers(10):
        world.call(campaign, number)
    for _ in range(4):
        world.dial_all()
    assert len(world.provider.dials) == 4


def test_a_lines_daily_limit_is_never_passed_and_lines_take_turns(world):
    campaign = world.campaign(line_daily_limit=3)
    for number in numbers(20):
        world.call(campaign, number)
    for _ in range(3):
        world.dial_all()
    used = [request.line for request in world.provider.dials]
    assert sorted(used) == ["line-1"] * 3 + ["line-2"] * 3


def test_a_person_called_again_sees_the_same_line(world):
    campaign = world.campaign()
    call = world.call(campaign, numbers(1)[0])
    for _ in range(2):
        world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE state = 'scheduled'")
        world.dial_all()
        world.finish(call, Outcome.NO_ANSWER, retryable=True)
    first, second = world.provider.dials
    assert first.line == second.line


def test_a_higher_priority_goes_first(world):
    low, high = world.campaign("low"), world.campaign("high", priority=5)
    for number in numbers(10):
        world.call(low, number)
    for number in numbers(10, code="213"):
        world.call(high, number)
    set_limits(world, concurrency=10)
    world.feed.run("g")
    assert {campaign for campaign, _ in world.publisher.messages} == {high}


def test_calls_whose_window_closes_soonest_go_first(world):
    campaign = world.campaign()
    late, soon = (world.call(campaign, number) for number in numbers(2))
    world.sql(
        """WITH east AS (INSERT INTO zone_groups (run_id, key) SELECT id, 'east' FROM runs RETURNING id)
        UPDATE calls SET closes_at = '2026-12-02T20:00:00Z', group_id = east.id FROM east WHERE calls.id = :id""",
        id=soon,
    )
    set_limits(world, concurrency=1)
    world.feed.run("g")
    assert (world.state(soon), world.state(late)) == ("queued", "scheduled")


@pytest.mark.parametrize(
    ("calls_per_second", "released", "messages"), [(25.0, 25, 25), (26.0, 3, 1), (1000.0, 26, 1), (1000.0, 120, 2)]
)
def test_an_ordinary_account_sends_a_message_a_call_and_a_fast_one_groups(world, calls_per_second, released, messages):
    campaign = world.campaign()
    for number in [*numbers(min(released, 60)), *numbers(max(0, released - 60), code="213")]:
        world.call(campaign, number)
    set_limits(world, concurrency=released, calls_per_second=calls_per_second)
    world.feed.run("g")
    assert len(world.publisher.messages) == messages


def test_without_a_worker_feed_stops_releasing_and_keeps_a_few_probes_in_the_queue(world):
    campaign = world.campaign()
    for number in numbers(10):
        world.call(campaign, number)
    set_limits(world, concurrency=3)
    world.feed.run("g")
    world.publisher.messages.clear()
    world.sql("UPDATE accounts SET released_at = released_at - interval '11 seconds'")
    world.pass_time(timedelta(seconds=16))
    world.rescue.run()
    for _ in range(MOST_PROBES + 5):
        assert world.feed.run("g").held_by == "no_worker"
    assert world.publisher.messages == [(campaign, [])] * MOST_PROBES
    world.deliver()
    assert world.feed.run("g").released == 3


def test_an_unknown_fate_keeps_its_slot_until_no_call_can_be_live(world):
    from campaigns.providers.contract import FateUnknown

    world.provider.answer = lambda request: FateUnknown("lost")
    world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    assert in_flight(world) == 1
    world.pass_time(timedelta(minutes=13))
    world.rescue.run()
    assert in_flight(world) == 0


def test_the_stop_switch_holds_everything(world):
    call = world.call(world.campaign(), numbers(1)[0])
    world.feed.run("g")
    world.sql("UPDATE system SET stopped = true")
    world.deliver()
    assert world.provider.dials == []
    assert world.state(call) == "scheduled"
    assert world.feed.run("g").held_by == "stopped"
