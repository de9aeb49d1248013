"""A check that cannot fail is worthless: with any one safeguard gone, a schedule must break the promise it guards."""

import pytest
from interleaving.hunt import hunt
from interleaving.mutations import MUTATIONS, Mutation
from interleaving.schedule import Theatre


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_missing_safeguard_is_found(theatre: Theatre, mutation: Mutation) -> None:
    found = hunt(theatre, mutation, first=mutation.first).found

    assert found is not None, "the simulation finds nothing wrong without this safeguard"
    assert any(words in (found.broken or "") for words in mutation.breaks), found.story()
