"""A process: every service of a worker, wired as the composition root does it, with the world replaced around it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import Connection

from campaigns.providers.contract import VoiceProvider
from campaigns.services.ask_back import AskBack
from campaigns.services.callers import Callers
from campaigns.services.claim import Claim
from campaigns.services.dispatch import CLAIMS_AT_ONCE, Dispatch
from campaigns.services.feed import Feed
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.inbox import Inbox
from campaigns.services.late_ring import LateRing
from campaigns.services.pace import Pace
from campaigns.services.plans import Definitions
from campaigns.services.poll import Poll
from campaigns.services.reconcile import Reconcile
from campaigns.services.record import Recorder
from campaigns.services.rescue import Rescue
from campaigns.services.results import ResultWriter
from campaigns.services.roll_on import RollOn
from campaigns.services.seal import Seal
from interleaving.broker import Broker, SimulatedPublisher
from interleaving.stage import Stage, VirtualEvent, VirtualTurnstile
from interleaving.virtual_loop import VirtualLoop
from interleaving.virtual_sql import VirtualSql, injected, is_injected

DISPATCH_THREADS = 4
"""Dispatch tasks of a process at once."""


TRANSACTION_TAKES = 0.0002
"""Seconds: so that no two transactions happen in one instant, and it can be said which was first."""


class Database:
    """The engine that the services of one process are given: others may run before a transaction and after its commit,
    and the connection may be lost at each of these points."""

    def __init__(self, process: "Process", sql: VirtualSql, committed: Callable[[str], None]) -> None:
        self._process = process
        self._sql = sql
        self._committed = committed

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        process = self._process
        process.pause("begins a transaction")
        fault = process.database_fault()
        if fault == "refused":
            process.note("cannot reach the database")
            raise injected("refused")
        process.stage.advance(process.stage.now + TRANSACTION_TAKES)
        with self._sql.engine.begin() as connection:
            self._sql.wrote = False
            yield connection
            if fault == "lost":
                process.note("loses its connection before the commit")
                raise injected("lost")
        if self._sql.wrote:
            self._committed(process.who())
        process.pause("has committed" if self._sql.wrote else "has read")
        if fault == "unanswered":
            process.note("does not hear that the commit worked")
            raise injected("unanswered")


class Process:
    """Control and dispatch of one process. Killed, it is replaced by another one."""

    def __init__(
        self,
        name: str,
        stage: Stage,
        broker: Broker,
        sql: VirtualSql,
        *,
        clock_offset: float,
        committed: Callable[[str], None],
        chance: Callable[[str], Random],
    ) -> None:
        self.name = name
        self.stage = stage
        self.clock_offset = clock_offset
        self.is_dead = False
        self.frozen_until = 0.0
        self.faults: list[BaseException] = []
        self.fault_rate = 0.0
        self.database_is_down: Callable[[], bool] = lambda: False
        self._chance = chance
        self.database = Database(self, sql, committed)
        self.publisher = SimulatedPublisher(broker, self.pause)
        self.loop = VirtualLoop(stage, self, chance("loop priority").random())

    def start(self, providers: dict[str, VoiceProvider], gate: GateKeeper, definitions: Definitions) -> None:
        """Build the services, and begin to write results."""
        database: Any = self.database
        publisher, run_async = self.publisher, self.loop.submit
        recorder = Recorder(database, gate, definitions)
        simulators = frozenset(providers)
        looking = (database, recorder, providers, publisher)
        self.results = ResultWriter(recorder, publisher)
        self.dispatch = Dispatch(
            database,
            Claim(database, gate, definitions, clock=self.clock),
            Pace(database, self.clock),
            providers,
            self.results,
            simulators=simulators,
            run_async=run_async,
            public_url="http://127.0.0.1:1",
            clock=self.clock,
        )
        self.dispatch._stopping = VirtualEvent(self.stage, "waits for a turn")  # type: ignore[assignment]
        turnstile = VirtualTurnstile(self.stage, "waits to claim", places=CLAIMS_AT_ONCE)
        self.dispatch._turnstile = turnstile  # type: ignore[assignment]
        inbox, callers = Inbox(database, recorder, publisher), Callers(database)
        self.services: dict[str, Callable[[], object]] = {
            "inbox": lambda: (inbox.process(), callers.process()),
            "rescue": Rescue(database, recorder, publisher).run,
            "poll": Poll(*looking, simulators=simulators, run_async=run_async).run,
            "reconcile": Reconcile(*looking, simulators=simulators, run_async=run_async).run,
            "late_ring": LateRing(*looking, simulators=simulators, run_async=run_async).run,
            "ask_back": AskBack(database, providers, simulators=simulators, run_async=run_async).run,
            "roll_on": RollOn(database, gate, definitions).run,
            "seal": Seal(database).run,
        }
        self.feed = Feed(database, publisher)
        self.services["feed"] = self.feed_all
        self._write_results()

    def feed_all(self) -> None:
        """The feed's tick."""
        for limit_group in self.feed.limit_groups():
            self.feed.run(limit_group)

    def _write_results(self) -> None:
        self.results._stopping = FlushPause(self.stage, self.results)  # type: ignore[assignment]
        self.stage.spawn(f"{self.name}.results", self, self.results._run)

    # --- life --------------------------------------------------------------------------------------------------

    @property
    def is_frozen(self) -> bool:
        return self.stage.now < self.frozen_until

    def kill(self) -> None:
        """`kill -9`: what it had not done yet never happens."""
        self.is_dead = True
        self.stage.kill(self)
        self.loop.close()

    def tasks(self, kind: str) -> int:
        """How many tasks of this kind run here."""
        return sum(
            actor.process is self and actor.name.startswith(f"{self.name}.{kind}") for actor in self.stage.actors
        )

    def expects(self, error: BaseException) -> bool:
        """Whether the schedule made this error up."""
        return is_injected(error)

    # --- what the services meet -------------------------------------------------------------------------------

    def clock(self) -> float:
        """This process's monotonic clock: its zero is its own."""
        return self.stage.now + self.clock_offset

    def pause(self, doing: str) -> None:
        self.stage.pause(doing)

    def who(self) -> str:
        actor = self.stage.current
        return actor.name if actor is not None else self.name

    def note(self, what: str) -> None:
        self.stage.trace.note(self.who(), what)

    def database_fault(self) -> str | None:
        """What goes wrong with the transaction that begins now."""
        if self.database_is_down():
            return "refused"
        if self.fault_rate == 0.0:
            return None
        rng = self._chance("database")
        if rng.random() >= self.fault_rate:
            return None
        return rng.choice(["refused", "lost", "unanswered", "unanswered"])


class FlushPause(VirtualEvent):
    """The result writer's pause between flushes. With nothing to write it sleeps until there is, so that an idle
    writer does not chop virtual time into pieces of 30 ms."""

    def __init__(self, stage: Stage, results: ResultWriter) -> None:
        super().__init__(stage, "gathers results")
        self._results = results

    def wait(self, timeout: float | None = None) -> bool:
        if not self._has_work():
            self._stage.wait("has nothing to write", until=self._has_work)
        return super().wait(timeout)

    def _has_work(self) -> bool:
        return bool(self._results._waiting or self._results._locked_out) or self.is_set()
