"""Calls that a provider holds: they count for every limit, and end there when somebody says no."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import Phase
from campaigns.services.revoke import Revoke
from tests.integration.engine.holding import ANN, BEN, CID, LONGEST, Holding, wednesday_noon

# --- limits ------------------------------------------------------------------------------------------------------


def test_no_more_are_handed_over_than_have_a_slot_at_that_time(holding: Holding) -> None:
    holding.world.sql("UPDATE accounts SET concurrency = 2")
    at = wednesday_noon()
    calls = holding.campaign(ANN, BEN, CID, at=at)
    for _ in range(2):
        holding.schedule.run()
    assert len(holding.provider.numbers) == 2
    assert [holding.world.state(call) for call in calls] == ["in_progress", "in_progress", "scheduled"]
    (later,) = holding.campaign("+12125550104", at=at + timedelta(minutes=30) + LONGEST, name="later")
    holding.schedule.run()
    assert holding.world.state(later) == "in_progress", "the earlier ones are surely over by then"


def test_held_calls_take_their_slot_when_the_longest_call_could_still_be_going_on(holding: Holding) -> None:
    world = holding.world
    world.sql("UPDATE accounts SET concurrency = 2")
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    assert world.live_numbers() == {ANN: False}
    holding.bring_near(call, starts_in=LONGEST - timedelta(seconds=5))
    spring = world.campaign()
    for number in (BEN, CID):
        world.call(spring, number)
    assert world.feed.run("g").released == 1
    assert world.live_numbers()[ANN]


def test_calls_going_on_now_count_against_a_span_that_begins_soon(holding: Holding) -> None:
    world = holding.world
    world.sql("UPDATE accounts SET concurrency = 1")
    world.call(world.campaign(), BEN)
    world.dial_all()
    soon = holding.campaign(ANN, at=datetime.now(UTC) + timedelta(minutes=1))[0]
    holding.schedule.run()
    assert world.state(soon) == "scheduled"
    late = holding.campaign(CID, at=wednesday_noon(), name="late")[0]
    holding.schedule.run()
    assert world.state(late) == "in_progress"


def test_a_line_with_a_daily_limit_gets_no_more_than_that(holding: Holding) -> None:
    calls = holding.campaign(ANN, BEN, CID, at=wednesday_noon())
    holding.world.sql("UPDATE campaigns SET line_daily_limit = 1")
    for _ in range(3):
        holding.schedule.run()
    assert sorted(holding.world.state(call) for call in calls) == ["in_progress", "in_progress", "scheduled"]
    assert {request.line for requests, _ in holding.provider.handed for request in requests} == {"line-1", "line-2"}


def test_a_slow_account_hands_over_slowly_and_spreads_the_times(holding: Holding) -> None:
    holding.world.sql("UPDATE accounts SET calls_per_second = 1")
    at = wednesday_noon()
    holding.campaign(ANN, BEN, at=at)
    assert holding.schedule.run() == 1
    holding.world.sql("DELETE FROM pace")
    assert holding.schedule.run() == 1
    assert [span.due_from - at for _, span in holding.provider.handed] == [timedelta(0), timedelta(seconds=1)]


# --- before their time -------------------------------------------------------------------------------------------


def test_a_held_call_locks_its_number_and_counts_for_the_other_campaigns_gap(holding: Holding) -> None:
    holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    call = holding.world.call(holding.world.campaign(), ANN)
    holding.world.dial_all()
    assert (holding.world.state(call), holding.world.provider.dials) == ("scheduled", [])


def test_before_its_time_a_held_call_is_neither_silent_nor_endless(holding: Holding) -> None:
    world = holding.world
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    holding.says(call, Phase.QUEUED)
    world.provider.listed = holding.provider.listed
    assert holding.attempt(call).check_at >= holding.attempt(call).provider_due_from
    world.pass_time(timedelta(hours=30))
    world.sql("UPDATE attempts SET check_at = clock_timestamp()")
    world.poll.run()
    world.rescue.run()
    assert (world.state(call), world.provider.ended, set(world.live_numbers())) == ("in_progress", [], {ANN})


def test_after_its_time_it_ends_like_any_call(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    holding.world.finish(call, Outcome.ANSWERED)
    assert (holding.world.state(call), holding.world.live_numbers()) == ("completed", {})


def test_a_revocation_before_its_time_cancels_it_at_the_provider(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    revoked = Revoke(holding.world.database, operator="ann", wait=lambda _: None).run(ANN)
    assert revoked.asked_back == 1
    holding.says(call, Phase.QUEUED)
    assert holding.ask_back() == 1
    assert holding.provider.ended == [f"call-{holding.attempt(call).id}"]
    holding.world.receive(holding.world.report(call, Phase.REPORTED, Verdict(Outcome.CANCELLED, False, False)))
    assert holding.world.state(call) == "cancelled"


@pytest.mark.parametrize("switch", ["pause", "cancel", "stop"])
def test_pause_cancel_and_stop_cancel_it_at_the_provider(holding: Holding, switch: str) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    control = holding.control()
    acts = {"pause": lambda: control.pause("held"), "cancel": lambda: control.cancel("held"), "stop": control.stop_all}
    assert acts[switch]().asked_back == 1
    holding.says(call, Phase.QUEUED)
    assert holding.ask_back() == 1
    assert holding.provider.ended == [f"call-{holding.attempt(call).id}"]
    ((asked_by, settled_as),) = holding.world.sql("SELECT asked_by, settled_as FROM provider_cancels")
    assert (asked_by, settled_as) == ("ann", "cancelled")


def test_pausing_one_campaign_leaves_the_held_calls_of_others(holding: Holding) -> None:
    holding.campaign(ANN, at=wednesday_noon())
    holding.campaign(BEN, at=wednesday_noon(), name="other")
    holding.schedule.run()
    assert holding.control().pause("other").asked_back == 1
    assert holding.world.one("SELECT t.number FROM provider_cancels JOIN attempts t ON t.id = attempt_id") == BEN


def test_a_call_that_rings_already_is_left_alone(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    holding.control().stop_all()
    holding.says(call, Phase.RINGING)
    assert holding.ask_back() == 0
    assert holding.provider.ended == []
