"""The database's clock, read over a connection that is quick or slow."""

import logging

from campaigns.calls.pacing import JITTER, LATENESS
from campaigns.services.database_clock import MOST_READINGS, STEP, DatabaseClock
from campaigns.services.paced_permit import WRITING

EPOCH = 1_800_000_000.0


class Two:
    """Our clock and the database's, which is `ahead`; a round trip takes what `trips` say, then nothing."""

    def __init__(self, *trips, ahead=EPOCH):
        self.ours, self.ahead, self.trips, self.asked = 50.0, ahead, list(trips), 0

    def clock(self):
        return self.ours

    def ask(self):
        self.asked += 1
        trip = self.trips.pop(0) if self.trips else 0.0
        self.ours += trip / 3
        shown = self.ours + self.ahead
        self.ours += trip * 2 / 3
        return shown


def test_a_turn_never_comes_before_its_instant_and_is_over_before_it_can_be_late():
    two = Two(0.004)
    reading = DatabaseClock(two.clock).read(two.ask)
    instant = two.ours + two.ahead + 0.3
    assert reading.soonest(instant) >= instant - two.ahead
    assert reading.latest(instant) <= instant - two.ahead


def test_it_is_asked_again_only_while_answers_are_too_slow_to_tell():
    two = Two(0.2, 0.2, 0.001)
    reading = DatabaseClock(two.clock).read(two.ask)
    assert (two.asked, reading.is_precise) == (3, True)


def test_on_a_machine_where_no_answer_is_quick_it_says_so():
    two = Two(*[0.2] * 20)
    reading = DatabaseClock(two.clock).read(two.ask)
    assert (two.asked, reading.is_precise) == (MOST_READINGS, False)


def test_what_was_known_a_moment_ago_makes_up_for_a_slow_answer():
    two = Two(0.001, 0.2)
    clock = DatabaseClock(two.clock)
    clock.read(two.ask)
    assert clock.read(two.ask).is_precise
    assert two.asked == 2


def test_a_step_is_counted_and_a_smaller_one_is_within_what_dials_may_slip(caplog):
    two = Two()
    clock = DatabaseClock(two.clock)
    assert clock.read(two.ask).steps == 0
    two.ahead += LATENESS / 3
    assert clock.read(two.ask).steps == 0
    two.ahead -= 3600
    with caplog.at_level(logging.WARNING):
        assert clock.read(two.ask).steps == 1
    assert "by_seconds=-3600" in caplog.text
    assert clock.read(two.ask).steps == 1


def test_all_by_which_a_dial_may_leave_late_is_less_than_what_spacing_allows_for():
    assert LATENESS + WRITING + STEP < JITTER


def test_that_nothing_is_dialed_for_want_of_a_quick_answer_is_told_once_and_that_it_is_over(caplog):
    two = Two(*[0.2] * 2 * MOST_READINGS)
    clock = DatabaseClock(two.clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            clock.read(two.ask)
    assert [record.message.split()[0] for record in caplog.records] == [
        "database_answers_too_slowly",
        "database_answers_in_time_again",
    ]
