"""Our own processes (worker, beat, web, simulator) as children of `ringfence up` and `ringfence demo`."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from campaigns.runtime.embedded.launch import spawn, tail

STOP_TIMEOUT = timedelta(seconds=10)
STOP_POLL = timedelta(milliseconds=20)


@dataclass(slots=True)
class ChildProcess:
    """A process with a name, a log and a group of its own, that ends when we end.

    Start it from a thread that lives as long as it shall: on Linux the kernel ends it with that thread.
    """

    name: str
    command: Sequence[str]
    log_path: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int | None:
        """Number of the process, also after its end; None before the first start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, or start it again after its end; raises `RuntimeError` while it runs."""
        if self.is_running:
            raise RuntimeError(f"{self.name} is running already")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._process = spawn(
            self.command, environment=self.environment, log_path=self.log_path, end_signal=self.stop_signal
        )

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs or was never started."""
        return self._process.poll() if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once; harmless when it has ended."""
        if self._process is not None and self.is_running:
            self._process.send_signal(self.stop_signal)

    def stop(self, timeout: timedelta = STOP_TIMEOUT) -> None:
        """End it in good order, by force after `timeout`, with whatever children it has left behind."""
        stop_all([self], timeout)

    def kill(self) -> None:
        """End it and all of its group as `kill -9` does."""
        if self._process is None:
            return
        signal_group(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def tail_log(self, lines: int = 20) -> str:
        """The last `lines` lines it wrote."""
        return tail(self.log_path, lines=lines)


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal every process of a group; an empty group is fine."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def stop_all(children: Sequence[ChildProcess], timeout: timedelta = STOP_TIMEOUT) -> None:
    """End all of them at once; together they have `timeout`, then what is left of each group is killed."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + timeout.total_seconds()
    while any(child.is_running for child in children) and time.monotonic() < deadline:
        time.sleep(STOP_POLL.total_seconds())
    for child in children:
        child.kill()
