"""Turns: taken by the group, given up when missed, and no call is lost or charged for want of one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count, pairwise

import pytest
from sqlalchemy import text

from campaigns.calls.pacing import spacing
from campaigns.services.machine_clock import monotonic
from campaigns.services.pace import BLURRED_WAIT, GATHERING, Pace
from campaigns.store.feed import lock_accounts
from campaigns.store.pace import lock_scopes

SCOPE = "account:g"


def numbers(count):
    return [f"+121255501{index:02d}" for index in range(count)]


def set_rate(world, rate):
    world.sql("UPDATE accounts SET calls_per_second = :rate", rate=rate)
    return {SCOPE: spacing(rate)}


def test_a_group_waits_until_turns_enough_for_it_lie_together(world):
    spacings, pace = set_rate(world, 400.0), Pace(world.database)
    taken = [pace.reserve(spacings, most=50, lead=0.0) for _ in range(200)]
    assert any(not each.turns for each in taken)  # faster than the pace
    assert all(each.wait > 0 for each in taken if not each.turns)
    assert all(len(each.turns) >= int(400 * GATHERING / 1.03) for each in taken if each.turns)


def test_a_small_group_does_not_wait_for_more_turns_than_it_has_calls(world):
    spacings, pace = set_rate(world, 400.0), Pace(world.database)
    assert len(pace.reserve(spacings, most=2, lead=0.0).turns) == 2


def test_who_missed_a_turn_after_which_nobody_has_one_need_not_wait_for_a_whole_spacing(world):
    spacings, pace = set_rate(world, 0.5), Pace(world.database)
    (missed,) = pace.reserve(spacings, most=1, lead=0.0).turns
    while monotonic() <= missed.until:
        pass  # until it is missed
    (turn,) = pace.take(spacings, 1, until=monotonic() + 1, missed=[missed])
    assert turn.at - missed.at < 1.0
    assert pace.take(spacings, 1, until=monotonic() + 1) == []


def test_a_turn_that_was_missed_in_the_middle_is_lost_and_no_later_one_comes_too_close(world):
    spacings, pace = set_rate(world, 20.0), Pace(world.database)
    first, *rest = pace.reserve(spacings, most=3, lead=0.0).turns
    while monotonic() <= first.until:
        pass
    (turn,) = pace.take(spacings, 1, until=monotonic() + 1, missed=[first])
    taken = sorted([turn.taken, *(each.taken for each in rest)])
    assert all(later - earlier >= 0.05 for earlier, later in pairwise(taken))


def test_without_a_precise_reading_of_the_databases_clock_no_turn_is_taken(world):
    readings = count()
    blurred = Pace(world.database, clock=lambda: 1000.0 + next(readings) * 0.05)
    reserved = blurred.reserve(set_rate(world, 20.0), most=5, lead=0.0)
    assert (reserved.turns, reserved.wait) == ((), BLURRED_WAIT)
    assert blurred.take({SCOPE: spacing(20.0)}, 1, until=1e9) == []


@pytest.mark.parametrize("rate", [1000.0, 10.0])
def test_a_pace_that_somebody_holds_for_longer_than_the_lock_time_out_loses_no_call(world, rate):
    spacings, campaign = set_rate(world, rate), world.campaign()
    calls = [world.call(campaign, number) for number in numbers(3)]
    Pace(world.database).reserve(spacings, most=1, lead=0.0)
    world.feed.run("g")
    with ThreadPoolExecutor(1) as worker:
        with world.database.begin() as somebody:
            somebody.execute(text("SELECT FROM pace FOR UPDATE"))
            dispatched = worker.submit(world.deliver)
            while not world.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                assert not dispatched.done()
            somebody.execute(text("SELECT pg_sleep(1.5)"))
        dispatched.result()
    assert {world.state(call) for call in calls} == {"in_progress"}
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(1, 1)]


def test_a_call_whose_turn_is_far_off_gets_a_due_time_and_spends_nothing(world):
    spacings, campaign = set_rate(world, 0.1), world.campaign()
    call = world.call(campaign, numbers(1)[0])
    world.feed.run("g")
    Pace(world.database).reserve(spacings, most=1, lead=0.0)  # another campaign was quicker
    world.deliver()
    assert (world.state(call), world.attempt_states(call)) == ("scheduled", [])
    ((due_in, attempts, requests),) = world.sql(
        "SELECT due_at - campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed), q.attempts, q.requests "
        "FROM calls q JOIN campaigns c ON c.id = q.campaign_id"
    )
    assert timedelta(seconds=5) < due_in < timedelta(seconds=11)
    assert (attempts, requests) == (0, 0)


def test_a_worker_that_is_told_to_stop_gives_its_unclaimed_calls_back_at_once(world):
    set_rate(world, 1000.0)
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(3)]
    world.feed.run("g")
    world.dispatch.stop()
    world.deliver()
    assert {world.state(call) for call in calls} == {"scheduled"}
    assert world.provider.dials == []
    world.dispatch._stopping.clear()  # as the next worker, which has just started
    world.dial_all()
    assert sorted(world.dials_by_number().values()) == [1, 1, 1]


def test_calls_beyond_the_turns_of_a_claim_spend_no_attempt(world):
    """The gate took so long that all turns are over and the pace has none within the permits' second."""
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(3)]
    set_rate(world, 1000.0)
    world.feed.run("g")
    run = world.claim.run

    def slow(*arguments, **options):
        set_rate(world, 0.2)
        world.sql("UPDATE pace SET next_at = clock_timestamp() + interval '4 seconds', gaps = '[]'")
        claimed = run(*arguments, **options)
        with world.database.begin() as connection:
            connection.execute(text("SELECT pg_sleep(0.4)"))
        return claimed

    world.claim.run = slow
    world.deliver()
    assert world.provider.dials == []
    assert {world.state(call) for call in calls} == {"scheduled"}
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(0, 0)]


def test_a_claim_that_takes_longer_than_its_turns_lie_ahead_does_not_wait_for_a_whole_spacing(world):
    """Else a busy database, where every claim does, would dial nothing at all for an account with a slow pace."""
    set_rate(world, 0.2)
    call = world.call(world.campaign(), numbers(1)[0])
    world.feed.run("g")
    run = world.claim.run

    def slow(*arguments, **options):
        claimed = run(*arguments, **options)
        with world.database.begin() as connection:
            connection.execute(text("SELECT pg_sleep(0.3)"))
        return claimed

    world.claim.run = slow
    world.deliver()
    assert world.state(call) == "in_progress"


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param(lambda connection: lock_scopes(connection, [SCOPE]), id="pace"),
        pytest.param(lambda connection: lock_accounts(connection, "g"), id="account"),
    ],
)
def test_a_process_that_is_frozen_with_what_every_worker_needs_holds_it_for_a_second(world, lock):
    Pace(world.database).reserve(set_rate(world, 20.0), most=1, lead=0.0)
    with world.database.begin() as connection:
        lock(connection)
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "1s"
