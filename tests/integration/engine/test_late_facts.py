"""Facts that come after the call took its next step: nobody is rung again whose phone rang, or who is on the line."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import AnsweredBy, FateUnknown, Phase, Receipt
from campaigns.services.decide import Decide, DecisionRefusedError
from campaigns.services.decided import DecidedAs
from tests.integration.engine.holding import ANN, LONGEST, Holding, wednesday_noon

FAULT = Verdict(Outcome.PROVIDER_ERROR, retryable=True, counts=False)
CANCELLED = Verdict(Outcome.CANCELLED, retryable=False, counts=True)
UNKNOWN = FateUnknown("the connection broke")


def dialed(world: Any, **options: Any) -> int:
    """A call that the provider accepted."""
    call: int = world.call(world.campaign(**options), ANN)
    world.dial_all()
    return call


def dial_again(world: Any, call: int) -> None:
    """Let every wait of the call be over, and the workers do their work."""
    world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE id = :id AND state = 'scheduled'", id=call)
    world.dial_all()


# --- a fault without contact, and then a sign of contact -------------------------------------------------------------


def test_who_picked_up_before_a_fault_is_not_rung_again_even_if_that_is_told_last(world: Any) -> None:
    call = dialed(world)
    world.receive(world.report(call, Phase.REPORTED, FAULT))
    assert world.state(call) == "scheduled"
    world.receive(world.report(call, Phase.CONNECTED))
    dial_again(world, call)
    assert (world.state(call), world.reason(call)) == ("failed", "provider_error")
    assert world.dials_by_number() == {ANN: 1}
    assert world.one("SELECT attempts FROM calls") == 1
    assert world.one("SELECT counts FROM attempts"), "their phone rang, so it counts for caps"


@pytest.mark.parametrize("phase", [Phase.RINGING, Phase.CONNECTED])
def test_a_late_call_taken_back_whose_phone_rang_all_the_same_is_not_tried_again(world: Any, phase: Phase) -> None:
    call = dialed(world)
    world.sql("UPDATE attempts SET late_cancel_at = clock_timestamp(), late_cancelled_at = clock_timestamp()")
    world.receive(world.report(call, Phase.REPORTED, CANCELLED))
    assert world.state(call) == "scheduled"
    world.receive(world.report(call, phase))
    dial_again(world, call)
    assert (world.state(call), world.reason(call)) == ("cancelled", "cancelled")
    assert world.dials_by_number() == {ANN: 1}


def test_a_ring_told_after_a_busy_end_changes_nothing(world: Any) -> None:
    call = dialed(world)
    world.receive(world.report(call, Phase.REPORTED, Verdict(Outcome.BUSY, True, True)))
    before = world.sql("SELECT state, attempts, due_at FROM calls")
    world.receive(world.report(call, Phase.RINGING))
    assert world.sql("SELECT state, attempts, due_at FROM calls") == before


def test_a_fault_told_twice_is_one_retry(world: Any) -> None:
    call = dialed(world)
    for key in "ab":
        world.receive(world.report(call, Phase.REPORTED, FAULT), key=key)
    dial_again(world, call)
    assert world.dials_by_number() == {ANN: 2}


def test_a_person_taken_for_a_machine_costs_the_call_one_attempt(world: Any) -> None:
    call = world.call(world.campaign(), ANN)
    ladder = """jsonb_set(definition, '{retries,ladder}', '{"voicemail": ["2h"]}')"""
    world.sql(f"UPDATE campaign_versions SET definition = {ladder}")
    world.dial_all()
    answered = Verdict(Outcome.ANSWERED, False, True)
    world.receive(world.report(call, Phase.REPORTED, answered, answered_by=AnsweredBy.MACHINE))
    assert world.state(call) == "scheduled"
    world.receive(world.report(call, Phase.ENDED, answered, answered_by=AnsweredBy.HUMAN))
    assert (world.state(call), world.one("SELECT attempts FROM calls")) == ("completed", 1)


# --- a redial in flight, and then the first attempt turns up ---------------------------------------------------------


def redial_in_flight(world: Any) -> tuple[int, UUID]:
    """A call that is being redialed, and its first attempt, which was given up."""
    world.provider.answer = lambda request: UNKNOWN
    call = dialed(world, ambiguous="redial")
    first = world.newest_attempt(call)
    world.reconcile.run()
    world.reconcile.run()
    world.provider.answer = type(world.provider)().answer
    world.dial_all()
    assert world.dials_by_number() == {ANN: 2}
    return call, first


def test_while_the_first_attempt_is_on_the_line_nothing_rings_a_third_time(world: Any) -> None:
    call, first = redial_in_flight(world)
    talking = replace(world.report(call, Phase.CONNECTED), attempt_id=first, provider_call_id="first")
    world.receive(talking)
    world.receive(world.report(call, Phase.REPORTED, Verdict(Outcome.BUSY, True, True)))
    assert world.state(call) == "scheduled"
    dial_again(world, call)
    assert world.dials_by_number() == {ANN: 2}, "the line is busy with our own call"
    world.receive(replace(talking, phase=Phase.REPORTED, verdict=Verdict(Outcome.ANSWERED, False, True)))
    dial_again(world, call)
    assert (world.state(call), world.dials_by_number()) == ("completed", {ANN: 2})


# --- what a person decides -------------------------------------------------------------------------------------------


def unknown(world: Any) -> tuple[int, UUID]:
    """A call of unknown fate that waits for a person."""
    world.provider.answer = lambda request: UNKNOWN
    call = dialed(world)
    world.reconcile.run()
    world.reconcile.run()
    world.provider.answer = type(world.provider)().answer
    return call, world.newest_attempt(call)


def test_nobody_can_decide_that_a_call_was_not_made_while_word_of_it_waits_to_be_read(world: Any) -> None:
    call, attempt = unknown(world)
    world.intake.accept("sim", Receipt("key", "status-update", world.report(call, Phase.CONNECTED)))
    decide = Decide(world.database, world.recorder, operator="ann")
    with pytest.raises(DecisionRefusedError, match="has just reported"):
        decide.run(attempt, DecidedAs.NOT_DIALED, reason="their portal shows nothing")
    assert world.state(call) == "fate_unknown"


def test_giving_up_ends_the_call_and_keeps_the_number_while_somebody_may_be_talking(world: Any) -> None:
    call, attempt = unknown(world)
    Decide(world.database, world.recorder, operator="ann").run(attempt, DecidedAs.GIVEN_UP, reason="no way to know")
    assert (world.state(call), set(world.live_numbers())) == ("failed", {ANN})
    world.pass_time(LONGEST + timedelta(seconds=5))
    world.rescue.run()
    assert world.live_numbers() == {}


def test_giving_up_a_held_call_keeps_its_number_until_its_time_is_over(holding: Holding) -> None:
    holding.provider.holds = lambda request: UNKNOWN
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    attempt = holding.attempt(call)
    Decide(holding.world.database, holding.world.recorder, operator="ann").run(
        attempt.id, DecidedAs.GIVEN_UP, reason="no way to know"
    )
    other = holding.world.call(holding.world.campaign(), ANN)
    holding.world.dial_all()
    assert (holding.world.state(other), holding.world.provider.dials) == ("scheduled", [])


# --- a database that goes away in the middle of a hand-over ----------------------------------------------------------


def test_turns_that_cannot_be_given_back_after_a_hand_over_are_lost_and_nothing_else(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, pace = holding.schedule._claim.run, holding.schedule._pace

    def claim_and_lose_the_database(*refs: Any, **told: Any) -> Any:
        claimed = claim(*refs, **told)
        monkeypatch.setattr(pace, "_open", away)
        return claimed

    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    (call,) = holding.campaign(ANN, at=wednesday_noon())
    monkeypatch.setattr(holding.schedule._claim, "run", claim_and_lose_the_database)
    holding.schedule.run()
    assert holding.attempt(call).state == "in_progress"
    assert len(holding.provider.handed) == 1
