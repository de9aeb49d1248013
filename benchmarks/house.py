"""What the benchmarks share: a house of real servers and processes, and the processor time that each part used.

Durable as in production: `fsync` and `synchronous_commit` are on. Everything is on the loopback of one machine, so the
provider's stand-in and the measuring script use its cores too; processor time is counted for our parts alone.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from campaigns.runtime.embedded.launch import LOOPBACK, free_port
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.installation import wait_for
from campaigns.runtime.local_http import answers, get_json
from campaigns.runtime.programs import Programs

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class House:
    """Servers that run, and the programs that may be started beside them."""

    home: Path
    postgres: PostgresServer
    valkey: ValkeyServer
    programs: Programs

    @property
    def addresses(self) -> Addresses:
        return Addresses(database_url=self.postgres.url, redis_url=self.valkey.url)


@contextlib.contextmanager
def a_house() -> Iterator[House]:
    """Postgres and Valkey in a folder of their own, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="ringfence-bench-"))
    home.chmod(0o711)  # run by root, the servers work as `nobody` and have to pass through
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        postgres = start_postgres(home / "data" / "postgres", durable=True)
        stack.callback(postgres.stop)
        valkey = start_valkey(home / "data" / "valkey", durable=True)
        stack.callback(valkey.stop)
        environment = {**os.environ, "RINGFENCE_OPERATOR": "bench", "PYTHONPATH": os.pathsep.join(sys.path)}
        addresses = Addresses(database_url=postgres.url, redis_url=valkey.url)
        with contextlib.chdir(home):
            yield House(home, postgres, valkey, Programs(home=home, addresses=addresses, environment=environment))


@dataclass(frozen=True, slots=True)
class Phones:
    """A simulated provider in a process of its own."""

    url: str
    process: ChildProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def stats(self) -> dict[str, Any]:
        """The witness's counts."""
        stats: dict[str, Any] = get_json(f"{self.url}/simulator/stats")
        return stats


@contextlib.contextmanager
def phones(house: House, *settings: str) -> Iterator[Phones]:
    """Start the simulator with `--set` settings such as `answer_latency=[0.05,0.05]`."""
    port = free_port()
    arguments = [word for setting in settings for word in ("--set", setting)]
    process = house.programs.simulator("--port", str(port), *arguments)
    process.start()
    try:
        url = f"http://{LOOPBACK}:{port}"
        wait_for(process, lambda: answers(f"{url}/simulator/health"))
        yield Phones(url, process)
    finally:
        process.stop()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all of its children, those that are gone included as far as waited for."""
    parent = psutil.Process(pid)
    total = 0.0
    for process in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(pid: int) -> float:
    """Memory of a process and its children, shared pages counted in parts (PSS)."""
    parent = psutil.Process(pid)
    return sum(process.memory_full_info().pss for process in (parent, *parent.children(recursive=True))) / MIB


class Meter:
    """Processor time of named processes between two readings."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._from = {name: cpu_seconds(pid) for name, pid in self._pids.items()}

    def read(self) -> dict[str, float]:
        """Seconds used since the meter was made, by name."""
        return {name: cpu_seconds(pid) - self._from[name] for name, pid in self._pids.items()}


def show(what: str, **figures: Any) -> None:
    """One JSON line a figure."""
    sys.stdout.write(json.dumps({"what": what, **figures}) + "\n")
    sys.stdout.flush()
