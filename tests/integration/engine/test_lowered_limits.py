"""A limit that somebody lowers holds for the next dial, whatever was released or reserved under the old one."""

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.calls.pacing import spacing
from campaigns.services.accounts import sync_accounts
from campaigns.services.machine_clock import monotonic
from campaigns.services.pace import Pace
from campaigns.store.accounts import AccountRecord

ACCOUNT = AccountRecord(
    name="sim", provider="vapi", limit_group="g", simulator=True, concurrency=10, calls_per_second=1000.0,
    ring_timeout=timedelta(minutes=1), max_duration=timedelta(minutes=10),
    reconcile_after=[timedelta(0), timedelta(0)], webhooks=True,
)  # fmt: skip


def numbers(count, *, code="212"):
    return [f"+1{code}55501{index:02d}" for index in range(count)]


@pytest.fixture
def calls(world):
    sync_accounts(world.database, [ACCOUNT])
    campaign = world.campaign()
    return [world.call(campaign, number) for number in numbers(30)]


def live(world):
    return world.one("SELECT count(*) FROM live WHERE holds_slot")


def test_released_calls_are_not_dialed_while_more_are_live_than_the_lower_limit_allows(world, calls):
    world.dial_all()  # ten are live
    for call in calls[:4]:
        world.finish(call, Outcome.ANSWERED)
    assert world.feed.run("g").released == 4  # and their messages are on their way
    sync_accounts(world.database, [replace(ACCOUNT, concurrency=5)])
    world.deliver()
    assert (len(world.provider.dials), live(world)) == (10, 6)
    world.finish(calls[4], Outcome.ANSWERED)
    world.dial_all()
    assert (len(world.provider.dials), live(world)) == (10, 5)
    world.finish(calls[5], Outcome.ANSWERED)
    world.dial_all()
    assert (len(world.provider.dials), live(world)) == (11, 5)


def test_calls_that_were_taken_back_lose_neither_their_attempt_nor_their_turn_in_the_window(world, calls):
    world.feed.run("g")
    due = world.sql("SELECT id, due_at, closes_at FROM calls ORDER BY id")
    sync_accounts(world.database, [replace(ACCOUNT, concurrency=2)])
    assert world.sql("SELECT DISTINCT state, attempts, requests FROM calls") == [("scheduled", 0, 0)]
    assert world.sql("SELECT id, due_at, closes_at FROM calls ORDER BY id") == due
    world.publisher.messages.clear()
    world.dial_all()
    assert live(world) == 2


def test_a_limit_that_is_raised_or_stays_takes_nothing_back(world, calls):
    world.feed.run("g")
    sync_accounts(world.database, [replace(ACCOUNT, concurrency=20)])
    sync_accounts(world.database, [replace(ACCOUNT, concurrency=20, calls_per_second=2000.0)])
    assert world.one("SELECT count(*) FROM calls WHERE state = 'queued'") == 10


def test_no_dial_of_the_old_rate_counts_in_any_second_of_the_new_one(world):
    sync_accounts(world.database, [ACCOUNT])
    pace, old = Pace(world.database), {"account:g": spacing(1000.0)}
    taken = pace.reserve(old, most=50, lead=0.0).turns
    unused = pace.reserve(old, most=20, lead=0.0).turns
    sync_accounts(world.database, [replace(ACCOUNT, calls_per_second=4.0)])
    pace.give_back(old, unused)  # taken at the old rate: they lie too close together for the new one
    later, deadline = [], monotonic() + 10
    while len(later) < 3 and monotonic() < deadline:
        later += pace.reserve(old, most=50, lead=0.3).turns  # a worker remembers the old rate for a second
    assert later[0].at - taken[-1].at >= 1.0
    assert all(second.at - first.at >= 0.25 for first, second in pairwise(later))


def test_another_key_of_the_same_account_does_not_bring_a_second_rate_beside_the_first(world, calls):
    pace = Pace(world.database)
    taken = pace.reserve({"account:g": spacing(1000.0)}, most=50, lead=0.0).turns
    sync_accounts(world.database, [replace(ACCOUNT, limit_group="g2")])
    later = pace.reserve({"account:g2": spacing(1000.0)}, most=50, lead=0.8).turns
    assert all(turn.at - taken[-1].at >= 0.9 for turn in later)


def test_accounts_that_have_one_key_from_now_on_take_back_what_both_released(world, calls):
    other = replace(ACCOUNT, name="other", limit_group="h")
    sync_accounts(world.database, [ACCOUNT, other])
    second = world.campaign("second")
    world.sql("UPDATE campaigns SET account = 'other' WHERE id = :id", id=second)
    for number in numbers(20, code="646"):
        world.call(second, number)
    assert world.feed.run("g").released + world.feed.run("h").released == 20
    sync_accounts(world.database, [ACCOUNT, replace(other, limit_group="g")])
    assert world.feed.run("g").released <= 10
    assert world.one("SELECT count(*) FROM calls WHERE state = 'queued'") <= 10


def test_a_worker_that_remembers_another_key_dials_by_the_turns_of_the_one_in_force(world, calls):
    """Those who know the new key begin a second after the change; a turn of the old one could come beside theirs."""
    (campaign_id,) = world.sql("SELECT id FROM campaigns")[0]
    world.dispatch._looks[campaign_id] = (math.inf, world.dispatch._look(campaign_id))
    sync_accounts(world.database, [replace(ACCOUNT, limit_group="g2", calls_per_second=20.0)])
    changed_at = monotonic()
    deadline = changed_at + 10
    while not world.provider.dials and monotonic() < deadline:
        world.feed.run("g2")
        world.deliver()
    assert world.provider.dials
    assert all(request.permit.left_at - changed_at >= 1.0 for request in world.provider.dials)
