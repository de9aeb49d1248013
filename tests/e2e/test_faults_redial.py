"""Kill everything, `retries.ambiguous: redial`: nobody is called twice, nobody is lost. The provider is the witness.

`RINGFENCE_E2E_TRIALS=20` tries every fault so often (once by default), `RINGFENCE_E2E_SEED` changes what is hit, and
`RINGFENCE_E2E_TABLE=FILE` appends the table of docs/fault-table.md to FILE.
"""

import pytest
from harness import promises
from harness.faults import FAULTS_BY_POLICY, KILL_POINTS, Fault
from harness.promises import verdicts
from harness.stack import POLLED
from harness.story import Story

FAULTS = FAULTS_BY_POLICY["redial"]


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_called_twice_by_a_fault(redial_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_called_twice(verdicts(redial_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_customer_ends_in_a_final_state_with_a_reason(redial_stories: list[Story], fault: Fault) -> None:
    promises.assert_nobody_was_lost(verdicts(redial_stories, fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_under_way_moves_on_by_itself(redial_stories: list[Story], fault: Fault) -> None:
    promises.assert_all_moved_on(verdicts(redial_stories, fault))


def test_nobody_is_called_after_the_window(redial_stories: list[Story]) -> None:
    promises.assert_nobody_was_called_too_late(verdicts(redial_stories))


@pytest.mark.parametrize("fault", [*KILL_POINTS, Fault.WEB_BEFORE_COMMIT, Fault.WEB_AFTER_COMMIT])
def test_a_process_dies_exactly_where_it_was_told_to(redial_stories: list[Story], fault: Fault) -> None:
    promises.assert_died_where_told(verdicts(redial_stories, fault))


def test_neither_provider_nor_engine_saw_anything_that_must_not_be(redial_stories: list[Story]) -> None:
    promises.assert_no_alarm(redial_stories)


def test_locks_were_really_crossed(redial_stories: list[Story]) -> None:
    # Not every time: on a slow machine the campaign may have nothing under way for some seconds.
    assert any(verdict.trial.deadlocks for verdict in verdicts(redial_stories, Fault.LOCKS_CROSSED))


def test_an_attempt_that_was_committed_and_never_sent_has_an_unknown_fate(redial_stories: list[Story]) -> None:
    promises.assert_unknown_after_claim(verdicts(redial_stories, Fault.AFTER_CLAIM))


def test_a_call_that_the_provider_made_is_never_taken_for_one_it_did_not(redial_stories: list[Story]) -> None:
    promises.assert_what_the_provider_made_was_adopted(verdicts(redial_stories))


def test_calls_made_and_not_recorded_are_found_in_the_providers_list(redial_stories: list[Story]) -> None:
    polled = [each for each in verdicts(redial_stories, Fault.AFTER_ACCEPT) if each.trial.campaign.account == POLLED]

    assert polled
    for verdict in polled:
        assert set(verdict.trial.last_words) <= verdict.adopted


def test_an_attempt_that_two_listings_do_not_hold_gives_way_to_a_new_one(redial_stories: list[Story]) -> None:
    trials = verdicts(redial_stories, Fault.AFTER_CLAIM)

    # On a slow machine the window may be over before the second listing; not every time.
    assert any(verdict.redialed & set(verdict.trial.last_words) for verdict in trials)


def test_every_unknown_fate_is_found_redialed_or_over_with_the_window(redial_stories: list[Story]) -> None:
    for verdict in verdicts(redial_stories):
        assert {state for state, _ in verdict.ends_of(verdict.unresolved)} <= {"failed", "expired"}
        assert not verdict.fates.held
