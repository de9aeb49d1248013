import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from campaigns.runtime.http_loop import HttpLoop


async def thread_name() -> str:
    return threading.current_thread().name


async def fail() -> None:
    raise ValueError("as told")


async def for_ever() -> None:
    await asyncio.Event().wait()


def test_work_runs_on_one_thread_of_its_own() -> None:
    loop = HttpLoop()
    assert {loop.submit(thread_name()).result(5) for _ in range(5)} == {"http-loop"}
    loop.stop()


def test_a_failure_reaches_whoever_waits() -> None:
    loop = HttpLoop()
    with pytest.raises(ValueError, match="as told"):
        loop.submit(fail()).result(5)
    loop.stop()


def test_stop_cancels_what_still_runs_and_ends_the_thread() -> None:
    loop = HttpLoop()
    endless = loop.submit(for_ever())
    loop.submit(thread_name()).result(5)
    loop.stop()
    with pytest.raises(CancelledError):
        endless.result(5)
    assert "http-loop" not in {thread.name for thread in threading.enumerate()}


def test_stopping_what_never_started_is_harmless() -> None:
    HttpLoop().stop()


def test_it_can_be_started_again() -> None:
    loop = HttpLoop()
    loop.submit(thread_name()).result(5)
    loop.stop()
    assert loop.submit(thread_name()).result(5) == "http-loop"
    loop.stop()
