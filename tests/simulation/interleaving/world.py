"""One schedule's world: stage, broker, provider, processes and people, and the ways in which things come about."""

from typing import Any

from campaigns.providers.contract import CallReport, Receipt
from campaigns.runtime.law import gatekeeper
from campaigns.services.inbox import Intake
from campaigns.services.plans import Definitions
from campaigns.services.record import Recorder
from interleaving import scenario as scenarios
from interleaving.broker import Broker, Message
from interleaving.dice import Dice
from interleaving.looks import Looks
from interleaving.people import People
from interleaving.process import DISPATCH_THREADS, Process
from interleaving.promises import Promises
from interleaving.provider_client import SimulatedAccount
from interleaving.provider_model import ProviderModel
from interleaving.stage import Stage, Threads, VirtualFuture
from interleaving.trace import Trace
from interleaving.virtual_sql import VirtualSql

WORKERS = ("alpha", "beta")
WEBHOOK_LATEST = 900.0
"""Seconds that a late webhook may take."""


class World:
    """Everything around the services, for one schedule."""

    def __init__(
        self, dice: Dice, sql: VirtualSql, threads: Threads, *, without: frozenset[str], only: frozenset[str]
    ) -> None:
        """`without`: faults that there are not; `only`: those that are meant, empty for all."""
        self.dice = dice
        self.without = without
        self.trace = Trace()
        self._priorities = dice.stream("priorities")
        self.stage = Stage(self.trace, threads, self._priorities.random)
        self.sql = sql
        self.scenario = scenarios.draw(dice.stream("scenario"))
        self.numbers = self.scenario.numbers
        self.stage.advance(self.scenario.begins_at)
        sql.now = lambda: self.stage.instant
        VirtualFuture.stage = self.stage
        self.broker = Broker(self.stage, self._delay)
        self.model = ProviderModel(self.stage, dice.stream, self._tell)
        self.model.without, self.model.only = without, only
        self.promises = Promises(self.stage, sql, self.model)
        self.looks = Looks(sql, lambda: self.promises.commits)
        self.database_down_until = 0.0
        self.is_healthy = False
        self._gate = scenarios.without_gap(gatekeeper())
        self._definitions = Definitions()
        self.processes: list[Process] = []
        self._build()

    # --- building ----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        with self.sql.begin() as connection:
            scenarios.build(connection, self.scenario, self._gate)
        self.promises.account_rate = self.scenario.calls_per_second
        for number, campaign in enumerate(self.scenario.campaigns, start=1):
            if "calls_per_second" in campaign.columns:
                self.promises.campaign_rates[number] = campaign.columns["calls_per_second"]
        self.promises.committed("scenario")
        for name in WORKERS:
            self.start(name)
        self.web = self._process("web")
        at_web: Any = self.web.database
        self.intake = Intake(at_web)
        self.office = self._process("office")
        at_office: Any = self.office.database
        self.people = People(self, Recorder(at_office, self._gate, self._definitions))

    def _process(self, name: str) -> Process:
        process = Process(
            name,
            self.stage,
            self.broker,
            self.sql,
            clock_offset=self.dice.next("clock").uniform(0, 1000),
            committed=self.promises.committed,
            chance=self.dice.next,
        )
        process.database_is_down = lambda: self.stage.now < self.database_down_until
        process.fault_rate = 0.0 if self.is_healthy or "database" in self.without else 0.01
        return process

    def start(self, name: str) -> None:
        """A worker process begins."""
        process = self._process(name)
        account = SimulatedAccount(
            self.stage,
            self.model,
            self.dice.next,
            lambda request, fate: self.promises.left(request, process.loop.name),
        )
        process.start({scenarios.ACCOUNT: account}, self._gate, self._definitions)
        self.processes.append(process)

    # --- what comes about --------------------------------------------------------------------------------------

    def workers(self) -> list[Process]:
        """Those that take messages and ticks now."""
        return [process for process in self.processes if not process.is_frozen]

    def kill(self, process: Process) -> None:
        """And another one takes its place after a while."""
        self.trace.note("world", f"kill -9 {process.name}")
        process.kill()
        self.processes.remove(process)
        back = self.stage.now + self.dice.next("restart").uniform(0.5, 40.0)
        self.stage.at(back, f"{process.name} is started again", lambda: self.start(process.name))

    def deliver(self, message: Message, process: Process) -> None:
        """A worker takes a message."""
        self.trace.note("world", f"{process.name} takes {message}")
        self.stage.spawn(
            f"{process.name}.dispatch",
            process,
            lambda: process.dispatch.run(message.refs, campaign_id=message.campaign_id, task_id=str(message.number)),
        )

    def free_threads(self) -> list[Process]:
        """Workers with a thread free for a message."""
        return [each for each in self.workers() if each.tasks("dispatch") < DISPATCH_THREADS]

    def tick(self, service: str, process: Process) -> None:
        """Beat's tick, or a nudge, for one service."""
        self.stage.spawn(f"{process.name}.{service}", process, process.services[service])

    def feed(self, limit_group: str, process: Process) -> None:
        self.stage.spawn(f"{process.name}.feed", process, lambda: process.feed.run(limit_group))

    def _delay(self) -> float:
        rng = self.dice.next("message")
        held = rng.random() < 0.3 and not self.is_healthy and "delay" not in self.without
        return rng.choice([0.7, 2.0, 14.0, 40.0]) * rng.random() if held else 0.0

    def check_processes(self) -> None:
        """Errors that an event loop was left with."""
        for process in self.processes:
            if process.faults:
                raise process.faults[0]

    # --- webhooks ----------------------------------------------------------------------------------------------

    def _tell(self, report: CallReport, key: str) -> None:
        if not self.scenario.webhooks:
            return
        rng = self.dice.stream(f"webhook {key}")
        chance, delay = rng.random(), rng.uniform(0.05, 1.0)
        if self.model.is_healthy or "webhooks" in self.without:
            chance = 1.0
        if chance < 0.15:
            self.trace.note("provider", f"the webhook {key} is lost")
            return
        if chance < 0.3:
            delay = rng.uniform(5.0, WEBHOOK_LATEST)
        deliveries = [delay] if chance > 0.45 or chance < 0.3 else [delay, delay + rng.uniform(0.0, 30.0)]
        receipt = Receipt(key, report.phase.value, report)
        for after in deliveries:
            self.stage.at(self.stage.now + after, f"the webhook {key} arrives", lambda: self.receive(receipt))

    def receive(self, receipt: Receipt) -> None:
        """The provider's webhook comes in at the door."""

        def accept() -> None:
            self.intake.accept(scenarios.ACCOUNT, receipt)
            self.broker.nudge("inbox")

        self.stage.spawn("web.webhook", self.web, accept)
