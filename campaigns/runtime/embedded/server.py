"""What both embedded servers have in common: a process, a port, a folder, and the ways to end it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from campaigns.runtime.embedded.errors import ServerStartError
from campaigns.runtime.embedded.launch import free_port, tail

STOP_TIMEOUT = timedelta(seconds=15)
READY_POLL = timedelta(milliseconds=20)
PORT_TRIALS = 5
"""A free port is looked up before it is bound, so another program may take it in between."""


@dataclass(slots=True)
class EmbeddedServer:
    """One running server. `url` carries its password, so it is never shown."""

    process: subprocess.Popen[bytes]
    port: int
    data_dir: Path
    """The folder really used; the one asked for may be a link to it."""
    log_path: Path
    url: str = field(repr=False)

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self, timeout: timedelta = STOP_TIMEOUT) -> None:
        """End the server in good order, by force after `timeout`. Harmless when it has ended already."""
        if not self.is_running:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout.total_seconds())
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server as `kill -9` does: no goodbye, nothing flushed."""
        if self.is_running:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


ServerT = TypeVar("ServerT", bound=EmbeddedServer)


class PortTakenError(Exception):
    """Another program has the port; try the next."""


def on_some_port(start: Callable[[int], ServerT], *, port: int | None) -> ServerT:
    """Start on `port`, or on a free one, trying another `PORT_TRIALS` times when somebody was faster."""
    for _ in range(PORT_TRIALS):
        candidate = free_port() if port is None else port
        try:
            return start(candidate)
        except PortTakenError:
            continue
    raise ServerStartError(_no_port(port))


def _no_port(port: int | None) -> str:
    if port is None:
        return (
            f"No free port of the loopback could be kept in {PORT_TRIALS} trials. Close other programs and try again."
        )
    return (
        f"Port {port} of the loopback is taken by another program. End that program, or let the server choose a port."
    )


def wait_until_ready(server: EmbeddedServer, *, ready: Callable[[], bool], name: str, timeout: timedelta) -> None:
    """Wait until `ready()`; raises `PortTakenError`, or `ServerStartError` with the end of the server's log."""
    deadline = time.monotonic() + timeout.total_seconds()
    while not ready():
        if not server.is_running:
            raise _failed_start(server, name=name, found=f"ended with code {server.process.returncode}")
        if time.monotonic() > deadline:
            server.kill()
            raise _failed_start(server, name=name, found=f"did not answer within {timeout.total_seconds():.0f} s")
        time.sleep(READY_POLL.total_seconds())


def _failed_start(server: EmbeddedServer, *, name: str, found: str) -> Exception:
    log = tail(server.log_path, lines=8)
    if "Address already in use" in log:
        return PortTakenError()
    return ServerStartError(f"The embedded {name} server {found}. The end of its log {server.log_path} says:\n{log}")
