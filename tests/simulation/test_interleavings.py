"""A few hundred seconds of the services' life, in orders that seeds choose; `python -m interleaving` plays thousands.

See docs/deterministic-simulation.md for what it covers, and how to repeat and read a schedule that breaks a promise.
"""

from collections.abc import Iterator

import pytest
from interleaving.mutations import MUTATIONS, Mutation
from interleaving.schedule import Plan, Theatre
from interleaving.temporary import theatre_at

SEEDS = range(12)
STEPS = 250
QUICK = {"nobody_waits_for_a_turn", "permits_are_not_recorded", "numbers_are_free_before_the_report"}
"""Safeguards whose loss shows within a few seeds; `python -m interleaving --mutations` takes out all of them."""
MOST_SEEDS = 20


@pytest.fixture(scope="module")
def theatre(postgres_url: str) -> Iterator[Theatre]:
    with theatre_at(postgres_url) as opened:
        yield opened


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_in_whatever_order_things_happen(theatre: Theatre, seed: int) -> None:
    played = theatre.play(Plan(seed, STEPS))
    assert played.broken is None, theatre.shrunk(played).story()


def test_the_same_seed_is_the_same_schedule(theatre: Theatre) -> None:
    first, second = (theatre.play(Plan(7, STEPS)) for _ in range(2))
    assert first.trace == second.trace


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mutation", [each for each in MUTATIONS if str(each) in QUICK], ids=str)
def test_a_safeguard_that_is_taken_out_is_missed(theatre: Theatre, mutation: Mutation) -> None:
    for seed in range(MOST_SEEDS):
        with mutation.apply():
            played = theatre.play(Plan(seed, STEPS))
        if played.broken is not None:
            assert any(word in played.broken for word in mutation.breaks), played.broken
            return
    pytest.fail(f"{mutation} broke no promise in {MOST_SEEDS} schedules")
