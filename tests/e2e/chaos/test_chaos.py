"""Freeze, cut off, repeat, double, and let the provider misbehave: the same promises hold.

More trials, as for test_faults_redial.py: `make chaos`, or `RINGFENCE_E2E_TRIALS=20 pytest tests/e2e/chaos`.
"""

import pytest
from harness import promises
from harness.faults import FAULTS_BY_POLICY, Fault
from harness.promises import verdicts
from harness.story import Story

FAULTS = FAULTS_BY_POLICY["chaos"]
MUST_NEVER_BE = ("second_provider_call", "two_calls_live")
"""Alarms that mean a person may have been called twice. Others only say that a provider contradicted itself."""
MOST_WAITING = 100
"""Messages in Valkey after ten seconds without a worker: what the feed grants in a second, and probes."""


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_called_twice(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_called_twice(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_customer_ends_with_a_reason(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_lost(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_under_way_moves_on(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_all_moved_on(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", [Fault.FROZEN_PAST_PERMIT, Fault.FROZEN_PAST_REVOCATION])
def test_a_worker_that_wakes_too_late_dials_none_of_what_it_held(chaos_stories: list[Story], fault: Fault) -> None:
    for verdict in verdicts(chaos_stories, fault):
        held = set(verdict.trial.last_words)
        assert held
        assert not held & {dial.attempt for dial in verdict.dials}


def test_messages_do_not_pile_up_while_nobody_takes_them(chaos_stories: list[Story]) -> None:
    for verdict in verdicts(chaos_stories, Fault.NO_WORKER):
        assert verdict.trial.backlog is not None
        assert verdict.trial.backlog <= MOST_WAITING


def test_neither_provider_nor_engine_saw_a_person_called_twice(chaos_stories: list[Story]) -> None:
    for story in chaos_stories:
        assert story.double_dials_seen == 0
        assert not [alarm for alarm in story.alarms if alarm.startswith(MUST_NEVER_BE)]
