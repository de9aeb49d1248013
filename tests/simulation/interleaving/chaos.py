"""Chaos: at each step perhaps a fault or an act from outside, then one of those that are ready goes on."""

from random import Random
from typing import Any

from interleaving.process import Process
from interleaving.scenario import NUMBERS
from interleaving.world import World

INJECTIONS = {
    "kill": 2,
    "freeze": 3,
    "redeliver": 3,
    "lose": 2,
    "flush": 1,
    "broker_down": 1,
    "database_down": 0.5,
    "revoke": 1.5,
    "pause": 1.5,
    "cancel": 0.15,
    "stop": 1.5,
    "call_back": 0.5,
    "decide": 1,
    "retire": 0.5,
}
"""What may be thrown in, and how often compared with the others."""
INJECTION_RATE = 0.01
BUSY_INJECTION_RATE = 0.04
"""The same while a call is on its way to its provider, where it hurts most."""
TICKS = {
    "feed": 5,
    "inbox": 3,
    "rescue": 2,
    "poll": 2,
    "reconcile": 2,
    "late_ring": 1,
    "ask_back": 1,
    "roll_on": 1,
    "seal": 1,
}
TICK_RATE = 0.04
IDLE_TICK_RATE = 0.7
"""The same when nobody can go on: as long as beat lives, a second brings its ticks."""
PURPOSE = 0.7
"""How often a tick is one that finds something to do; the others only cost time, as most of beat's do."""
MOST_OF_A_KIND = 2
"""Ticks of one service at once: two beats."""
FROZEN_FOR = (0.3, 1.2, 3.0, 16.0, 40.0)
"""Seconds: shorter and longer than a permit, a lease, and the time after which a dial counts as silent."""


