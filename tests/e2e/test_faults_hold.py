"""Kill everything, `retries.ambiguous: hold`: what is unknown waits for a person, and is never dialed again by itself.

How to try more often: see test_faults_redial.py.
"""

import pytest
from harness import promises
from harness.faults import FAULTS_BY_POLICY, KILL_POINTS, OTHERS_KILL_POINTS, Fault
from harness.promises import verdicts
from harness.story import Story

FAULTS = FAULTS_BY_POLICY["hold"]


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_called_twice_by_a_fault(hold_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_called_twice(verdicts(hold_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_customer_ends_in_a_final_state_with_a_reason(hold_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_lost(verdicts(hold_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_under_way_moves_on_by_itself_or_waits_for_a_person(hold_stories: list[Story], fault: Fault) -> None:
    promises.assert_all_moved_on(verdicts(hold_stories, fault))


def test_nobody_is_called_after_the_window(hold_stories: list[Story]) -> None:
    promises.assert_nobody_was_called_too_late(verdicts(hold_stories))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault in (*KILL_POINTS, *OTHERS_KILL_POINTS)])
def test_a_process_dies_exactly_where_it_was_told_to(hold_stories: list[Story], fault: Fault) -> None:
    promises.assert_died_where_told(verdicts(hold_stories, fault))


def test_neither_provider_nor_engine_saw_anything_that_must_not_be(hold_stories: list[Story]) -> None:
    promises.assert_no_alarm(hold_stories)


def test_an_attempt_that_was_committed_and_never_sent_has_an_unknown_fate(hold_stories: list[Story]) -> None:
    promises.assert_unknown_after_claim(verdicts(hold_stories, Fault.AFTER_CLAIM))


def test_a_call_that_the_provider_made_is_never_taken_for_one_it_did_not(hold_stories: list[Story]) -> None:
    promises.assert_what_the_provider_made_was_adopted(verdicts(hold_stories))


def test_what_is_unknown_is_put_before_a_person(hold_stories: list[Story]) -> None:
    trials = verdicts(hold_stories, Fault.AFTER_CLAIM)

    # On a slow machine the window may be over before the second listing; not every time.
    assert any(verdict.trial.last_words and set(verdict.trial.last_words) <= verdict.fates.held for verdict in trials)
    for verdict in trials:
        assert set(verdict.trial.last_words) <= verdict.unresolved


def test_what_is_unknown_is_never_dialed_again(hold_stories: list[Story]) -> None:
    for verdict in verdicts(hold_stories):
        assert not verdict.redialed
        assert not verdict.fates.held & {dial.attempt for dial in verdict.dials}


def test_what_is_still_unknown_when_the_window_is_over_has_failed(hold_stories: list[Story]) -> None:
    for verdict in verdicts(hold_stories):
        assert verdict.fates.held <= verdict.unresolved
        assert verdict.ends_of(verdict.unresolved) <= {("failed", "fate_unknown")}


def test_the_status_command_counts_those_that_wait_for_a_person(hold_stories: list[Story]) -> None:
    told = [verdict.trial.told for verdict in verdicts(hold_stories) if verdict.trial.told]

    assert told
    for each in told:
        counted = (each.status["needs_person"], each.status["unknown"], each.status["by_state"]["fate_unknown"])
        assert counted == (each.waiting, each.waiting, each.waiting)
