"""Calm: every part works again, and time passes until all is over. Whoever is not settled by then is lost."""

from random import Random

from interleaving.stage import Broken
from interleaving.world import World

MOST_STEPS = 60_000
MOST_TICKS = 1_500
"""Some ten times of what a schedule needs: beyond that it goes in circles."""
MOST_IDLE_TICKS = 200
"""In a row, without any call that moves: three times what whole schedules need."""
BEATS = {"seal": 1.0, "feed": 1.0, "inbox": 1.0, "rescue": 2.0, "poll": 2.0, "reconcile": 1.0, "late_ring": 5.0}
"""Seconds between a service's ticks, as beat has them; one second for those not named."""
GROWING = frozenset({"feed", "ask_back", "poll", "decide"})
LONGEST_GAP = 3600.0
"""Services that would find the same as a second ago are asked again after up to so long: two feeds of a full account,
two looks at a call that talks."""


PROVIDER_FAULTY_FOR = 1200.0
"""Seconds for which requests and webhooks still go wrong: their faults need no help of ours to be met often."""


class Calm:
    """The second part of a schedule."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(world.dice.stream("calm").random())
        self._last: dict[str, float] = {}
        self._gap: dict[str, float] = {}
        self._steps = 0
        self._ticks = 0
        self._moves = self._moved_at = 0

    def run(self) -> None:
        """Until nothing is open. Raises `Broken`."""
        self._heal()
        while True:
            self._settle()
            looks = self._world.looks.next()
            if not self._world.scenario.attended:
                looks.pop("decide", None)
            if looks.pop("open", None) is None and not self._world.broker.messages:
                return
            self._go_on({service: self._world.stage.seconds(at) for service, at in looks.items()})

    def _heal(self) -> None:
        world = self._world
        world.trace.note("world", "from here on all is well")
        world.is_healthy = True
        world.stage.at(world.stage.now + PROVIDER_FAULTY_FOR, "the provider is well again", self._heal_provider)
        world.broker.is_down = False
        world.database_down_until = 0.0
        for process in [*world.processes, world.web, world.office]:
            process.frozen_until = min(process.frozen_until, world.stage.now)
            process.fault_rate = 0.0
        for process in [each for each in world.processes if each.dispatch._stopping.is_set()]:
            world.kill(process)
        self._settle_until_switched()
        world.people.switch("start", None)
        self._settle_until_switched()
        for campaign in world.scenario.campaigns:
            world.people.switch("resume", campaign.name)
            self._settle_until_switched()

    def _heal_provider(self) -> None:
        self._world.model.is_healthy = True

    def _settle_until_switched(self) -> None:
        self._settle()
        while self._world.people.is_switching:
            self._advance_to(self._world.stage.next_timer())
            self._settle()

    def _settle(self) -> None:
        """Let everyone go on who can, and take what waits in the broker."""
        world = self._world
        while True:
            while (waiting := world.broker.waiting()) and (free := world.free_threads()):
                world.deliver(world.broker.take(waiting[0]), free[0])
            while world.broker.nudges and world.workers():
                subject = world.broker.nudges.pop(0)
                worker = self._rng.choice(world.workers())
                _ = world.tick("inbox", worker) if subject == "inbox" else world.feed(subject, worker)
                self._gap.clear()
            ready = world.stage.ready()
            if not ready:
                return
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise Broken("it does not settle: it goes on for ever at one instant")
            world.stage.go(self._rng.choice(ready))

    def _go_on(self, looks: dict[str, float]) -> None:
        """Tick what is due, or let time pass to the next thing that happens."""
        world = self._world
        allowed = {service: max(at, self._allowed(service)) for service, at in looks.items()}
        due = [service for service, at in allowed.items() if at <= world.stage.now]
        if due and world.workers():
            for service in due:
                self._tick(service)
            return
        timer = world.stage.next_timer()
        times = [at for at in (*allowed.values(), timer) if at is not None and at > world.stage.now]
        if not times:
            self._fail("nothing will ever happen again, and something is open")
        self._advance_to(min(times))

    def _allowed(self, service: str) -> float:
        return self._last.get(service, 0.0) + self._gap.get(service, BEATS.get(service, 1.0))

    def _tick(self, service: str) -> None:
        self._ticks += 1
        if self._moves != self._world.promises.moves:
            self._moves, self._moved_at = self._world.promises.moves, self._ticks
        if self._ticks > MOST_TICKS or self._ticks - self._moved_at > MOST_IDLE_TICKS:
            self._fail("it does not settle")
        if service in GROWING:
            self._gap[service] = min(2 * self._gap.get(service, 1.0), LONGEST_GAP)
        self._last[service] = self._world.stage.now
        if service == "decide":
            self._world.people.decide(self._rng)
            return
        self._world.tick(service, self._rng.choice(self._world.workers()))

    def _advance_to(self, when: float | None) -> None:
        stage = self._world.stage
        if when is None:
            self._fail("nothing will ever happen again")
        else:
            stage.advance(max(when, stage.now))

    def _fail(self, why: str) -> None:
        calls = self._world.sql.look("SELECT id, state FROM calls WHERE final_at IS NULL ORDER BY id")
        raise Broken(f"{why}; open calls: {', '.join(f'{each.id} {each.state}' for each in calls) or 'none'}")