class Chaos:
    """The first part of a schedule. `skip`: steps in which nothing is thrown in."""

    def __init__(self, world: World, *, skip: frozenset[int]) -> None:
        self._world = world
        self._skip = skip
        self._orderly = world.dice.stream("order").random() < 0.5
        """Whether the one with the highest priority goes on, or just anyone."""
        self.injected: list[int] = []
        """Steps in which something was thrown in."""

    def step(self, number: int) -> None:
        """One step. Raises `Broken`."""
        world, rng = self._world, self._world.dice.stream(f"step {number}")
        busy = self._world.promises.calls_in("queued", "dialing")
        if rng.random() < (BUSY_INJECTION_RATE if busy else INJECTION_RATE):
            weights = [0.0 if what in world.without else weight for what, weight in INJECTIONS.items()]
            what = rng.choices(list(INJECTIONS), weights)[0] if any(weights) else None
            if what is not None and number not in self._skip:
                self.injected.append(number)
                self._inject(what, rng)
        if rng.random() < TICK_RATE:
            self._tick(rng)
        self._take_work(rng)
        ready = world.stage.ready()
        if not ready and rng.random() < IDLE_TICK_RATE:
            self._tick(rng)
            return
        if ready and rng.random() < 0.96:
            world.stage.go(self._choice(ready, rng))
        else:
            self._pass_time(rng)

    def _choice(self, ready: list[Any], rng: Random) -> Any:
        if not self._orderly or None in ready:
            return rng.choice(ready)
        chosen = max(ready, key=lambda each: each.priority)
        if rng.random() < 0.05:
            chosen.priority = rng.random() - 1
        return chosen

    def _pass_time(self, rng: Random) -> None:
        """To the next thing that happens by itself, or somewhat beyond it."""
        stage = self._world.stage
        upcoming = stage.next_timer()
        most = stage.now + (rng.choice([0.1, 0.3, 1.0]) if rng.random() < 0.9 else rng.choice([5.0, 20.0, 60.0]))
        to = most if upcoming is None else min(upcoming, most)
        if rng.random() < 0.2:
            to = max(to, stage.now) + rng.choice([0.001, 0.01, 0.05, 0.3, 1.0, 2.0])
        stage.advance(to)

    # --- work arrives ------------------------------------------------------------------------------------------

    def _tick(self, rng: Random) -> None:
        workers = self._world.workers()
        service = rng.choices(list(TICKS), list(TICKS.values()))[0]
        if rng.random() < PURPOSE and (due := self._due()):
            service = rng.choice(due)
        if workers and sum(process.tasks(service) for process in workers) < MOST_OF_A_KIND:
            self._world.tick(service, rng.choice(workers))

    def _due(self) -> list[str]:
        """Services that would find something to do."""
        now = self._world.stage.instant
        return [service for service, at in self._world.looks.next().items() if at <= now and service in TICKS]

    def _take_work(self, rng: Random) -> None:
        world = self._world
        if (waiting := world.broker.waiting()) and (free := world.free_threads()) and rng.random() < 0.5:
            world.deliver(world.broker.take(rng.choice(waiting)), rng.choice(free))
        if world.broker.nudges and (workers := world.workers()) and rng.random() < 0.3:
            subject = world.broker.nudges.pop(0)
            if subject == "inbox":
                world.tick("inbox", rng.choice(workers))
            else:
                world.feed(subject, rng.choice(workers))

    # --- faults ------------------------------------------------------------------------------------------------

    def _inject(self, what: str, rng: Random) -> None:
        workers = self._world.workers()
        act = getattr(self, f"_{what}")
        if what in ("kill", "freeze", "retire"):
            if workers:
                act(rng.choice(workers), rng)
        else:
            act(rng)

    def _kill(self, process: Process, rng: Random) -> None:
        self._world.kill(process)

    def _freeze(self, process: Process, rng: Random) -> None:
        seconds = rng.choice(FROZEN_FOR) * rng.uniform(0.8, 1.2)
        process.frozen_until = self._world.stage.now + seconds
        self._world.trace.note("world", f"SIGSTOP {process.name} for {seconds:.2f} s")
        self._world.stage.at(process.frozen_until, f"SIGCONT {process.name}", lambda: None)

    def _retire(self, process: Process, rng: Random) -> None:
        self._world.trace.note("world", f"{process.name} is to claim no more")
        process.dispatch.stop()
        self._world.stage.at(self._world.stage.now + 30.0, f"{process.name} ends", lambda: self._end(process))

    def _end(self, process: Process) -> None:
        if not process.is_dead:
            self._world.kill(process)

    def _redeliver(self, rng: Random) -> None:
        """Now or much later: when its calls are long over, or wait for their next try."""
        broker, stage = self._world.broker, self._world.stage
        if broker.taken:
            message = rng.choice(broker.taken)
            after = rng.choice([0.0, 5.0, 60.0, 400.0, 4000.0])
            stage.at(stage.now + after, f"{message} comes once more", lambda: broker.come_again(message))

    def _lose(self, rng: Random) -> None:
        broker = self._world.broker
        if broker.messages:
            lost = broker.messages.pop(rng.randrange(len(broker.messages)))
            self._world.trace.note("world", f"{lost} is lost")

    def _flush(self, rng: Random) -> None:
        self._world.trace.note("world", "FLUSHALL")
        self._world.broker.flush()

    def _broker_down(self, rng: Random) -> None:
        broker = self._world.broker
        broker.is_down = True
        self._world.trace.note("world", "the broker goes down")
        self._world.stage.at(self._world.stage.now + rng.uniform(1.0, 30.0), "the broker is back", self._broker_up)

    def _broker_up(self) -> None:
        self._world.broker.is_down = False

    def _database_down(self, rng: Random) -> None:
        seconds = rng.uniform(0.2, 30.0)
        self._world.database_down_until = self._world.stage.now + seconds
        self._world.trace.note("world", f"the database is away for {seconds:.1f} s")

    def _hold_up(self, rng: Random) -> None:
        """Often, what is under way when somebody forbids it arrives only when the forbidding has returned."""
        if self._world.broker.messages and rng.random() < 0.5:
            self._world.broker.hold_up(self._world.stage.now + rng.uniform(1.1, 8.0))

    # --- people ------------------------------------------------------------------------------------------------

    def _revoke(self, rng: Random) -> None:
        self._hold_up(rng)
        busy = self._world.promises.calls_in("queued", "dialing")
        numbers = [self._world.numbers[call_id] for call_id in busy]
        self._world.people.revoke(rng.choice(numbers if numbers and rng.random() < 0.8 else NUMBERS))

    def _call_back(self, rng: Random) -> None:
        self._world.people.call_back(rng.choice(NUMBERS))

    def _decide(self, rng: Random) -> None:
        self._world.people.decide(rng)

    def _pause(self, rng: Random) -> None:
        self._toggle(rng, "pause", "resume", rng.choice([each.name for each in self._world.scenario.campaigns]))

    def _stop(self, rng: Random) -> None:
        self._toggle(rng, "stop", "start", None)

    def _toggle(self, rng: Random, off: str, on: str, campaign: str | None) -> None:
        world = self._world
        self._hold_up(rng)
        world.people.switch(off, campaign)
        back = world.stage.now + rng.uniform(0.5, 90.0)
        world.stage.at(back, f"somebody types {on}", lambda: world.people.switch(on, campaign))

    def _cancel(self, rng: Random) -> None:
        self._world.people.switch("cancel", rng.choice([each.name for each in self._world.scenario.campaigns]))
