"""Waiting: for a slow pace, after a step of the database's clock, and for locks taken the other way round."""

import asyncio
from concurrent.futures import ThreadPoolExecutor, TimeoutError, wait
from datetime import timedelta

from sqlalchemy import text

from campaigns.providers.contract import NotDialed, NotDialedKind, PermitLapsedError, Phase, Placed
from campaigns.services.machine_clock import monotonic

PATIENCE = 4.0
"""Seconds: several permit lifetimes, and far less than the waits that are meant."""


def numbers(count):
    return [f"+121255501{index:02d}" for index in range(count)]


def comes_back(world):
    """Whether the worker threads that took the waiting messages are free again soon."""
    with ThreadPoolExecutor(4) as worker:
        tasks = [
            worker.submit(world.dispatch.run, refs, campaign_id=campaign_id, task_id="t")
            for campaign_id, refs in world.publisher.messages
        ]
        world.publisher.messages = []
        try:
            for task in tasks:
                task.result(PATIENCE)
        except TimeoutError:
            return False
        finally:
            world.dispatch.stop()
    return True


def test_one_call_a_minute_holds_no_worker_thread_for_that_minute(world):
    campaign = world.campaign()
    world.sql("UPDATE accounts SET calls_per_second = 1.0 / 60")
    for number in numbers(3):
        world.call(campaign, number)
    world.dial_all()
    assert len(world.provider.dials) == 1
    world.feed.run("g")
    assert comes_back(world)


def test_a_clock_of_the_database_that_steps_back_does_not_stop_all_dialing(world):
    campaign = world.campaign()
    for number in numbers(2):
        world.call(campaign, number)
    # As it looks after the clock was set back by an hour: the last dial took its instant an hour from now.
    world.sql("INSERT INTO pace (scope, next_at) VALUES ('account:g', now() + interval '1 hour')")
    world.feed.run("g")
    assert comes_back(world)


def test_keeping_a_call_alive_and_recording_its_end_take_their_locks_in_one_order(world):
    world.sql("UPDATE accounts SET webhooks = false")
    call = world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    attempt_id = world.newest_attempt(call)
    world.pass_time(timedelta(seconds=3))
    with ThreadPoolExecutor(1) as other, world.database.connect() as recording:
        recording.execute(text("SET LOCAL lock_timeout = '5s'"))
        run = world.recorder.run

        def record_and_let_another_recording_begin(facts):
            """The report of the call's end is being recorded: call and attempt are locked, the number comes last."""
            recorded = run(facts)
            recording.execute(text("SELECT FROM calls WHERE id = :id FOR UPDATE"), {"id": call})
            recording.execute(text("UPDATE attempts SET ended_at = now() WHERE id = :id"), {"id": attempt_id})
            return recorded

        world.recorder.run = record_and_let_another_recording_begin
        polling = other.submit(world.poll.run)
        wait([polling], timeout=0.4)
        recording.execute(text("DELETE FROM live WHERE attempt_id = :id"), {"id": attempt_id})
        recording.commit()
        polling.result()


def test_a_daily_line_limit_is_not_asked_for_by_every_call_of_the_line(world):
    campaign = world.campaign()
    world.sql("UPDATE campaigns SET lines = ARRAY['line-9']")
    for number in numbers(8):
        world.call(campaign, number)
    world.sql("UPDATE accounts SET concurrency = 1")
    world.provider.answer = lambda request: NotDialed(NotDialedKind.LINE_LIMIT, "400: daily limit")
    for _ in range(8):
        world.dial_all()
    assert len(world.provider.dials) <= 2


def test_dials_that_waited_for_a_connection_do_not_leave_together_with_later_ones(world):
    campaign = world.campaign()
    world.sql("UPDATE accounts SET calls_per_second = 30")  # a fast account: one message, one group
    for number in numbers(60):
        world.call(campaign, number)
    left_at = []

    async def dial(request):
        """As every client does: get a connection, look at the permit once more, write."""
        if len(world.provider.dials) < 15:  # the first connections are new; a handshake takes 0.45 s
            world.provider.dials.append(request)
            await asyncio.sleep(0.45)
        try:
            await request.permit.turn()
        except PermitLapsedError:
            return NotDialed(NotDialedKind.PERMIT_LAPSED, "too late")
        left_at.append(monotonic())
        return Placed(f"call-{request.attempt_id}")

    world.provider.dial = dial
    for _ in range(2):
        world.dial_all()
    assert max(sum(start <= at < start + 1 for at in left_at) for start in left_at) <= 30
