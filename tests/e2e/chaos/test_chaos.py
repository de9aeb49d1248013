"""Freeze, cut off, repeat, double, fill, and let the provider misbehave: the same promises hold.

More trials, and longer outages: `make chaos`; see docs/fault-table.md.
"""

import pytest
from harness import promises
from harness.faults import FAULTS_BY_POLICY, Fault
from harness.freezing import AT
from harness.promises import verdicts
from harness.small_disk import why_not
from harness.story import Story

NO_SMALL_DISK = why_not()
FAULTS = [
    pytest.param(
        fault, marks=pytest.mark.skipif(fault is Fault.DISK_FULL and bool(NO_SMALL_DISK), reason=str(NO_SMALL_DISK))
    )
    for fault in FAULTS_BY_POLICY["chaos"]
]
MUST_NEVER_BE = ("second_provider_call", "two_calls_live")
"""Alarms that mean a person may have been called twice. Others only say that a provider contradicted itself."""
MOST_WAITING = 100
"""Messages in Valkey after a while without a worker, however long: what the feed grants in a second, and probes."""
MOST_CONNECTIONS = 150
"""Of the two hundred that there are; the others were taken by the installation in the same moment."""


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_called_twice(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_called_twice(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_customer_ends_with_a_reason(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_lost(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_under_way_moves_on(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_all_moved_on(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_called_after_the_window(chaos_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_called_too_late(verdicts(chaos_stories, fault))


@pytest.mark.parametrize("fault", [fault for fault, point in AT.items() if point is Fault.AFTER_CLAIM])
def test_a_worker_that_wakes_too_late_dials_none_of_what_it_held(chaos_stories: list[Story], fault: Fault) -> None:
    for verdict in verdicts(chaos_stories, fault):
        held = set(verdict.trial.last_words)
        if verdict.trial.point is Fault.AFTER_CLAIM:
            assert held
            assert not held & {dial.attempt for dial in verdict.dials}


def test_messages_do_not_pile_up_while_nobody_takes_them(chaos_stories: list[Story]) -> None:
    for verdict in verdicts(chaos_stories, Fault.NO_WORKER):
        assert verdict.trial.backlog is not None
        assert verdict.trial.backlog <= MOST_WAITING


def test_nobody_of_ours_had_a_connection(chaos_stories: list[Story]) -> None:
    for verdict in verdicts(chaos_stories, Fault.CONNECTIONS_TAKEN):
        assert verdict.trial.connections_taken >= MOST_CONNECTIONS


def test_a_call_that_never_ends_is_hung_up(chaos_stories: list[Story]) -> None:
    for verdict in verdicts(chaos_stories, Fault.CALLS_ENDLESS):
        assert any(dial.hung_up for dial in verdict.dials)
        assert all(dial.ended_at for dial in verdict.dials)


def test_neither_provider_nor_engine_saw_a_person_called_twice(chaos_stories: list[Story]) -> None:
    for story in chaos_stories:
        assert story.double_dials_seen == 0
        assert not [alarm for alarm in story.alarms if alarm.startswith(MUST_NEVER_BE)]
