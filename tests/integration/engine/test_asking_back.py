"""Calls asked back from a provider: believed gone only when that is sure, and never hung up on somebody who answers."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns.calls.conversation import Conversation
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, FateUnknown, Phase, Receipt
from campaigns.services.ask_back import LOOKS_UNTIL_GONE, AskBack
from campaigns.services.callers import Callers
from campaigns.services.decide import Decide
from campaigns.services.decided import DecidedAs
from campaigns.services.revoke import Revoke
from campaigns.services.suppress import INTERNAL, Suppress
from campaigns.store.suppressions import ListTarget
from tests.integration.engine.holding import ANN, BEN, Holding, wednesday_noon

OPT_OUT = Conversation(disposition="opt_out")


def held(holding: Holding) -> int:
    """A call that the provider holds until its time."""
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    return call


def revoke(holding: Holding, number: str = ANN) -> int:
    return Revoke(holding.world.database, operator="ann", wait=lambda _: None).run(number).asked_back


def ask_again(holding: Holding) -> int:
    holding.world.sql("UPDATE provider_cancels SET next_try_at = clock_timestamp()")
    return holding.ask_back()


def settled_as(holding: Holding) -> str | None:
    value: str | None = holding.world.one("SELECT settled_as FROM provider_cancels")
    return value


def test_a_call_that_the_provider_does_not_know_yet_is_asked_for_until_it_shows(holding: Holding) -> None:
    call = held(holding)
    revoke(holding)
    assert (holding.ask_back(), settled_as(holding)) == (0, None), "its copies may lag behind its own answer"
    holding.says(call, Phase.QUEUED)
    assert (ask_again(holding), settled_as(holding)) == (1, "cancelled")


def test_a_call_that_the_provider_does_not_know_in_several_looks_is_over(holding: Holding) -> None:
    held(holding)
    revoke(holding)
    for _ in range(LOOKS_UNTIL_GONE):
        assert settled_as(holding) is None
        ask_again(holding)
    assert settled_as(holding) == "over"


def test_a_cancel_that_the_provider_answers_with_no_is_tried_again_while_the_call_waits(holding: Holding) -> None:
    call = held(holding)
    revoke(holding)
    holding.says(call, Phase.QUEUED)
    holding.provider.obeys = False
    assert (holding.ask_back(), settled_as(holding)) == (0, None)
    holding.provider.obeys = True
    assert (ask_again(holding), settled_as(holding)) == (1, "cancelled")


def test_asking_back_cancels_what_waits_and_never_hangs_up(holding: Holding) -> None:
    call = held(holding)
    revoke(holding)
    holding.says(call, Phase.QUEUED)
    holding.ask_back()
    assert holding.provider.cancelled == [f"call-{holding.attempt(call).id}"]


def test_an_account_that_cannot_be_asked_costs_a_pass_one_request(holding: Holding) -> None:
    holding.campaign(ANN, BEN, at=wednesday_noon())
    holding.schedule.run()
    holding.control().stop_all()
    holding.provider.unavailable = True
    assert holding.ask_back() == 0
    assert holding.provider.fetches == 1, "a hanging provider must not keep a worker's thread for minutes"


# --- who else says no ------------------------------------------------------------------------------------------------


def test_somebody_who_opts_out_by_calling_us_is_not_rung_by_a_held_call(holding: Holding) -> None:
    call = held(holding)
    report = CallReport("inbound-1", None, Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True), conversation=OPT_OUT)
    holding.world.intake.accept("sim", Receipt("in-1", "end-of-call-report", report, caller=ANN))
    Callers(holding.world.database).process()
    holding.says(call, Phase.QUEUED)
    assert (holding.ask_back(), settled_as(holding)) == (1, "cancelled")


def test_a_number_put_on_a_list_is_not_rung_by_a_held_call(holding: Holding) -> None:
    call = held(holding)
    _suppress(holding, ANN)
    holding.says(call, Phase.QUEUED)
    assert (holding.ask_back(), settled_as(holding)) == (1, "cancelled")


def test_a_list_of_another_seller_leaves_a_held_call_alone(holding: Holding) -> None:
    held(holding)
    _suppress(holding, ANN, scope="seller", value="Somebody Else, Inc.")
    assert holding.world.one("SELECT count(*) FROM provider_cancels") == 0


# --- calls that turn up after somebody said no -----------------------------------------------------------------------


def given_up(holding: Holding) -> int:
    """A held call of unknown fate, which a person gave up."""
    holding.provider.holds = lambda request: FateUnknown("the connection broke")
    call = held(holding)
    holding.world.sql("UPDATE attempts SET needs_person = true")
    Decide(holding.world.database, holding.world.recorder, operator="bob").run(
        holding.attempt(call).id, DecidedAs.GIVEN_UP, reason="nobody knows"
    )
    return call


@pytest.mark.parametrize("no", ["revoke", "pause", "stop"])
def test_a_call_given_up_and_found_after_somebody_said_no_is_cancelled(holding: Holding, no: str) -> None:
    call = given_up(holding)
    control = holding.control()
    _ = {"revoke": lambda: revoke(holding), "pause": lambda: control.pause("held"), "stop": control.stop_all}[no]()
    holding.world.receive(holding.world.report(call, Phase.QUEUED))
    holding.says(call, Phase.QUEUED)
    assert (ask_again(holding), settled_as(holding)) == (1, "cancelled")


def test_a_cancel_settled_as_over_is_taken_up_again_when_the_call_turns_up(holding: Holding) -> None:
    holding.provider.holds = lambda request: FateUnknown("the connection broke")
    call = held(holding)
    revoke(holding)
    holding.world.sql("UPDATE attempts SET needs_person = true")
    Decide(holding.world.database, holding.world.recorder, operator="bob").run(
        holding.attempt(call).id, DecidedAs.GIVEN_UP, reason="nobody knows"
    )
    ask_again(holding)
    assert settled_as(holding) == "over"
    holding.world.receive(holding.world.report(call, Phase.QUEUED))
    holding.says(call, Phase.QUEUED)
    assert (ask_again(holding), settled_as(holding)) == (1, "cancelled")


def test_a_call_found_while_nobody_said_no_stays(holding: Holding) -> None:
    call = given_up(holding)
    holding.world.receive(holding.world.report(call, Phase.QUEUED))
    assert holding.world.one("SELECT count(*) FROM provider_cancels") == 0
    assert holding.attempt(call).state == "in_progress"


def test_a_fate_still_unknown_when_its_hold_lapsed_is_asked_back_all_the_same(world: Any, run_async: Any) -> None:
    call = world.call(world.campaign(), ANN)
    world.provider.answer = lambda request: FateUnknown("the connection broke")
    world.dial_all()
    world.pass_time(timedelta(minutes=20))
    world.rescue.run()
    assert world.live_numbers() == {}
    Revoke(world.database, operator="ann", wait=lambda _: None).run(ANN)
    world.receive(world.report(call, Phase.QUEUED))
    world.provider.listed = [world.report(call, Phase.QUEUED)]
    assert (
        AskBack(world.database, {"sim": world.provider}, simulators=frozenset({"sim"}), run_async=run_async).run() == 1
    )


def _suppress(holding: Holding, number: str, *, scope: Any = "all", value: str | None = None) -> None:
    target = ListTarget(INTERNAL, scope, value)
    Suppress(holding.world.database, operator="ann", wait=lambda _: None).add(
        [number], target, source="test", expires_at=None
    )
