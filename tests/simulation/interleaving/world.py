"""One schedule's world: stage, broker, provider, processes and operators, and the ways in which things come about."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from campaigns.providers.contract import CallReport, Receipt
from campaigns.runtime.law import gatekeeper
from campaigns.services.control import Control, ControlRefusedError
from campaigns.services.plans import Definitions
from campaigns.services.revoke import Revoke
from interleaving import scenario as scenarios
from interleaving.broker import Broker, Message
from interleaving.dice import Dice
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

    def __init__(self, dice: Dice, sql: VirtualSql, threads: Threads, *, without: frozenset[str]) -> None:
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
        self.model.without = without
        self.promises = Promises(self.stage, sql, self.model)
        self.database_down_until = 0.0
        self.is_healthy = False
        self._gate = scenarios.without_gap(gatekeeper())
        self._definitions = Definitions()
        self.is_switching = False
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
        self.web.start({}, self._gate, self._definitions)
        self.office = self._process("office")

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
        for after in deliveries:
            self.stage.at(self.stage.now + after, f"the webhook {key} arrives", lambda: self._receive(report, key))

    def _receive(self, report: CallReport, key: str) -> None:
        def accept() -> None:
            self.web.intake.accept(scenarios.ACCOUNT, Receipt(key, report.phase.value, report))
            self.broker.nudge("inbox")

        self.stage.spawn("web.webhook", self.web, accept)

    # --- operators ---------------------------------------------------------------------------------------------

    def _wait(self, duration: timedelta) -> None:
        self.stage.wait("waits", seconds=duration.total_seconds())

    def revoke(self, number: str) -> None:
        """A person takes consent back, by an operator."""
        database: Any = self.office.database
        revoke = Revoke(database, operator="test", wait=self._wait)

        def returned(_: object) -> None:
            self.trace.note("office.revoke", f"revoke of {number[-4:]} has returned")
            self.promises.revoked.add(number)

        self.stage.spawn("office.revoke", self.office, lambda: revoke.run(number), report=returned)

    def switch(self, action: str, campaign: str | None) -> None:
        """Pause, resume, cancel, stop or start; one at a time, or nobody could say what holds."""
        if self.is_switching:
            return
        self.is_switching = True
        database: Any = self.office.database
        control = Control(database, operator="test", wait=self._wait)
        subject = "all" if campaign is None else str(self._campaign_id(campaign))
        acts: dict[str, Callable[[], object]] = {
            "pause": lambda: control.pause(str(campaign)),
            "resume": lambda: control.resume(str(campaign)),
            "cancel": lambda: control.cancel(str(campaign)),
            "stop": control.stop_all,
            "start": control.start,
        }

        def act() -> object:
            if action in ("resume", "start"):
                self.promises.switched_off.discard(subject)
            try:
                return acts[action]()
            except ControlRefusedError as refusal:
                return refusal
            finally:
                self.is_switching = False

        def returned(answer: object) -> None:
            self.trace.note("office", f"{action} {subject} has returned")
            if action in ("pause", "cancel", "stop") and not isinstance(answer, ControlRefusedError):
                self.promises.switched_off.add(subject)

        self.stage.spawn(f"office.{action}", self.office, act, report=returned)

    def _campaign_id(self, name: str) -> int:
        return [each.name for each in self.scenario.campaigns].index(name) + 1
