"""One asyncio loop per process, in a thread of its own: every provider request of the process runs on it.

Worker threads wait for Postgres; the requests wait here, hundreds at a time, over the same kept-alive connections.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

STOP_TIMEOUT = timedelta(seconds=5)


class HttpLoop:
    """Started lazily by the first `submit`, so that a process that forks first has no dead thread in its children."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def submit(self, work: Coroutine[Any, Any, ResultT]) -> Future[ResultT]:
        """Run `work` on the loop. This is the `run_async` that services ask for."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def stop(self) -> None:
        """Cancel what still runs and end the thread; harmless when it never started. May be started again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result(STOP_TIMEOUT.total_seconds())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_TIMEOUT.total_seconds())

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="http-loop", daemon=True)
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
