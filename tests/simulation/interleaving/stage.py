"""The stage: actors in threads of which exactly one runs at any time, and a clock that moves only when told to.

An actor runs until its next pause: before a transaction, after its commit, before a message, while it waits. Whoever is
not chosen stands still, however much virtual time passes: that is a frozen worker, a slow network, a late tick.
"""

import heapq
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from interleaving.trace import BEGINNING, Trace


class Killed(BaseException):
    """Raised at the pause of an actor whose process is dead, so that its thread can be used again."""


class Broken(BaseException):
    """A promise is broken; says which, and by what."""


def _closed_gate() -> threading.Lock:
    """Opened by one thread for one other: cheaper than a semaphore, and there are never two of either."""
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(eq=False)
class Actor:
    """One task of one process."""

    number: int
    name: str
    process: Any
    priority: float
    until: Callable[[], bool] | None = None
    """What it waits for; None: nothing but its turn."""
    deadline: float | None = None
    """Virtual time at which it stops waiting."""
    done: bool = False
    error: BaseException | None = None
    doing: str = "begins"
    turn: threading.Lock = field(default_factory=_closed_gate)

    def is_ready(self, now: float) -> bool:
        if self.deadline is not None and now >= self.deadline:
            return True
        return self.until() if self.until is not None else self.deadline is None


