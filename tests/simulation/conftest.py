"""A theatre for the schedules of a test session."""

from collections.abc import Iterator

import pytest
from interleaving.schedule import Theatre
from interleaving.temporary import theatre_at


@pytest.fixture(scope="session")
def theatre(postgres_url: str) -> Iterator[Theatre]:
    """In a database of its own."""
    with theatre_at(postgres_url) as theatre:
        yield theatre
