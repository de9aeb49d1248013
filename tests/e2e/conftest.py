"""One story a policy, told once a session, for the tests of one file."""

import os
from pathlib import Path

import pytest
from harness.fault_table import append
from harness.story import Story, tell

TRIALS_VARIABLE = "RINGFENCE_E2E_TRIALS"
"""Trials of each fault; 1 unless told otherwise."""
SEED_VARIABLE = "RINGFENCE_E2E_SEED"
TABLE_VARIABLE = "RINGFENCE_E2E_TABLE"
"""A file to which the fault table is appended, as JSON lines."""
ROUNDS_A_STACK = 8
"""More trials than that get a fresh stack: there are only so many invented people."""
STORY_SECONDS, ROUND_SECONDS = 240, 180
"""The first test of a file waits for its whole story: a start and an end, and some ten seconds a trial. Twice that."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever needs a story may wait for it."""
    for item in items:
        if {"redial_stories", "hold_stories"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(STORY_SECONDS + ROUND_SECONDS * _trials()))


@pytest.fixture(scope="session")
def redial_stories() -> list[Story]:
    """Everything that was tried with `retries.ambiguous: redial`."""
    return _tell_all("redial")


@pytest.fixture(scope="session")
def hold_stories() -> list[Story]:
    """The same with `hold`."""
    return _tell_all("hold")


@pytest.fixture(scope="session")
def chaos_stories() -> list[Story]:
    """Faults that no process dies of cleanly."""
    return _tell_all("chaos")


def _tell_all(policy: str) -> list[Story]:
    trials, seed = _trials(), int(os.environ.get(SEED_VARIABLE, "1"))
    told = [
        tell(policy, rounds=min(ROUNDS_A_STACK, trials - first), seed=seed + first)
        for first in range(0, trials, ROUNDS_A_STACK)
    ]
    if path := os.environ.get(TABLE_VARIABLE):
        append(Path(path), [verdict for story in told for verdict in story.verdicts])
    return told


def _trials() -> int:
    return int(os.environ.get(TRIALS_VARIABLE, "1"))
