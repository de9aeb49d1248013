"""The database's clock is set while work is dialed: no second gets more dials than the limit, and dialing goes on.

`clock_timestamp()` is shadowed by one that can be set; all else is real.
"""

import math
from itertools import count
from threading import Event

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from campaigns.calls.pacing import spacing
from campaigns.services.machine_clock import monotonic
from campaigns.services.pace import Pace

RATE = 20.0
SPACINGS = {"account:g": spacing(RATE)}
PATIENCE = 10.0
"""Seconds of this machine's clock until dialing must have gone on: several times the pause that is meant."""


@pytest.fixture
def clock(world):
    """Sets the database's clock by so many seconds."""
    world.sql("CREATE SCHEMA shadow")
    world.sql("CREATE TABLE shadow.offsets AS SELECT interval '0' AS by")
    world.sql(
        """CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
        AS 'SELECT pg_catalog.clock_timestamp() + by FROM shadow.offsets'"""
    )
    world.sql(f"ALTER DATABASE {world.database.url.database} SET search_path = shadow, pg_catalog, public")
    world.database.dispose()
    world.sql("UPDATE accounts SET calls_per_second = :rate", rate=RATE)

    def set_by(seconds):
        world.sql("UPDATE shadow.offsets SET by = by + :seconds * interval '1 second'", seconds=seconds)

    return set_by


def turns_of(pace, *, wanted):
    """So many turns, taken as soon as there are any; readings of this machine's clock."""
    at, began, pause = [], monotonic(), Event()
    while len(at) < wanted and monotonic() - began < PATIENCE:
        reserved = pace.reserve(SPACINGS, most=wanted - len(at), lead=0.02)
        at += [turn.at for turn in reserved.turns]
        pause.wait(min(reserved.wait, 0.2))
    return at


def most_in_a_second(instants):
    return max(sum(first <= each < first + 1 for each in instants) for first in instants)


@pytest.mark.parametrize("step", [3600.0, -3600.0, 1.0, -1.0, 0.3, -0.3])
def test_a_clock_that_is_set_lets_no_second_have_more_dials_than_the_limit_and_dialing_goes_on(world, clock, step):
    first, second = Pace(world.database), Pace(world.database)
    taken = turns_of(first, wanted=3) + turns_of(second, wanted=3)
    for pace in (first, second):  # each with turns that are still to come, as far ahead as any may be
        taken += [turn.at for turn in pace.reserve(SPACINGS, most=50, lead=0.3).turns]
    clock(step)
    later = turns_of(second, wanted=15) + turns_of(first, wanted=15)
    assert len(later) == 30
    assert most_in_a_second(taken + later) <= RATE


def test_a_process_that_is_new_finds_the_clock_set_back_by_an_hour_and_does_not_wait_for_it(world, clock):
    turns_of(Pace(world.database), wanted=3)
    clock(-3600.0)
    assert len(turns_of(Pace(world.database), wanted=3)) == 3


def test_calls_are_dialed_although_the_clock_was_set_back_by_an_hour(world, clock):
    campaign = world.campaign()
    calls = [world.call(campaign, f"+121255501{index:02d}") for index in range(3)]
    world.dial_all()
    calls += [world.call(campaign, f"+121255501{index:02d}") for index in range(3, 6)]
    clock(-3600.0)
    began = monotonic()
    while len(world.provider.dials) < 6 and monotonic() - began < PATIENCE:
        world.dial_all()
    assert sorted(world.dials_by_number().values()) == [1] * 6
    assert {world.state(call) for call in calls} == {"in_progress"}


def test_turns_that_were_taken_before_the_clock_was_set_are_not_given_back(world, clock):
    pace = Pace(world.database)
    turns = pace.reserve(SPACINGS, most=4, lead=0.1).turns
    clock(-0.5)
    pace.give_back(SPACINGS, turns)
    later = turns_of(pace, wanted=12)
    assert min(later) - max(turn.at for turn in turns) >= spacing(RATE) - 1e-3


@pytest.mark.parametrize("rate", [1 / 3, 1.0, 50.0])
def test_several_processes_share_one_rate_whatever_the_order_in_which_they_ask(world, rate):
    world.sql("UPDATE accounts SET calls_per_second = :rate", rate=rate)
    paces, at, began, pause = [Pace(world.database) for _ in range(4)], [], monotonic(), Event()
    for turn in count():
        reserved = paces[turn % 4].reserve({"account:g": spacing(rate)}, most=1 + turn % 5, lead=0.01 * (turn % 7))
        given = reserved.turns[1:] if turn % 3 == 0 else ()
        paces[turn % 4].give_back({"account:g": spacing(rate)}, given)
        at += [each.at for each in reserved.turns if each not in given]
        pause.wait(min(reserved.wait, 0.1))
        if monotonic() - began > max(2.5, 2.5 / rate):
            break
    assert most_in_a_second(at) <= math.ceil(rate)
    assert all(
        later - first >= 1 / rate for first, later in zip(sorted(at), sorted(at)[math.ceil(rate) :], strict=False)
    )


def test_what_a_worker_remembers_of_the_rate_does_not_outlive_a_change(world):
    pace, fast = Pace(world.database), {"account:g": spacing(1000.0)}
    pace.reserve(fast, most=1, lead=0.0)
    with world.database.begin() as connection:
        connection.execute(text("UPDATE accounts SET calls_per_second = 2"))
    turns = pace.reserve(fast, most=50, lead=0.0).turns
    assert len(turns) <= 1


def test_a_pause_that_was_rolled_back_is_made_by_the_next_who_asks(world, clock):
    """The clock is set when the database fails over: the very moment at which a commit may fail, too."""
    first, second = Pace(world.database), Pace(world.database)
    turns_of(second, wanted=1)
    taken = first.reserve(SPACINGS, most=50, lead=0.3).turns
    clock(1.5)

    def fails(connection):
        event.remove(world.database, "commit", fails)
        raise OperationalError("COMMIT", {}, Exception("away"))

    event.listen(world.database, "commit", fails)
    with pytest.raises(OperationalError):
        second.reserve(SPACINGS, most=50, lead=0.0)
    later = turns_of(second, wanted=20)
    assert most_in_a_second([*(turn.at for turn in taken), *later]) <= RATE
    assert later[0] > taken[-1].at
