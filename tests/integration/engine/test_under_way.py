"""A worker's thread does not wait for the provider's answers; the process does, before it ends."""

import asyncio
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, TimeoutError, wait

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.services.under_way import UnderWay

A_MOMENT = 0.2
HANGS, OTHER = "+12125550101", "+12125550102"


@pytest.fixture
def silent(world):
    """The provider takes requests and answers none until this is set."""
    answers, taken, dial = threading.Event(), threading.Event(), world.provider.dial

    async def slow(request):
        placed = await dial(request)
        taken.set()
        await asyncio.to_thread(answers.wait, 30)
        return placed

    world.provider.dial = slow
    world.taken = taken
    yield answers
    answers.set()
    world.dispatch.drain()


def begin(world, number="+12125550101"):
    call = world.call(world.campaign(), number)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    dispatched = world.dispatch.begin(refs, campaign_id=campaign_id, task_id="task-1")
    assert world.taken.wait(10)
    return call, dispatched


def test_a_thread_is_free_again_while_the_provider_is_silent(world, silent):
    call, dispatched = begin(world)
    assert dispatched.dialed == 1
    assert world.state(call) == "dialing"


def end_while_an_answer_is_missing(world, silent):
    """As a process ends: it waits for the answer, which comes, and for its record."""
    world.dispatch.stop()
    with ThreadPoolExecutor(1) as ending:
        drained = ending.submit(world.dispatch.drain)
        with pytest.raises(TimeoutError):
            drained.result(A_MOMENT)
        silent.set()
        drained.result(10)
    world.results.stop()


def test_a_process_that_ends_waits_for_what_is_under_way_and_puts_it_on_record(world, silent):
    call, _ = begin(world)
    end_while_an_answer_is_missing(world, silent)
    assert world.state(call) == "in_progress"
    world.finish(call, Outcome.ANSWERED)
    assert world.state(call) == "completed"


def test_a_dial_that_breaks_off_is_told_in_the_log_and_makes_room(world, caplog):
    async def broken(request):
        raise ValueError("unforeseen")

    world.provider.dial = broken
    call = world.call(world.campaign(), "+12125550101")
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    world.dispatch.begin(refs, campaign_id=campaign_id, task_id="task-1")
    world.dispatch.drain()
    assert f"dial_broke_off attempt_id={world.newest_attempt(call)}" in caplog.text
    assert world.dispatch._under_way.wait_for_room(0)
    assert (world.dispatch._under_way._unsent, world.dispatch._under_way._unanswered) == (0, 0)
    assert world.state(call) == "dialing", "rescue looks for its fate"


def begin_together(world):
    """A message of two calls; returns them."""
    campaign = world.campaign()
    calls = world.call(campaign, HANGS), world.call(campaign, OTHER)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    assert world.dispatch.begin(refs, campaign_id=campaign_id, task_id="task-1").dialed == 2
    return calls


def test_a_dial_without_an_answer_takes_the_room_of_one_and_not_of_its_group(world, silent):
    slow, dial = world.provider.dial, type(world.provider).dial

    async def hang_one(request):
        return await (slow(request) if request.number == HANGS else dial(world.provider, request))

    world.provider.dial = hang_one
    world.dispatch._under_way = UnderWay(most_unsent=9, most_unanswered=2)
    begin_together(world)
    assert world.dispatch._under_way.wait_for_room(10)


def test_what_breaks_off_does_not_take_the_others_of_its_group_along(world, silent):
    slow = world.provider.dial

    async def break_one(request):
        if request.number == OTHER:
            raise ValueError("unforeseen")
        return await slow(request)

    world.provider.dial = break_one
    hanging, _ = begin_together(world)
    end_while_an_answer_is_missing(world, silent)
    assert world.state(hanging) == "in_progress"


class CrowdedTurnstile:
    """Lets nobody through until this is opened; tells how many have come."""

    def __init__(self):
        self.come = threading.Semaphore(0)
        self._opened = threading.Event()
        self._one = threading.Lock()

    def __enter__(self):
        self.come.release()
        assert self._opened.wait(10)
        self._one.acquire()

    def __exit__(self, *error):
        self._one.release()

    def open(self):
        self._opened.set()


class NoAnswers(UnderWay):
    """What is under way stays so."""

    def answered(self):
        pass


def test_threads_that_wait_for_each_other_look_for_room_once_it_is_their_turn(world):
    """Eight of them would else claim eight groups into the room of one."""
    world.dispatch._under_way = NoAnswers(most_unsent=9, most_unanswered=1)
    world.dispatch._turnstile = turnstile = CrowdedTurnstile()
    campaign = world.campaign()
    for number in (HANGS, OTHER):
        world.call(campaign, number)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    with ThreadPoolExecutor(2) as threads:
        begun = [threads.submit(world.dispatch.begin, [ref], campaign_id=campaign_id, task_id="task-1") for ref in refs]
        assert turnstile.come.acquire(timeout=10)
        assert turnstile.come.acquire(timeout=10)
        turnstile.open()
        _, others = wait(begun, timeout=10, return_when=FIRST_COMPLETED)
        wait(others, timeout=A_MOMENT)
        world.dispatch.stop()
    assert sorted(each.result().dialed for each in begun) == [0, 1]


def test_a_process_that_ends_waits_for_a_claim_that_is_being_made(world, silent):
    """What it brings is still to be sent."""
    with ThreadPoolExecutor(1) as ending, world.dispatch._turnstile:
        drained = ending.submit(world.dispatch.drain)
        with pytest.raises(TimeoutError):
            drained.result(A_MOMENT)
