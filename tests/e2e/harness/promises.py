"""What must hold after every fault, whatever the policy: the assertions that both files of tests share."""

from collections.abc import Iterable

from harness.faults import Fault
from harness.story import Story
from harness.trial import Verdict

TOO_SLOW = "found_after_latest_at"
"""On a busy machine a short window may be over before a silent dial is looked for; nobody is called for it."""


def verdicts(stories: Iterable[Story], fault: Fault | None = None) -> list[Verdict]:
    """Those of one fault, or all."""
    told = [verdict for story in stories for verdict in story.verdicts]
    chosen = [verdict for verdict in told if fault in (None, verdict.trial.fault)]
    assert chosen, f"{fault} was never tried"
    return chosen


def assert_nobody_was_called_twice(chosen: Iterable[Verdict]) -> None:
    for verdict in chosen:
        assert verdict.double_dials == []
        # Frozen from its first claim until the window is over, a campaign rightly dials nobody.
        assert verdict.dials or verdict.trial.fault is Fault.FROZEN_PAST_WINDOW


def assert_nobody_was_lost(chosen: Iterable[Verdict]) -> None:
    for verdict in chosen:
        assert verdict.losses == []


def assert_nobody_was_called_too_late(chosen: Iterable[Verdict]) -> None:
    for verdict in chosen:
        assert verdict.late == []


def assert_all_moved_on(chosen: Iterable[Verdict]) -> None:
    for verdict in chosen:
        assert verdict.trial.recovery_seconds is not None


def assert_no_alarm(stories: Iterable[Story]) -> None:
    for story in stories:
        assert story.double_dials_seen == 0
        assert not [alarm for alarm in story.alarms if not alarm.startswith(TOO_SLOW)]


def assert_died_where_told(chosen: Iterable[Verdict]) -> None:
    """The provider knows best whether a request had left."""
    for verdict in chosen:
        in_its_hands = set(verdict.trial.last_words)
        with_the_provider = in_its_hands & {dial.attempt for dial in verdict.dials}
        match verdict.trial.fault:
            case Fault.AFTER_CLAIM:
                assert in_its_hands
                assert not with_the_provider
            case Fault.DURING_POST | Fault.AFTER_ACCEPT | Fault.DURING_RECORD:
                assert with_the_provider
            case _:
                assert not in_its_hands


def assert_unknown_after_claim(chosen: Iterable[Verdict]) -> None:
    """What was committed and never sent cannot be told from what was sent: its fate is unknown."""
    for verdict in chosen:
        assert set(verdict.trial.last_words) <= verdict.fates.unknown


def assert_what_the_provider_made_was_adopted(chosen: Iterable[Verdict]) -> None:
    for verdict in chosen:
        outcomes = {attempt.id: attempt.outcome for attempt in verdict.books.attempts}
        assert all(outcomes[attempt] not in (None, "unknown") for attempt in verdict.adopted)
        assert not verdict.adopted & verdict.fates.held
