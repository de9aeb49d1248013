"""A real worker process for a test, and waiting for what it does."""

import time
from collections.abc import Callable, Iterator

from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.installation import has_logged, wait_for


def running(worker: ChildProcess) -> Iterator[ChildProcess]:
    worker.start()
    wait_for(worker, has_logged(worker, "worker_ready"))
    yield worker
    worker.stop()


def eventually(holds: Callable[[], bool], *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
    return False
