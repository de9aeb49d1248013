"""One installation on this machine: servers and processes, started in order and stopped in the reverse."""

import fcntl
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from campaigns.runtime.addresses import Addresses, write_services
from campaigns.runtime.embedded.postgres import start_postgres
from campaigns.runtime.embedded.processes import ChildProcess, stop_all
from campaigns.runtime.embedded.valkey import start_valkey
from campaigns.runtime.interrupts import interrupts_deferred, interrupts_ignored

READY_TIMEOUT = timedelta(seconds=30)
READY_POLL = timedelta(milliseconds=50)
STOP_TIMEOUT = timedelta(seconds=8)
"""A worker finishes what it dials: a claim and its send, then a flush."""


class InstallationError(Exception):
    """Something could not be started or ended by itself. The message says what, and what its log says."""


class HomeInUseError(InstallationError):
    """Another `ringfence up` runs on this home."""


class Installation:
    """What was started so far. Leaving the `with` block stops all of it, whatever happened."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._stack = ExitStack()
        self._children: list[ChildProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with interrupts_ignored():
            self.stop_children()
            self._stack.close()

    def cleanup(self, callback: Callable[[], object]) -> None:
        """Have `callback` run after all processes and servers started later are gone."""
        self._stack.callback(callback)

    def lock(self) -> None:
        """Let no second instance work in this home. Raises `HomeInUseError`."""
        folder = self.home / "run"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._stack.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeInUseError(
                f"another `ringfence up` runs in {self.home}: stop it first, or set RINGFENCE_HOME to another folder."
            ) from None

    def start_servers(self, *, database_url: str | None, redis_url: str | None) -> Addresses:
        """Embedded servers, durable, for whatever has no URL of its own. Raises an `EmbeddedServerError`."""
        data = self.home / "data"
        with interrupts_deferred():
            if redis_url is None:
                valkey = start_valkey(data / "valkey", durable=True)
                self._stack.callback(valkey.stop)
                redis_url = valkey.url
        with interrupts_deferred():
            if database_url is None:
                postgres = start_postgres(data / "postgres", durable=True)
                self._stack.callback(postgres.stop)
                database_url = postgres.url
        return Addresses(database_url=database_url, redis_url=redis_url)

    def publish(self, addresses: Addresses) -> None:
        """Let other commands of this user find us, until we end."""
        path = write_services(self.home, addresses)
        self._stack.callback(path.unlink, missing_ok=True)

    def start(self, child: ChildProcess) -> ChildProcess:
        """Start a process; it is stopped with the rest."""
        with interrupts_deferred():
            child.start()
            self._children.append(child)
        return child

    def stop_children(self) -> None:
        """Ask all of them to end at once, and see to it."""
        stop_all(self._children, STOP_TIMEOUT)

    def ended(self) -> Sequence[ChildProcess]:
        """Processes that ended by themselves; none should."""
        return [child for child in self._children if not child.is_running]


def wait_for(child: ChildProcess, ready: Callable[[], bool], *, timeout: timedelta = READY_TIMEOUT) -> None:
    """Wait until `ready`. Raises `InstallationError` if the process ends first or takes too long."""
    deadline = time.monotonic() + timeout.total_seconds()
    while not ready():
        if not child.is_running:
            raise InstallationError(f"{child.name} ended while starting (exit {child.poll()}):\n{child.tail_log()}")
        if time.monotonic() > deadline:
            raise InstallationError(f"{child.name} was not ready within {timeout}:\n{child.tail_log()}")
        time.sleep(READY_POLL.total_seconds())


def has_logged(child: ChildProcess, event: str) -> Callable[[], bool]:
    """Whether the process wrote that event into its log."""
    return lambda: event in child.tail_log(lines=200)
