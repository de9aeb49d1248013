"""Unknown fates: looked for, never dialed again by themselves."""

from datetime import timedelta

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import FateUnknown, Phase, Placed
from campaigns.services.record import Fact

NEW_YORK = "+12125550101"
NEW_YORK_2 = "+12125550102"
UNKNOWN = FateUnknown("the connection was lost after the request")


def test_an_unknown_fate_is_never_dialed_again_by_itself(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    for _ in range(5):
        world.reconcile.run()
        world.rescue.run()
        world.dial_all()
    assert world.state(call) == "fate_unknown"
    assert world.dials_by_number() == {NEW_YORK: 1}
    assert world.one("SELECT needs_person FROM attempts") is True


def test_an_unknown_fate_that_the_provider_lists_is_adopted(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    world.reconcile.run()
    assert world.state(call) == "in_progress"
    world.finish(call, Outcome.ANSWERED)
    assert world.state(call) == "completed"


def test_one_listing_or_an_incomplete_one_proves_nothing(world):
    call = world.call(world.campaign(ambiguous="redial"), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.provider.complete = False
    for _ in range(4):
        world.reconcile.run()
    world.provider.complete = True
    world.reconcile.run()
    assert world.state(call) == "fate_unknown"
    world.reconcile.run()
    assert world.state(call) == "scheduled"


def test_redial_is_a_new_attempt_and_the_old_one_still_counts_for_caps(world):
    call = world.call(world.campaign(ambiguous="redial"), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.reconcile.run()
    world.reconcile.run()
    world.provider.answer = type(world.provider)().answer
    world.dial_all()
    assert world.attempt_states(call) == ["closed", "in_progress"]
    assert world.one("SELECT count(*) FROM attempts WHERE counts") == 2


def test_a_dial_that_fell_silent_becomes_an_unknown_fate_not_a_second_dial(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    world.claim.run(refs, campaign_id=campaign_id, task_id="t")  # and the worker dies here
    assert world.state(call) == "dialing"
    world.rescue.run()
    assert world.state(call) == "dialing"
    world.pass_time(timedelta(seconds=40))
    world.rescue.run()
    assert world.state(call) == "fate_unknown"
    world.dial_all()
    assert world.provider.dials == []


def test_our_own_late_answer_brings_an_unknown_fate_back(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    claimed = world.claim.run(refs, campaign_id=campaign_id, task_id="t")
    world.pass_time(timedelta(seconds=40))
    world.rescue.run()
    world.recorder.run([Fact(claimed.calls[0].attempt_id, Placed("late"))])
    assert world.state(call) == "in_progress"


def test_after_latest_at_a_waiting_call_expires_and_an_unknown_fate_fails(world):
    campaign = world.campaign()
    lost = world.call(campaign, NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    waiting = world.call(campaign, NEW_YORK_2)
    world.sql("UPDATE runs SET latest_at = '2026-12-02T16:00:00Z'")
    world.rescue.run()
    assert (world.state(waiting), world.reason(waiting)) == ("expired", "latest_at")
    assert (world.state(lost), world.reason(lost)) == ("failed", "fate_unknown")
    world.rescue.run()
    assert world.one("SELECT state FROM runs") == "finished"
