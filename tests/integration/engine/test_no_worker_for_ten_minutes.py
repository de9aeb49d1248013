"""No worker is alive for ten minutes: what waits in Valkey depends on the limits, and not on the time."""

import base64
import json
from datetime import timedelta

from campaigns.runtime.publisher import publisher_at
from campaigns.services.feed import MOST_PROBES, QUEUED_LEASE, STARVED_AFTER, Feed
from campaigns.services.ports import CallRef
from config.celery_settings import DISPATCH_QUEUE

CALLS_PER_SECOND = 20
LEAP = timedelta(seconds=5)
"""Shorter than a lease and than the time after which no worker is expected any more."""
TICKS_A_LEAP = 3
MINUTE = timedelta(minutes=1)


def some_calls(world):
    campaign = world.campaign()
    for index in range(3 * CALLS_PER_SECOND):
        world.call(campaign, f"+12125550{index:03d}")
    world.sql("UPDATE accounts SET concurrency = 100, calls_per_second = :rate", rate=CALLS_PER_SECOND)
    return campaign


def pass_minutes(world, feed, minutes):
    """Ticks go on, leases lapse and are returned; nobody takes a message."""
    for _ in range(minutes * (MINUTE // LEAP)):
        for _ in range(TICKS_A_LEAP):
            feed.run("g")
        world.rescue.run()
        world.pass_time(LEAP)
        world.sql("UPDATE accounts SET released_at = released_at - :leap", leap=LEAP)


def test_ten_minutes_without_a_worker_leave_no_more_messages_than_one(world, valkey, valkey_url):
    some_calls(world)
    feed = Feed(world.database, publisher_at(valkey_url))
    pass_minutes(world, feed, 1)
    after_one = valkey.llen(DISPATCH_QUEUE)
    pass_minutes(world, feed, 9)
    assert valkey.llen(DISPATCH_QUEUE) == after_one
    releases = 1 + STARVED_AFTER // QUEUED_LEASE
    assert after_one <= CALLS_PER_SECOND * releases + MOST_PROBES


def test_whoever_comes_back_is_given_work_by_the_next_tick(world, valkey, valkey_url):
    some_calls(world)
    feed = Feed(world.database, publisher_at(valkey_url))
    pass_minutes(world, feed, 2)
    assert feed.run("g").held_by == "no_worker"
    while (message := valkey.lpop(DISPATCH_QUEUE)) is not None:
        _, arguments, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
        refs = [CallRef(*call) for call in arguments["calls"]]
        world.dispatch.run(refs, campaign_id=arguments["campaign_id"], task_id="t")
    assert world.dials_by_number() == {}  # every message was of an older epoch
    assert feed.run("g").released == CALLS_PER_SECOND
