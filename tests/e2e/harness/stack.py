"""A whole installation of real processes on servers of its own, durable as in production."""

import contextlib
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from harness.books import summary
from harness.memory import remember_fates
from harness.orders import ORDERS_VARIABLE, Orders
from harness.small_disk import SmallDisk
from harness.trouble import prepare_trouble
from harness.victim import ROLE_VARIABLE
from harness.witness import Witness
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded import ChildProcess, ValkeyServer, start_postgres, start_valkey, stop_all
from campaigns.runtime.embedded.launch import LOOPBACK, free_port
from campaigns.runtime.installation import has_logged, wait_for
from campaigns.runtime.local_http import answers
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.programs import Programs
from campaigns.runtime.settings import load_settings
from campaigns.simulator.door import read_arrivals
from campaigns.store.engine import open_engine

HOOKED, POLLED = "hooked", "polled"
"""Two accounts at the same simulator: one hears of its calls by webhook, the other has to ask."""

CONCURRENCY = 400
"""Wide: attempts of unknown fate keep their slots, and a fault must not be hidden by a full account."""
CALLS_PER_SECOND = 50
SIMULATOR_SPEED = 60
"""A real second plays a minute of a simulated call."""
ANSWER_LATENCY = "[0.15,0.3]"
"""Seconds until the provider answers a create: long enough to die in."""

START_TIMEOUT = timedelta(seconds=120)
"""Three stacks of five processes may start at one moment on two cores that have other work as well."""
LOGS_VARIABLE = "RINGFENCE_E2E_LOGS"
"""A folder for what the processes of each stack logged; without it the logs go with the stack."""

SETTINGS = """\
publicUrl = "{web_url}"
""" + "".join(
    f"""
[accounts.{name}]
provider = "vapi"
baseUrl = "{{simulator_url}}"
simulator = true
concurrency = {CONCURRENCY}
callsPerSecond = {CALLS_PER_SECOND}
reconcileAfter = ["1s", "3s"]
ringTimeout = "3s"
maxDuration = "5s"
webhooks = {webhooks}
"""
    for name, webhooks in ((HOOKED, "true"), (POLLED, "false"))
)


