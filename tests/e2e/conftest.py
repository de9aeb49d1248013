"""One story a policy, told once a session, for the tests of one file."""

import os
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness.promises")  # its assertions are the tests' own, and it is imported below

from harness.fault_table import append  # noqa: E402
from harness.faults import FAULTS_BY_POLICY  # noqa: E402
from harness.story import Story, tell  # noqa: E402

TRIALS_VARIABLE = "RINGFENCE_E2E_TRIALS"
"""Trials of each fault; 1 unless told otherwise."""
SEED_VARIABLE = "RINGFENCE_E2E_SEED"
TABLE_VARIABLE = "RINGFENCE_E2E_TABLE"
"""A file to which the fault table is appended, as JSON lines."""
TRIALS_A_STACK = 90
"""More trials than that get a fresh stack: there are only so many invented people."""
STORY_SECONDS, TRIAL_SECONDS = 400, 40
"""The first test of a file waits for its whole story: a start and an end of some two minutes each, and ten to twenty
seconds a trial. Twice that, for a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever needs a story may wait for it."""
    for item in items:
        needed = {f"{policy}_stories" for policy in FAULTS_BY_POLICY} & set(getattr(item, "fixturenames", ()))
        for story in needed:
            trials = len(FAULTS_BY_POLICY[story.removesuffix("_stories")]) * _rounds()
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(STORY_SECONDS + TRIAL_SECONDS * trials))


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
    rounds, seed = _rounds(), int(os.environ.get(SEED_VARIABLE, "1"))
    a_stack = max(1, TRIALS_A_STACK // len(FAULTS_BY_POLICY[policy]))
    told = [tell(policy, rounds=min(a_stack, rounds - first), seed=seed + first) for first in range(0, rounds, a_stack)]
    if path := os.environ.get(TABLE_VARIABLE):
        append(Path(path), [verdict for story in told for verdict in story.verdicts])
    return told


def _rounds() -> int:
    return int(os.environ.get(TRIALS_VARIABLE, "1"))
