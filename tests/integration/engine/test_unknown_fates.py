"""Unknown fates: looked for, never dialed again by themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
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


@pytest.mark.parametrize("how", ["list", "webhook"])
def test_who_turns_out_to_have_been_reached_after_latest_at_is_told_of_by_an_alarm(world, how):
    """Their call is `failed` for good, so that nobody who reads its end alone takes them for not called."""
    call = an_unknown_fate(world)
    world.sql("UPDATE runs SET latest_at = '2026-12-02T16:00:00Z'")
    world.rescue.run()
    report = world.report(call, Phase.REPORTED, Verdict(Outcome.ANSWERED, retryable=False, counts=True))
    if how == "list":
        world.provider.listed = [report]
        world.reconcile.run()
    else:
        world.receive(report)
        world.receive(report, key="again")
    assert (world.state(call), world.reason(call)) == ("failed", "fate_unknown")
    assert world.sql("SELECT state, outcome FROM attempts") == [("closed", "answered")]
    assert world.sql("SELECT kind FROM alarms") == [("found_after_latest_at",)]


# --- how each provider can be asked ----------------------------------------------------------------------------------


def an_unknown_fate(world, **campaign):
    call = world.call(world.campaign(**campaign), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    return call


def lists_nothing(world):
    world.provider.capabilities = replace(world.provider.capabilities, lists_calls=False)


@pytest.mark.parametrize("ambiguous", ["hold", "redial"])
def test_where_nothing_can_be_listed_a_person_is_asked_at_once_and_nobody_redialed(world, ambiguous):
    lists_nothing(world)
    call = an_unknown_fate(world, ambiguous=ambiguous)
    assert world.reconcile.run().held == 1
    assert world.one("SELECT needs_person FROM attempts") is True
    for _ in range(4):
        world.pass_time(timedelta(hours=2))
        world.reconcile.run()
        world.dial_all()
    assert world.state(call) == "fate_unknown"
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_webhook_still_ends_a_fate_that_waits_for_a_person(world):
    lists_nothing(world)
    call = an_unknown_fate(world)
    world.reconcile.run()
    world.receive(world.report(call, Phase.CONNECTED))
    assert world.state(call) == "in_progress"
    assert world.one("SELECT needs_person FROM attempts") is False, "there is nothing left to decide"
    world.finish(call, Outcome.ANSWERED)
    assert world.state(call) == "completed"


def test_a_call_that_is_another_attempts_already_is_not_found_twice(world):
    """A provider that keeps only number and time of a call shows the redial to whoever looks for the first attempt."""
    call = an_unknown_fate(world)
    first = world.newest_attempt(call)
    taken = world.call(world.campaign("other"), NEW_YORK_2)
    world.provider.answer = type(world.provider)().answer
    world.dial_all()
    mistaken = replace(world.report(taken, Phase.CONNECTED), attempt_id=first)
    world.provider.listed = [mistaken]
    for _ in range(3):
        world.reconcile.run()
    assert world.state(call) == "fate_unknown"
    assert world.one("SELECT provider_call_id FROM attempts WHERE id = :id", id=first) is None


def test_one_call_that_may_be_either_of_two_attempts_proves_nothing_of_both(world):
    campaign = world.campaign(ambiguous="redial")
    calls = [world.call(campaign, number) for number in (NEW_YORK, NEW_YORK_2)]
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED, provider_call_id="one") for call in calls]
    for _ in range(4):
        world.reconcile.run()
    assert [world.state(call) for call in calls] == ["fate_unknown"] * 2
    world.pass_time(timedelta(minutes=23))
    world.reconcile.run()
    assert world.one("SELECT count(*) FROM attempts WHERE needs_person") == 2


def test_what_no_look_ever_proves_is_put_before_a_person_and_one_complete_look_redials_nobody(world):
    call = an_unknown_fate(world, ambiguous="redial")
    world.provider.complete = False
    world.reconcile.run()
    assert world.one("SELECT needs_person FROM attempts") is False
    world.pass_time(timedelta(minutes=23))
    world.reconcile.run()
    assert world.one("SELECT needs_person FROM attempts") is True
    world.provider.complete = True
    world.pass_time(timedelta(hours=2))
    world.reconcile.run()
    assert world.state(call) == "fate_unknown"


# --- heard of after all, when the redial is already planned ----------------------------------------------------------


def a_planned_redial(world):
    """A call that waits for its redial, and the attempt that was given up for it."""
    call = an_unknown_fate(world, ambiguous="redial")
    world.reconcile.run()
    world.reconcile.run()
    assert world.state(call) == "scheduled"
    world.provider.answer = type(world.provider)().answer
    return call


def given(outcome, *, retryable=False):
    return Verdict(outcome, retryable=retryable, counts=True)


@pytest.mark.parametrize("released", [False, True])
def test_a_person_who_was_reached_after_all_is_not_redialed(world, released):
    call = a_planned_redial(world)
    if released:
        world.feed.run("g")
        assert world.state(call) == "queued"
    world.receive(world.report(call, Phase.REPORTED, given(Outcome.ANSWERED)))
    assert (world.state(call), world.reason(call)) == ("completed", "answered")
    assert world.one("SELECT attempts FROM calls") == 1, "the attempt that was taken off is spent after all"
    world.deliver()
    world.dial_all()
    assert world.dials_by_number() == {NEW_YORK: 1}
    assert world.one("SELECT kind FROM alarms") == "late_report_of_unknown_attempt"


@pytest.mark.parametrize("released", [False, True])
def test_a_call_that_is_live_after_all_holds_its_number_and_takes_the_redial_back(world, released):
    call = a_planned_redial(world)
    if released:
        world.feed.run("g")
    world.receive(world.report(call, Phase.CONNECTED))
    assert world.state(call) == "in_progress"
    assert world.live_numbers() == {NEW_YORK: True}
    world.deliver()
    world.dial_all()
    assert world.dials_by_number() == {NEW_YORK: 1}
    world.finish(call, Outcome.ANSWERED)
    assert world.state(call) == "completed"
    assert world.live_numbers() == {}


def test_a_call_that_rang_in_vain_after_all_goes_on_by_its_ladder(world):
    call = a_planned_redial(world)
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    assert world.state(call) == "scheduled"
    assert world.one("SELECT due_at > '2026-12-02T18:55:00Z' FROM calls"), "two hours after the report, by the ladder"
    assert world.one("SELECT attempts FROM calls") == 1
    world.dial_all()
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_redial_that_has_left_is_not_followed_by_another_once_the_first_attempt_answered(world):
    call = a_planned_redial(world)
    first = world.newest_attempt(call)
    world.dial_all()
    late = replace(world.report(call, Phase.REPORTED, given(Outcome.ANSWERED)), attempt_id=first, provider_call_id="x")
    world.receive(late)
    assert world.state(call) == "in_progress", "what left cannot be unsent"
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    assert (world.state(call), world.reason(call)) == ("cancelled", "earlier_attempt:answered")


def test_a_retry_that_waits_behind_a_redial_is_stopped_by_the_first_attempts_answer(world):
    call = a_planned_redial(world)
    first = world.newest_attempt(call)
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    assert world.state(call) == "scheduled"
    late = replace(world.report(call, Phase.REPORTED, given(Outcome.ANSWERED)), attempt_id=first, provider_call_id="x")
    world.receive(late)
    assert (world.state(call), world.reason(call)) == ("completed", "answered")


def test_two_reports_of_a_given_up_attempt_take_one_step(world):
    call = a_planned_redial(world)
    report = world.report(call, Phase.REPORTED, given(Outcome.VOICEMAIL))
    world.receive(report, key="a")
    world.receive(report, key="b")
    assert (world.state(call), world.reason(call)) == ("exhausted", "voicemail")
    assert world.one("SELECT count(*) FROM alarms") == 1
