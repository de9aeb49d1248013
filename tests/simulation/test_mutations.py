"""A check that cannot fail is worthless: with any one safeguard gone, a schedule must break the promise it guards."""

import pytest
from interleaving.mutations import MUTATIONS, Mutation
from interleaving.schedule import Plan, Theatre

MOST_SEEDS = 80


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_missing_safeguard_is_found(theatre: Theatre, mutation: Mutation) -> None:
    broken = None
    for seed in range(mutation.first, mutation.first + MOST_SEEDS):
        with mutation.apply():
            broken = theatre.play(Plan(seed, only=frozenset(mutation.only))).broken
        if broken is not None:
            break

    assert broken is not None, "the simulation finds nothing wrong without this safeguard"
    assert any(words in broken for words in mutation.breaks), broken
