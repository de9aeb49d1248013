"""One schedule from its seed: chaos, calm, verdict; and how a failing one is made smaller."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from uuid import UUID

from sqlalchemy import Engine

from campaigns.services import claim, results
from interleaving import verdict
from interleaving.calm import Calm
from interleaving.chaos import INJECTIONS, Chaos
from interleaving.dice import Dice
from interleaving.provider_client import DIAL_FAULTS
from interleaving.replacing import replaced
from interleaving.stage import Broken, Threads, VirtualFuture
from interleaving.virtual_sql import Cleaner, VirtualSql, is_injected
from interleaving.world import World

STEPS = 400
"""Of chaos: enough for some ten dials, each with about forty pauses."""
FAULTS = (*INJECTIONS, *DIAL_FAULTS, "delay", "webhooks", "database", "reads", "stuck", "endless", "lag")
"""All that can be left out by name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a schedule is: the same plan is the same schedule."""

    seed: int
    steps: int = STEPS
    without: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    """The faults that there are; empty: a choice of all, by chance."""
    skip: frozenset[int] = frozenset()
    """Steps in which nothing is thrown in."""

    @property
    def command(self) -> str:
        """How to repeat it."""
        without = "".join(f" --without {each}" for each in sorted(self.without))
        only = "".join(f" --only {each}" for each in sorted(self.only))
        skip = "".join(f" --skip {each}" for each in sorted(self.skip))
        return f"python -m interleaving --seed {self.seed} --steps {self.steps}{only}{without}{skip}"


@dataclass(frozen=True, slots=True)
class Played:
    """How a schedule went. `broken` None: every promise held."""

    plan: Plan
    trace: Sequence[str]
    broken: str | None = None
    requests: int = 0
    accepted: int = 0
    commits: int = 0
    injected: tuple[int, ...] = ()
    ends: tuple[str, ...] = field(default=())

    def story(self, *, most: int = 150) -> str:
        """For a person: what broke, how it came about, how to see it again."""
        left_out = max(0, len(self.trace) - most)
        head = [f"  … {left_out} lines before …"] if left_out else []
        return "\n".join(
            [
                f"BROKEN: {self.broken}",
                *head,
                *self.trace[-most:],
                f"BROKEN: {self.broken}",
                f"repeat: {self.plan.command}",
            ]
        )


class Theatre:
    """Where schedules are played, one after the other, in one database."""

    def __init__(self, engine: Engine) -> None:
        self.sql = VirtualSql(engine)
        self._cleaner = Cleaner(engine)
        self._threads = Threads()

    def close(self) -> None:
        self._threads.stop()
        self.sql.close()

    def play(self, plan: Plan, *, shared: Random | None = None) -> Played:
        """Play it to its end, or until a promise breaks."""
        self._cleaner.clean()
        dice = Dice(plan.seed, shared=shared)
        world: World | None = None
        broken: str | None = None
        chaos: Chaos | None = None
        with _replaced(dice):
            world = World(dice, self.sql, self._threads, without=_left_out(plan, dice), only=plan.only)
            try:
                with _listening(world):
                    chaos = Chaos(world, skip=plan.skip)
                    for number in range(plan.steps):
                        chaos.step(number)
                    calm_at = world.stage.now
                    Calm(world).run()
                    verdict.judge(world, calm_at=calm_at)
            except Broken as error:
                broken = str(error)
            finally:
                self._leave(world)
        return Played(
            plan,
            tuple(world.trace.lines),
            broken,
            requests=len(world.promises.leaves),
            accepted=len(world.model.calls),
            commits=world.promises.commits,
            injected=tuple(chaos.injected) if chaos else (),
            ends=world.promises.states(),
        )

    def _leave(self, world: World) -> None:
        for process in [*world.processes, world.web, world.office]:
            process.kill()

    def shrunk(self, played: Played) -> Played:
        """A smaller schedule that breaks a promise too: fewer steps, then fewer faults, then fewer things thrown in."""
        best = self._fewer_steps(played)
        for fault in FAULTS:
            best = self._if_broken(replace(best.plan, without=best.plan.without | {fault})) or best
        for number in best.injected:
            best = self._if_broken(replace(best.plan, skip=best.plan.skip | {number})) or best
        return best

    def _fewer_steps(self, played: Played) -> Played:
        best, fewest, most = played, 0, played.plan.steps
        while fewest < most:
            middle = (fewest + most) // 2
            tried = self._if_broken(replace(played.plan, steps=middle))
            best, fewest, most = (tried, fewest, middle) if tried else (best, middle + 1, most)
        return best

    def _if_broken(self, plan: Plan) -> Played | None:
        played = self.play(plan)
        return played if played.broken else None


def _left_out(plan: Plan, dice: Dice) -> frozenset[str]:
    """Each schedule has some of the faults only: with all of them at once, none gets to do what it could."""
    rng = dice.stream("faults")
    drawn = {fault for fault in FAULTS if rng.random() < 0.5}
    return plan.without | (frozenset(FAULTS) - (plan.only or drawn))


@contextmanager
def _replaced(dice: Dice) -> Iterator[None]:
    """What the services take from outside without being given it: ids, futures, one clock that only measures."""
    ids = dice.stream("attempt ids")
    numbers = count(1)

    def next_id() -> UUID:
        return UUID(int=(next(numbers) << 64) | ids.getrandbits(64))

    with replaced(claim, uuid4=next_id), replaced(results, Future=VirtualFuture):
        yield


class _Listener(logging.Handler):
    """What the services write into the log goes into the trace; an error that nobody made up breaks the schedule."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        actor = self._world.stage.current
        self._world.trace.note(actor.name if actor else "log", f"logs {record.getMessage()}")
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not is_injected(error) and not isinstance(error, Broken):
            self.found.append(f"{record.getMessage()}: {error!r}")


@contextmanager
def _listening(world: World) -> Iterator[None]:
    listener, log = _Listener(world), logging.getLogger("campaigns")
    propagates, level = log.propagate, log.level
    log.addHandler(listener)
    log.propagate = False
    log.setLevel(logging.WARNING)
    try:
        yield
        world.check_processes()
    finally:
        log.removeHandler(listener)
        log.propagate = propagates
        log.setLevel(level)
    if listener.found:
        raise Broken("a service logged an error that nobody made up: " + "; ".join(listener.found))
