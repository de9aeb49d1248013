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
from harness.memory import remember_fates
from harness.orders import ORDERS_VARIABLE, Orders
from harness.witness import Witness
from sqlalchemy import text

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

    def __init__(self, *, seed: int, with_door: bool = False) -> None:
        """`with_door`: requests pass a door that notes when each of them arrives (`arrived`)."""
        self._seed = seed
        self._with_door = with_door
        self._stack = ExitStack()
        self._children: list[ChildProcess] = []
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
        self.postgres = start_postgres(self.home / "data" / "postgres", durable=True, port=self.postgres.port)

    def start_another(self, child: ChildProcess) -> None:
        """One more process of a kind there is already."""
        another = replace(child, name=f"{child.name}-2", log_path=child.log_path.with_suffix(".2.log"))
        self._children.append(another)
        self.start(another)

    def replace_dispatch(self) -> ChildProcess:
        """Start a new dispatch worker beside the old one, which is returned and no longer watched."""
        old, self._generation = self.dispatch, self._generation + 1
        self.dispatch = replace(old, log_path=old.log_path.with_suffix(f".{self._generation}.log"))
        self._children[self._children.index(old)] = self.dispatch
        self.start(self.dispatch)
        wait_for(self.dispatch, has_logged(self.dispatch, "worker_ready"))
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

    # --- starting ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ringfence-e2e-"))
        self.home.chmod(0o711)  # run by root, the servers work as `nobody` and have to pass through
        self._stack.callback(shutil.rmtree, self.home)
        self._arrivals = self.home / "arrivals.txt"
        self._valkey_folder = self.home / "data" / "valkey"
        self.valkey = start_valkey(self._valkey_folder, durable=True)
        self._stack.callback(lambda: self.valkey.stop())  # the one of that moment
        self.postgres = start_postgres(self.home / "data" / "postgres", durable=True)
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
        self.simulator = programs.simulator(
            "--port", str(simulator_port), "--seed", str(self._seed), "--speed", str(SIMULATOR_SPEED),
            "--set", f"answer_latency={ANSWER_LATENCY}",
        )  # fmt: skip
        self.witness = Witness(simulator_url)
        self.web = programs.web(host=LOOPBACK, port=web_port)
        self.dispatch = self._victim(programs.dispatch_worker())
        self.control = programs.control_worker()
        self.beat = programs.beat()
        self._children = [self.simulator, self.web, self.dispatch, self.control, self.beat]
        if self._with_door:
            self._children.append(self._door(port=door_port, to=simulator_port))
        for child in self._children:
            self.start(child)
        wait_for(self.simulator, lambda: answers(f"{simulator_url}/simulator/health"))
        wait_for(self.web, lambda: answers(f"{web_url}/ready"))
        for worker in (self.dispatch, self.control):
            wait_for(worker, has_logged(worker, "worker_ready"))

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

    def _victim(self, worker: ChildProcess) -> ChildProcess:
        """The same command line, entered by another door."""
        python, _, module, *arguments = worker.command
        assert module == "celery"
        return replace(worker, command=[python, "-m", "harness.victim", *arguments])

    def _stop(self) -> None:
        stop_all(self._children, timedelta(seconds=8))
        self._stack.close()
