"""Dials that miss their turn: what a permit does about it, and who finds them new ones."""

import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from campaigns.providers.contract import PermitLapsedError
from campaigns.services.latecomers import Latecomers
from campaigns.services.machine_clock import MachinePermit
from campaigns.services.pace import Terms, Turn
from campaigns.services.paced_permit import WRITING, PacedPermit

SPACINGS = {"account:g": 0.05}
TERMS = Terms(SPACINGS, 0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Turns:
    """A pace that hands out what it was given; an exception is raised."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[int, list[Turn]]] = []
        self.lock = threading.Lock()

    def take(self, spacings, count, *, until, missed=()):
        with self.lock:
            self.asked.append((count, list(missed)))
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def turn(at: float) -> Turn:
    return Turn(at, at + 0.015, at + 1e9, TERMS)


def permit(clock: Clock, first: Turn | None, pace: Turns, *, lapses_at: float = 101.0) -> PacedPermit:
    return PacedPermit(MachinePermit(lapses_at, clock), first, Latecomers(pace), SPACINGS)


def test_a_turn_in_time_is_used() -> None:
    clock, pace = Clock(), Turns()
    asyncio.run(permit(clock, turn(100.0), pace).turn())
    assert pace.asked == []


def test_a_missed_turn_goes_back_and_another_is_waited_for() -> None:
    clock = Clock()
    missed, later = turn(99.9), turn(100.0)
    pace = Turns([later])
    paced = permit(clock, missed, pace)
    asyncio.run(paced.turn())
    assert pace.asked == [(1, [missed])]
    assert paced.left_at == 100.0


@pytest.mark.parametrize("answer", [[], OperationalError("SELECT", {}, Exception("away"))])
def test_without_another_turn_nothing_leaves(answer: object) -> None:
    paced = permit(Clock(), turn(99.9), Turns(answer))
    with pytest.raises(PermitLapsedError):
        asyncio.run(paced.turn())
    assert paced.left_at is None


def test_a_turn_beyond_the_permit_is_none() -> None:
    for first in (turn(101.5), None):
        paced = permit(Clock(), first, Turns())
        assert not asyncio.run(paced.is_near())
        with pytest.raises(PermitLapsedError):
            asyncio.run(paced.turn())


def test_a_request_that_is_written_long_after_its_turn_does_not_leave() -> None:
    clock = Clock()
    paced = permit(clock, turn(100.0), Turns())
    asyncio.run(paced.turn())
    clock.now = turn(100.0).until + WRITING
    paced.check()
    clock.now += 0.001
    with pytest.raises(PermitLapsedError):
        paced.check()


def test_many_latecomers_share_one_request_and_the_most_urgent_are_served_first() -> None:
    missed, pace = turn(99.9), Turns([turn(100.1)], [turn(100.2), turn(100.3)])

    async def all_at_once() -> list[object]:
        late = Latecomers(pace)
        asked = [late.next_turn(missed, SPACINGS, lapses_at=at) for at in (101.0, 100.9, 100.5, 100.7)]
        first = asyncio.create_task(asked[0])
        await asyncio.sleep(0)  # it asks by itself; the others come while it does
        others = [asyncio.create_task(each) for each in asked[1:]]
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, last, soonest, second = asyncio.run(all_at_once())
    assert [each[0] for each in pace.asked] in ([1, 3], [4])
    if len(pace.asked) == 2:
        assert (first.at, soonest.at, second.at) == (100.1, 100.2, 100.3)
        assert isinstance(last, PermitLapsedError)


def test_a_fault_in_finding_turns_is_no_end_of_finding_them() -> None:
    pace = Turns(ValueError("unforeseen"), [turn(100.5)])

    async def twice() -> Turn:
        late = Latecomers(pace)
        with pytest.raises(PermitLapsedError):
            await late.next_turn(turn(99.9), SPACINGS, lapses_at=101.0)
        await asyncio.sleep(0)
        return await late.next_turn(turn(99.9), SPACINGS, lapses_at=101.0)

    assert asyncio.run(twice()).at == 100.5


def test_a_fault_in_finding_turns_for_one_campaign_leaves_no_other_waiting() -> None:
    pace = Turns(ValueError("unforeseen"), [turn(100.5)])

    async def both() -> list[object]:
        late = Latecomers(pace)
        asked = [late.next_turn(turn(99.9), {name: 0.05}, lapses_at=101.0) for name in ("account:g", "campaign:7")]
        async with asyncio.timeout(5):
            return await asyncio.gather(*asked, return_exceptions=True)

    assert sorted(type(each).__name__ for each in asyncio.run(both())) == ["PermitLapsedError", "Turn"]


def test_who_waits_for_another_turn_waits_no_longer_than_the_permit_lives() -> None:
    clock, answered = Clock(), threading.Event()

    class Stuck(Turns):
        def take(self, spacings, count, *, until, missed=()):
            answered.wait(30)
            return super().take(spacings, count, until=until, missed=missed)

    async def wait() -> None:
        try:
            await permit(clock, turn(99.9), Stuck([turn(100.005)]), lapses_at=100.01).turn()
        finally:
            answered.set()

    with pytest.raises(PermitLapsedError):
        asyncio.run(asyncio.wait_for(wait(), 10))


def test_no_turn_is_taken_for_who_has_gone_meanwhile() -> None:
    """It would be lost: nobody dials at it, and nobody gives it back."""
    first, second, third = turn(99.7), turn(99.8), turn(99.9)
    serving, go_on = threading.Event(), threading.Event()

    class SlowTurns(Turns):
        def take(self, spacings, count, *, until, missed=()):
            if not self.asked:
                serving.set()
                assert go_on.wait(10)
            return super().take(spacings, count, until=until, missed=missed)

    pace = SlowTurns([turn(100.0)], [turn(100.1)])

    async def run() -> None:
        late = Latecomers(pace)
        served = asyncio.create_task(late.next_turn(first, SPACINGS, lapses_at=101.0))
        await asyncio.to_thread(serving.wait, 10)
        leaving = asyncio.create_task(late.next_turn(second, SPACINGS, lapses_at=101.0))
        staying = asyncio.create_task(late.next_turn(third, SPACINGS, lapses_at=101.0))
        await asyncio.sleep(0)
        leaving.cancel()
        go_on.set()
        await asyncio.gather(served, staying)

    asyncio.run(run())
    assert pace.asked == [(1, [first]), (1, [second, third])]