class _Thread:
    """A thread that plays one actor after the other."""

    def __init__(self) -> None:
        self.has_work = _closed_gate()
        self.work: Callable[[], None] | None = None
        threading.Thread(target=self._run, name="actor", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.has_work.acquire()
            if self.work is None:
                return
            self.work()


class Threads:
    """Threads for all schedules of a process: starting one costs as much as a transaction."""

    def __init__(self) -> None:
        self._idle: list[_Thread] = []

    def play(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread that is then free for the next."""
        thread = self._idle.pop() if self._idle else _Thread()

        def run() -> None:
            try:
                work()
            finally:
                self._idle.append(thread)

        thread.work = run
        thread.has_work.release()

    def stop(self) -> None:
        """End the idle threads."""
        for thread in self._idle:
            thread.work = None
            thread.has_work.release()
        self._idle.clear()


class Stage:
    """Actors, timers and the clock of one schedule."""

    def __init__(self, trace: Trace, threads: Threads, priority: Callable[[], float]) -> None:
        self.trace = trace
        self.now = 0.0
        self.actors: list[Actor] = []
        self.loops: list[Any] = []
        self._threads = threads
        self._priority = priority
        self._events: list[tuple[float, int, str, Callable[[], None]]] = []
        self._numbers = count(1)
        self._back = _closed_gate()
        self._current: Actor | None = None
        trace.clock = lambda: self.now

    @property
    def current(self) -> Actor | None:
        """Who runs now; None: the schedule itself."""
        return self._current

    # --- time --------------------------------------------------------------------------------------------------

    @property
    def instant(self) -> datetime:
        """What the virtual clock on the wall shows."""
        return BEGINNING + timedelta(seconds=self.now)

    def seconds(self, instant: datetime) -> float:
        """Virtual time of an instant."""
        return (instant - BEGINNING).total_seconds()

    def advance(self, to: float) -> None:
        """Let time pass; never backwards. To the microsecond, as Postgres keeps it."""
        self.now = max(self.now, round(to + 5e-7, 6))

    def at(self, when: float, what: str, act: Callable[[], None]) -> None:
        """Something outside our processes happens at `when`, or as soon after as the schedule gets to it."""
        heapq.heappush(self._events, (when, next(self._numbers), what, act))

    def next_timer(self) -> float | None:
        """When something happens by itself; None: never."""
        waits = [actor.deadline for actor in self._awake() if actor.deadline is not None]
        waits += [when for loop in self.loops if (when := loop.next_timer()) is not None]
        waits += [self._events[0][0]] if self._events else []
        return min(waits, default=None)

    # --- who is next -------------------------------------------------------------------------------------------

    def ready(self) -> list[Any]:
        """Actors and loops that can go on now, and `None` for an event that is due, in a fixed order."""
        due: list[Any] = [None] if self._events and self._events[0][0] <= self.now else []
        actors = [actor for actor in self._awake() if actor.is_ready(self.now)]
        return due + actors + [loop for loop in self.loops if loop.is_ready()]

    def _awake(self) -> list[Actor]:
        return [actor for actor in self.actors if not actor.process.is_frozen]

    def go(self, who: Any) -> None:
        """Let one of `ready` go on to its next pause. Raises `Broken`."""
        if who is None:
            _, _, what, act = heapq.heappop(self._events)
            self.trace.note("world", what)
            act()
        elif isinstance(who, Actor):
            self._run(who)
        else:
            who.step()

    def spawn(
        self, name: str, process: Any, work: Callable[[], Any], *, report: Callable[[Any], None] | None = None
    ) -> Actor:
        """A new actor that is ready to begin. `report` is given what `work` returned."""
        actor = Actor(next(self._numbers), name, process, self._priority())

        def play() -> None:
            actor.turn.acquire()
            try:
                if process.is_dead:
                    raise Killed
                answer = work()
                if report is not None:
                    report(answer)
            except BaseException as error:
                actor.error = error
            actor.done = True
            self._back.release()

        self.actors.append(actor)
        self._threads.play(play)
        return actor

    def _run(self, actor: Actor) -> None:
        self._current = actor
        actor.until = actor.deadline = None
        actor.turn.release()
        self._back.acquire()
        self._current = None
        if actor.done:
            self.actors.remove(actor)
            self._judge(actor)

    def _judge(self, actor: Actor) -> None:
        error = actor.error
        if error is None or isinstance(error, Killed):
            return
        if isinstance(error, Broken):
            raise error
        self.trace.note(actor.name, f"failed: {type(error).__name__}")
        if not actor.process.expects(error):
            raise Broken(f"{actor.name} failed with {type(error).__name__}: {error}") from error

    def kill(self, process: Any) -> None:
        """Nothing of this process happens any more."""
        for actor in [each for each in self.actors if each.process is process]:
            while not actor.done:
                self._run(actor)
        self.loops = [loop for loop in self.loops if loop.process is not process]

    # --- from inside an actor ----------------------------------------------------------------------------------

    def pause(self, doing: str) -> None:
        """Others may go first; outside of an actor, nothing happens."""
        self._hand_back(doing)

    def wait(self, doing: str, *, until: Callable[[], bool] | None = None, seconds: float | None = None) -> None:
        """Stand still until the condition holds or the time is over. Raises `Killed`."""
        actor = self._current
        if actor is not None:
            actor.until = until
            actor.deadline = None if seconds is None else self.now + seconds
            self._hand_back(doing)

    def _hand_back(self, doing: str) -> None:
        actor = self._current
        if actor is None:
            return
        if actor.process.is_dead:
            raise Killed
        actor.doing = doing
        self._back.release()
        actor.turn.acquire()
        if actor.process.is_dead:
            raise Killed
        self.trace.note(actor.name, doing)


class VirtualEvent:
    """As `threading.Event`, on the stage."""

    def __init__(self, stage: Stage, doing: str) -> None:
        self._stage = stage
        self._doing = doing
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set and timeout != 0.0:
            self._stage.wait(self._doing, until=self.is_set, seconds=timeout)
        return self._is_set


class VirtualTurnstile:
    """As `threading.Semaphore`, on the stage."""

    def __init__(self, stage: Stage, doing: str, *, places: int) -> None:
        self._stage = stage
        self._doing = doing
        self._places = places

    def __enter__(self) -> None:
        if self._places == 0:
            self._stage.wait(self._doing, until=lambda: self._places > 0)
        self._places -= 1

    def __exit__(self, *_: object) -> None:
        self._places += 1


class VirtualFuture(Future[Any]):
    """As `concurrent.futures.Future`; waiting for it lets others go on."""

    stage: Stage
    """Of the schedule that runs in this process right now."""

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            self.stage.wait("waits for an answer", until=self.done, seconds=timeout)
        return super().result(0)
