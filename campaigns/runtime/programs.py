"""The processes of one installation, as commands: what `ringfence up` starts and what compose starts alike."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded.processes import ChildProcess
from config.celery_settings import CONTROL_QUEUE, DISPATCH_QUEUE

DISPATCH_THREADS = 8
CONTROL_THREADS = 4
"""Enough for the ticks to overlap; each is short."""
HTTP_PROTOCOL = "campaigns.web.http_protocol:BoundedHttp"
"""Of the web process; by its name, which uvicorn takes on its command line."""


class Programs:
    """Makes the child processes of one installation; starts none."""

    def __init__(self, *, home: Path, addresses: Addresses, environment: Mapping[str, str] = os.environ) -> None:
        self._logs = home / "logs"
        self._environment = dict(environment) | {
            "RINGFENCE_HOME": str(home),
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
        }

    def dispatch_worker(self) -> ChildProcess:
        """Dials. Apart from the control worker, so that a full dispatch queue cannot hold up the feed."""
        return self._worker("dispatch", queue=DISPATCH_QUEUE, threads=DISPATCH_THREADS)

    def control_worker(self) -> ChildProcess:
        """Feeds, takes in webhooks, rescues, reconciles, expands."""
        return self._worker("control", queue=CONTROL_QUEUE, threads=CONTROL_THREADS)

    def beat(self) -> ChildProcess:
        """Ticks."""
        return self._child("beat", "-m", "celery", "-A", "workers.app", "beat", "--loglevel", "WARNING", "--pidfile=")

    def web(self, *, host: str, port: int) -> ChildProcess:
        """Webhooks, API and status page."""
        return self._child(
            "web", "-m", "uvicorn", "--factory", "campaigns.web.app:create_app",
            "--http", HTTP_PROTOCOL, "--host", host, "--port", str(port), "--log-level", "warning", "--no-access-log",
            "--timeout-graceful-shutdown", "2",
        )  # fmt: skip

    def simulator(self, *arguments: str) -> ChildProcess:
        """The provider's stand-in on the loopback."""
        return self._child("simulator", "-m", "campaigns.simulator", *arguments)

    def _worker(self, name: str, *, queue: str, threads: int) -> ChildProcess:
        return self._child(
            f"worker-{name}", "-m", "celery", "-A", "workers.app", "worker",
            "-n", f"{name}@%h", "-Q", queue, "-P", "threads", "-c", str(threads),
            "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
        )  # fmt: skip

    def _child(self, name: str, *arguments: str) -> ChildProcess:
        return ChildProcess(
            name=name,
            command=[sys.executable, *arguments],
            log_path=self._logs / f"{name}.log",
            environment=self._environment,
        )
