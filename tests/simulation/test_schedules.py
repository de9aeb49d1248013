"""Promises 1 to 7 over many orders of events, each from a fixed seed; `python -m interleaving` tries thousands."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interleaving.schedule import Plan, Theatre

pytestmark = pytest.mark.timeout(600)
"""Real seconds, on however busy a machine: a schedule that hangs would do so for ever."""
SEEDS = int(os.environ.get("SIMULATION_SCHEDULES", "8"))
"""Some eight seconds of processor time, a third of it Postgres's; the long run is a command of its own."""
SHARES = 4


@pytest.mark.parametrize("share", range(SHARES))
def test_every_promise_holds_in_every_order_that_was_tried(theatre: Theatre, share: int) -> None:
    for seed in range(share, SEEDS, SHARES):
        played = theatre.play(Plan(seed))

        assert played.broken is None, theatre.shrunk(played).story()


@given(order=st.randoms(use_true_random=False))
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_every_promise_holds_in_orders_that_hypothesis_chooses(theatre: Theatre, order: object) -> None:
    played = theatre.play(Plan(0, steps=150), shared=order)  # type: ignore[arg-type]

    assert played.broken is None, played.story()


def test_the_same_plan_is_the_same_schedule(theatre: Theatre) -> None:
    first = theatre.play(Plan(5))
    theatre.play(Plan(6))
    again = theatre.play(Plan(5))

    assert first.trace == again.trace
    assert first.requests > 0


def test_a_schedule_can_be_told_and_repeated(theatre: Theatre) -> None:
    played = theatre.play(Plan(5, only=frozenset({"kill", "lag"}), skip=frozenset({3})))

    assert "--seed 5 --steps 400 --only kill --only lag --skip 3" in played.story()
    assert "the request of call 1 leaves" in "\n".join(played.trace)
