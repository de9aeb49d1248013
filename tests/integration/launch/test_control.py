"""The switches: they commit, they are on record, and they return only when no request can leave any more."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from campaigns.services.control import Control, ControlRefusedError, UnknownCampaignError
from campaigns.services.suppress import suppress, suppressed

PERMIT = timedelta(seconds=1)


class Waits(list[timedelta]):
    """Takes the place of waiting, and remembers for how long it was asked."""

    def __call__(self, duration: timedelta) -> None:
        self.append(duration)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def control(world: Any, waits: Waits) -> Control:
    world.launched("+12125550100", "+13035550100", "+14045550100")
    return Control(world.engine, operator="ann", wait=waits)


def states(world: Any) -> Any:
    return world.query("SELECT state FROM calls ORDER BY id")


def operations(world: Any) -> Any:
    return world.query("SELECT operator, action, subject FROM operations WHERE action <> 'submit' ORDER BY id")


def test_a_pause_holds_the_campaign_and_lasts_one_permit_lifetime(world: Any, control: Control, waits: Waits) -> None:
    assert control.pause("spring").changed
    assert world.query("SELECT state, state_reason FROM campaigns") == [("paused", "pause by ann")]
    assert waits == [PERMIT]
    assert operations(world) == [("ann", "pause", "spring")]


def test_pausing_twice_is_on_record_once_but_waits_again(world: Any, control: Control, waits: Waits) -> None:
    control.pause("spring")
    assert not control.pause("spring").changed
    assert waits == [PERMIT, PERMIT]
    assert len(operations(world)) == 1


def test_a_resume_takes_the_pause_back(world: Any, control: Control) -> None:
    control.pause("spring")
    assert control.resume("spring").changed
    assert world.query("SELECT state, state_reason FROM campaigns") == [("active", None)]
    assert [action for _, action, _ in operations(world)] == ["pause", "resume"]


def test_a_resume_lets_an_interrupted_expansion_be_tried_again(world: Any, control: Control) -> None:
    world.execute("UPDATE runs SET state = 'expanding', state_reason = 'list.csv changed'")
    control.resume("spring")
    assert world.query("SELECT state_reason FROM runs") == [None]


def test_a_cancel_ends_waiting_calls_and_leaves_live_ones(world: Any, control: Control, waits: Waits) -> None:
    world.execute("UPDATE calls SET state = 'queued', lease_until = now() WHERE id = 2")
    world.execute("UPDATE calls SET state = 'in_progress' WHERE id = 3")
    switched = control.cancel("spring")
    assert (switched.changed, switched.cancelled_calls) == (True, 2)
    assert states(world) == ["cancelled", "cancelled", "in_progress"]
    assert world.query("SELECT DISTINCT reason FROM calls WHERE state = 'cancelled'") == ["campaign_cancelled"]
    assert waits == [PERMIT]


def test_a_cancel_waits_for_rows_that_a_claim_holds(world: Any, control: Control) -> None:
    holder = world.engine.connect()
    holder.execute(text("SELECT FROM calls WHERE id = 1 FOR UPDATE"))
    patient = Control(world.engine, operator="ann", wait=lambda _: holder.close())
    assert patient.cancel("spring").cancelled_calls == 3


def test_a_cancel_that_cannot_finish_says_what_to_do(world: Any, control: Control) -> None:
    with world.engine.connect() as holder:
        holder.execute(text("SELECT FROM calls WHERE id = 1 FOR UPDATE"))
        with pytest.raises(ControlRefusedError, match="run the same command again"):
            control.cancel("spring")
    assert states(world) == ["scheduled", "cancelled", "cancelled"]
    assert not control.cancel("spring").changed
    assert states(world) == ["cancelled"] * 3


def test_a_cancelled_campaign_cannot_be_resumed(world: Any, control: Control) -> None:
    control.cancel("spring")
    with pytest.raises(ControlRefusedError, match="cancelled for good"):
        control.resume("spring")
    with pytest.raises(ControlRefusedError, match="cancelled for good"):
        control.pause("spring")


def test_a_cancel_takes_the_next_slot_away(world: Any, control: Control) -> None:
    world.execute("UPDATE campaigns SET next_run_at = now()")
    control.cancel("spring")
    assert world.query("SELECT next_run_at FROM campaigns") == [None]


@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_an_unknown_campaign_names_the_nearest(control: Control, command: str) -> None:
    with pytest.raises(UnknownCampaignError, match="did you mean spring"):
        getattr(control, command)("sprnig")


def test_stop_all_and_start_are_one_durable_switch(world: Any, control: Control, waits: Waits) -> None:
    assert control.stop_all().changed
    assert world.query("SELECT stopped, changed_by FROM system") == [(True, "ann")]
    assert not control.stop_all().changed
    assert waits == [PERMIT, PERMIT]
    assert control.start().changed
    assert not control.start().changed
    assert operations(world) == [("ann", "stop --all", "all campaigns"), ("ann", "start", "all campaigns")]


def test_suppressing_is_idempotent_and_on_record(world: Any) -> None:
    both = ["+12125550100", "+13035550100"]
    assert suppress(world.engine, both, list_name="internal", source="letter", operator="ann") == 2
    assert suppress(world.engine, both[:1], list_name="internal", source="letter", operator="ann") == 0
    assert suppressed(world.engine, [*both, "+14045550100"]) == set(both)
    assert world.query("SELECT action, subject, detail FROM operations") == [
        ("suppress", "internal", "2 numbers from letter")
    ]
