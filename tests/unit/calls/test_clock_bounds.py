"""What readings of another clock tell of it."""

from campaigns.calls.clock_bounds import DRIFT, ClockBounds


def reading(shown, *, before, after):
    return ClockBounds.of_reading(shown, before=before, after=after)


def test_a_reading_knows_the_clock_as_well_as_its_round_trip_was_short():
    bounds = reading(1000.0, before=10.0, after=10.004)
    assert round(bounds.uncertainty, 6) == 0.004
    assert bounds.low == 1000.0 - 10.004
    assert bounds.high == 990.0


def test_a_slow_reading_takes_nothing_from_what_a_quick_one_told():
    quick = reading(1000.0, before=10.0, after=10.001)
    slow = reading(1000.2, before=10.1, after=10.3)
    both = quick.joined(slow)
    assert both.uncertainty <= 0.001 + 2 * DRIFT * 0.3
    assert quick.step_to(slow) == 0


def test_knowledge_fades():
    bounds = reading(1000.0, before=10.0, after=10.0)
    assert round(bounds.at(20.0).uncertainty, 9) == round(2 * DRIFT * 10, 9)


def test_a_clock_that_was_set_forward_or_back_shows_by_how_much():
    known = reading(1000.0, before=10.0, after=10.001)
    forward, back = reading(1061.0, before=11.0, after=11.001), reading(941.0, before=11.0, after=11.001)
    assert 59.9 < known.step_to(forward) < 60
    assert -60 < known.step_to(back) < -59.9
    assert known.joined(back) == back


def test_a_clock_that_is_slewed_is_not_one_that_was_set():
    known = reading(1000.0, before=10.0, after=10.001)
    slewed = reading(1100.0 + 0.0005 * 100, before=110.0, after=110.001)
    assert known.step_to(slewed) == 0
