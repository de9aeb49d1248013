"""What providers tell us: twice, late, out of order, or not at all."""

from datetime import timedelta
from uuid import uuid4

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, Phase

NEW_YORK = "+12125550101"


def test_an_ended_call_frees_its_slot_at_once_and_its_number_with_the_report(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.receive(world.report(call, Phase.ENDED))
    assert world.live_numbers() == {NEW_YORK: False}
    assert world.state(call) == "in_progress"
    assert "g" in world.publisher.feeds_requested
    world.finish(call, Outcome.ANSWERED)
    assert world.live_numbers() == {}


def test_reports_twice_late_and_out_of_order_make_one_outcome(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    final = world.report(call, Phase.REPORTED, Verdict(Outcome.NO_ANSWER, True, True))
    world.receive(final, key="a")
    world.receive(final, key="b")
    world.receive(world.report(call, Phase.RINGING), key="c")
    world.receive(world.report(call, Phase.ENDED), key="d")
    assert world.state(call) == "scheduled"
    assert world.one("SELECT attempts FROM calls WHERE id = :id", id=call) == 1
    assert world.one("SELECT count(*) FROM alarms") == 0


def test_a_second_provider_call_for_one_attempt_raises_an_alarm(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.receive(world.report(call, Phase.CONNECTED, provider_call_id="another"))
    assert world.one("SELECT kind FROM alarms") == "second_provider_call"


def test_a_report_of_a_call_that_is_not_ours_waits_and_never_makes_an_attempt(world):
    world.receive(CallReport("foreign", uuid4(), Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True)))
    assert world.one("SELECT state FROM inbox") == "unmatched"
    world.pass_time(timedelta(hours=25))
    world.inbox.process()
    assert world.one("SELECT state FROM inbox") == "foreign"
    assert world.one("SELECT count(*) FROM attempts") == 0


def test_a_person_who_picked_up_is_not_rung_again_for_the_providers_fault(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.receive(world.report(call, Phase.CONNECTED))
    world.finish(call, Outcome.PROVIDER_ERROR, retryable=True, counts=False)
    assert (world.state(call), world.reason(call)) == ("failed", "provider_error")


def test_lost_webhooks_are_made_good_by_polling(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True))]
    world.poll.run()
    assert world.state(call) == "in_progress"
    world.pass_time(timedelta(minutes=13))
    world.poll.run()
    assert world.state(call) == "completed"


def test_a_call_that_the_provider_never_ends_is_hung_up_and_its_slot_comes_free(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    world.pass_time(timedelta(minutes=23))
    world.poll.run()
    assert (world.state(call), world.reason(call)) == ("failed", "unknown")
    assert world.provider.ended == [f"call-{world.newest_attempt(call)}"]
    assert world.live_numbers() == {}