class Stack:
    """Postgres, Valkey, simulator, web, two workers and beat. Leaving the `with` block ends all of them."""

    home: Path
    valkey: ValkeyServer
    disk: SmallDisk | None = None
    """Where Postgres lives, once it has moved."""

    def __init__(self, *, seed: int, with_door: bool = False) -> None:
        """`with_door`: requests pass a door that notes when each of them arrives (`arrived`)."""
        self._seed = seed
        self._with_door = with_door
        self._stack = ExitStack()
        self._children: list[ChildProcess] = []
        self._others: list[ChildProcess] = []
        self._generation = 1

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._tell_logs()
        self._stop()

    def start(self, child: ChildProcess) -> None:
        """Start a process, or start it again after its end, where the settings are found."""
        with contextlib.chdir(self.home):
            child.start()

    def restart_valkey_empty(self) -> None:
        """`kill -9`, lose everything, come back under the same address."""
        self.stop_valkey()
        self.start_valkey()

    def stop_valkey(self) -> None:
        """`kill -9`, and everything it held is gone."""
        self.valkey.kill()
        shutil.rmtree(self.valkey.data_dir / "data")

    def start_valkey(self) -> None:
        """Under the address that everybody knows."""
        self.valkey = start_valkey(self._valkey_folder, port=self.valkey.port, durable=True)

    def start_postgres(self) -> None:
        """Where it was before, with all that was committed."""
        self.postgres = start_postgres(self._postgres_folder, durable=True, port=self.postgres.port)

    def move_postgres(self) -> None:
        """Postgres, its data and all, goes on from a small disk of its own."""
        disk = self.disk = SmallDisk(self.home / "small-disk")
        self.postgres.stop()
        self._postgres_folder = disk.take_over(self._postgres_folder)
        self._stack.callback(disk.unmount)
        self._stack.callback(lambda: self.postgres.stop())  # before the disk goes
        self.start_postgres()

    def start_another(self, child: ChildProcess) -> None:
        """One more process of a kind there is already."""
        another = replace(child, name=f"{child.name}-2", log_path=child.log_path.with_suffix(".2.log"))
        self._children.append(another)
        self._others.append(another)
        self.start(another)

    def stop_others(self) -> None:
        """One of each again."""
        while self._others:
            other = self._others.pop()
            self._children.remove(other)
            other.stop()

    def process(self, role: str) -> ChildProcess:
        """The process by its name, as it is at this moment."""
        return next(child for child in self._children if child.name == role)

    def replace_dispatch(self) -> ChildProcess:
        """Start a new dispatch worker beside the old one, which is returned and no longer watched."""
        old, self._generation = self.dispatch, self._generation + 1
        self.dispatch = replace(old, log_path=old.log_path.with_suffix(f".{self._generation}.log"))
        self._children[self._children.index(old)] = self.dispatch
        self.start(self.dispatch)
        wait_for(self.dispatch, has_logged(self.dispatch, "worker_ready"), timeout=START_TIMEOUT)
        return old

    def flush_valkey(self) -> None:
        """`FLUSHALL`."""
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def ended(self) -> list[str]:
        """Processes that ended and were not started again, each with the end of its log."""
        return [
            f"{each.name} (exit {each.poll()}):\n{each.tail_log()}" for each in self._children if not each.is_running
        ]

    def arrived(self) -> list[float]:
        """When each create reached the provider, by the kernel's clock, in order."""
        return [each.at for each in read_arrivals(self._arrivals) if (each.method, each.path) == ("POST", "/call")]

    def change_settings(self, old: str, new: str) -> None:
        """As an operator does who edits `ringfence.toml` and runs `ringfence migrate`."""
        path = self.home / "ringfence.toml"
        settings = path.read_text(encoding="utf-8")
        assert old in settings
        path.write_text(settings.replace(old, new), encoding="utf-8")
        prepare_database(self.addresses.database_url, load_settings(self.environment, cwd=self.home))

    def alarms(self) -> list[str]:
        """Things that must never happen, as the engine noted them."""
        with self.database.begin() as connection:
            rows = connection.execute(
                text("SELECT kind, CAST(attempt_id AS text) AS attempt_id FROM alarms ORDER BY id")
            )
            return [f"{row.kind} {row.attempt_id}" for row in rows]

    def _tell_logs(self) -> None:
        """The folder is about to go, so the ends of the logs belong into the test's report."""
        for child in self._children:
            sys.stderr.write(f"--- {child.name}\n{child.tail_log()}\n")
        with contextlib.suppress(SQLAlchemyError):  # Postgres may be away: that is what some trials are about
            sys.stderr.write("\n".join(["--- rows", *summary(self.database), ""]))

    # --- starting ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ringfence-e2e-"))
        self.home.chmod(0o711)  # run by root, the servers work as `nobody` and have to pass through
        self._stack.callback(shutil.rmtree, self.home)
        self._arrivals = self.home / "arrivals.txt"
        self._valkey_folder = self.home / "data" / "valkey"
        self.valkey = start_valkey(self._valkey_folder, durable=True)
        self._stack.callback(lambda: self.valkey.stop())  # the one of that moment
        self._postgres_folder = self.home / "data" / "postgres"
        self.postgres = start_postgres(self._postgres_folder, durable=True)
        self._stack.callback(lambda: self.postgres.stop())
        self.addresses = Addresses(database_url=self.postgres.url, redis_url=self.valkey.url)
        self.database = open_engine(self.postgres.url, pool_size=2)
        self._stack.callback(self.database.dispose)
        self._start_processes()

    def _start_processes(self) -> None:
        web_port, simulator_port = free_port(), free_port()
        web_url, simulator_url = f"http://{LOOPBACK}:{web_port}", f"http://{LOOPBACK}:{simulator_port}"
        door_port = free_port() if self._with_door else simulator_port
        settings = SETTINGS.format(web_url=web_url, simulator_url=f"http://{LOOPBACK}:{door_port}")
        (self.home / "ringfence.toml").write_text(settings, encoding="utf-8")
        self.environment = self._environment()
        programs = Programs(home=self.home, addresses=self.addresses, environment=self.environment)
        prepare_database(self.addresses.database_url, load_settings(self.environment, cwd=self.home))
        remember_fates(self.database)
        prepare_trouble(self.database)
        self.simulator = programs.simulator(
            "--port", str(simulator_port), "--seed", str(self._seed), "--speed", str(SIMULATOR_SPEED),
            "--set", f"answer_latency={ANSWER_LATENCY}",
        )  # fmt: skip
        self.witness = Witness(simulator_url)
        self.web = _victim(programs.web(host=LOOPBACK, port=web_port))
        self.dispatch = _victim(programs.dispatch_worker())
        self.control = _victim(programs.control_worker())
        self.beat = _victim(programs.beat())
        self._children = [self.simulator, self.web, self.dispatch, self.control, self.beat]
        if self._with_door:
            self._children.append(self._door(port=door_port, to=simulator_port))
        for child in self._children:
            self.start(child)
        wait_for(self.simulator, lambda: answers(f"{simulator_url}/simulator/health"), timeout=START_TIMEOUT)
        wait_for(self.web, lambda: answers(f"{web_url}/ready"), timeout=START_TIMEOUT)
        for worker in (self.dispatch, self.control):
            wait_for(worker, has_logged(worker, "worker_ready"), timeout=START_TIMEOUT)

    def _environment(self) -> dict[str, str]:
        orders = self.home / "orders"
        orders.mkdir()
        self.orders = Orders(orders)
        return dict(os.environ) | {
            "RINGFENCE_HOME": str(self.home),
            "RINGFENCE_OPERATOR": "e2e",
            ORDERS_VARIABLE: str(orders),
            # With what this process was given: children are to run the code that is tested, none installed beside it.
            "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")])),
        }

    def _door(self, *, port: int, to: int) -> ChildProcess:
        arguments = ["--port", str(port), "--to", str(to), "--log", str(self._arrivals)]
        command = [sys.executable, "-m", "campaigns.simulator.door", *arguments]
        return replace(
            self.simulator, name="door", command=command, log_path=self.simulator.log_path.with_name("door.log")
        )

    def _stop(self) -> None:
        stop_all(self._children, timedelta(seconds=8))
        if folder := os.environ.get(LOGS_VARIABLE):
            shutil.copytree(self.home / "logs", Path(folder) / self.home.name)
        self._stack.close()


def _victim(child: ChildProcess) -> ChildProcess:
    """The same command line, entered by another door."""
    python, flag, *rest = child.command
    environment = {**child.environment, ROLE_VARIABLE: child.name}
    return replace(child, command=[python, flag, "harness.victim", *rest], environment=environment)
