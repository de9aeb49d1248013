"""However long nobody was there to look: what was left behind a year ago is found like what was left a minute ago."""

from datetime import timedelta
from typing import Any

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import FateUnknown, Phase, Receipt

NEW_YORK = "+12125550101"
A_YEAR = timedelta(days=365)
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)


def a_call(world: Any) -> int:
    call: int = world.call(world.campaign(), NEW_YORK)
    return call


def test_a_lease_that_lapsed_a_year_ago_goes_back(world: Any) -> None:
    call = a_call(world)
    world.feed.run("g")
    world.pass_time(A_YEAR)
    world.rescue.run()
    assert world.state(call) == "scheduled"


def test_a_dial_that_fell_silent_a_year_ago_has_an_unknown_fate(world: Any) -> None:
    call = a_call(world)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    world.claim.run(refs, campaign_id=campaign_id, task_id="t")  # and the worker dies here
    world.pass_time(A_YEAR)
    world.rescue.run()
    assert world.state(call) == "fate_unknown"
    assert world.provider.dials == []


def test_a_call_of_a_year_ago_is_asked_after(world: Any) -> None:
    call = a_call(world)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED)]
    world.pass_time(A_YEAR)
    world.poll.run()
    assert world.state(call) == "completed"


def test_a_fate_lost_a_year_ago_is_looked_for(world: Any) -> None:
    call = a_call(world)
    world.provider.answer = lambda request: FateUnknown("lost")
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED)]
    world.pass_time(A_YEAR)
    world.reconcile.run()
    assert world.state(call) == "completed"


def test_a_receipt_that_came_in_a_year_ago_is_applied(world: Any) -> None:
    call = a_call(world)
    world.dial_all()
    world.intake.accept("sim", Receipt("key", "end-of-call-report", world.report(call, Phase.REPORTED, ANSWERED)))
    world.pass_time(A_YEAR)
    world.inbox.process()
    assert world.state(call) == "completed"


def test_a_window_that_closed_a_year_ago_ends_what_still_waits(world: Any) -> None:
    call = a_call(world)
    world.sql(
        "UPDATE runs SET earliest_at = earliest_at - interval '1 year', latest_at = latest_at - interval '1 year'"
    )
    world.dial_all()
    world.rescue.run()
    assert (world.state(call), world.reason(call)) == ("expired", "latest_at")
    assert world.provider.dials == []
    world.rescue.run()
    assert world.one("SELECT state FROM runs") == "finished"
