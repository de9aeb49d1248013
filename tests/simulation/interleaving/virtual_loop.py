"""An event loop that runs one callback when the stage says so, and whose time is the stage's."""

import asyncio
import heapq
from asyncio.futures import _chain_future  # type: ignore[attr-defined]
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from interleaving.stage import Broken, Stage, VirtualFuture


class VirtualLoop(asyncio.AbstractEventLoop):
    """As much of a loop as tasks, futures, sleeps and `to_thread` need."""

    def __init__(self, stage: Stage, process: Any, priority: float) -> None:
        self.process = process
        self.priority = priority
        self.name = f"{process.name}.loop"
        self._stage = stage
        self._soon: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        stage.loops.append(self)

    # --- for the stage -----------------------------------------------------------------------------------------

    def is_ready(self) -> bool:
        self._drop_cancelled()
        if self.process.is_frozen:
            return False
        return bool(self._soon) or bool(self._timers and self._timers[0].when() <= self.time())

    def next_timer(self) -> float | None:
        self._drop_cancelled()
        if self.process.is_frozen or not self._timers:
            return None
        return self._timers[0].when() - self.process.clock_offset

    def step(self) -> None:
        """Run one callback."""
        while self._timers and self._timers[0].when() <= self.time():
            self._soon.append(heapq.heappop(self._timers))
        handle = self._soon.popleft()
        asyncio._set_running_loop(self)
        try:
            if not handle.cancelled():
                handle._run()
        finally:
            asyncio._set_running_loop(None)

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0].cancelled():
            heapq.heappop(self._timers)

    def submit(self, work: Coroutine[Any, Any, Any]) -> VirtualFuture:
        """The services' `run_async`."""
        answer = VirtualFuture()
        _chain_future(self.create_task(work), answer)
        return answer

    def close(self) -> None:
        """Forget what is still under way, without a word."""
        asyncio._set_running_loop(self)
        try:
            for task in list(self._tasks):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                task.get_coro().close()  # type: ignore[union-attr]
        finally:
            asyncio._set_running_loop(None)
        self._soon.clear()
        self._timers.clear()

    # --- for asyncio -------------------------------------------------------------------------------------------

    def time(self) -> float:
        return self.process.clock()

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when they come up."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """In an actor of its own, as `to_thread` has it in a thread."""
        answer = self.create_future()

        def work() -> None:
            try:
                value = func(*args)
            except Exception as error:
                self.call_soon(_fail, answer, error)
            else:
                self.call_soon(_succeed, answer, value)

        self._stage.spawn(f"{self.process.name}.thread", self.process, work)
        return answer

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not self.process.is_dead and not self.process.expects(error):
            self.process.faults.append(Broken(f"{self.name}: {context['message']}: {error!r}"))

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False


def _succeed(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
