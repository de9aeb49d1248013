"""When a run is over, and when a slot is free: decided by what is known of each call, never by time that passed."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns.calls.states import FINAL_CALL_STATES, CallState
from campaigns.store.repair import finish_runs

ANN, BEN = "+12125550101", "+12125550102"
OPEN = sorted(set(CallState) - FINAL_CALL_STATES)


@pytest.mark.parametrize("state", OPEN)
def test_a_run_with_one_call_that_is_not_final_is_not_finished(world: Any, state: CallState) -> None:
    campaign = world.campaign()
    over, other = world.call(campaign, ANN), world.call(campaign, BEN)
    world.sql("UPDATE calls SET state = 'completed', reason = 'answered', final_at = now() WHERE id = :id", id=over)
    world.sql("UPDATE calls SET state = :state, lease_until = now() WHERE id = :id", state=state.value, id=other)
    world.sql("UPDATE runs SET expanded_at = now() - interval '1 year'")
    with world.database.begin() as connection:
        assert finish_runs(connection) == []
    world.sql("UPDATE calls SET state = 'failed', reason = 'unknown', final_at = now() WHERE id = :id", id=other)
    with world.database.begin() as connection:
        assert len(finish_runs(connection)) == 1


def test_a_call_that_may_still_be_live_keeps_its_slot_however_long_ago_its_hold_ended(world: Any) -> None:
    world.call(world.campaign(), ANN)
    world.dial_all()
    world.provider.unavailable = True
    world.pass_time(timedelta(hours=20))
    world.rescue.run()
    world.poll.run()
    assert world.live_numbers() == {ANN: True}
