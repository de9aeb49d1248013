"""One `Runtime` per worker process: built after any fork, warmed before the first task, stopped after the last."""

import logging
import threading
from datetime import UTC, datetime
from os import EX_CONFIG
from typing import Any

from celery.concurrency.prefork import TaskPool as PreforkPool
from celery.signals import (
    setup_logging,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)

from campaigns.runtime.garbage import keep_out_of_collections
from campaigns.runtime.law import LAW_PROBLEMS, gatekeeper, warn_of_age
from campaigns.runtime.publisher import CeleryPublisher
from campaigns.runtime.wiring import Runtime
from config.logging import configure_logging
from workers.app import app

log = logging.getLogger(__name__)

_lock = threading.Lock()
_runtime: Runtime | None = None


def runtime() -> Runtime:
    """This process's runtime, built and started by the first caller."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime.from_environment(publisher=CeleryPublisher(app))
            _runtime.start()
        return _runtime


def stop_runtime() -> None:
    """Write what is still to be written and close connections; harmless when nothing was built."""
    global _runtime
    with _lock:
        stopped, _runtime = _runtime, None
    if stopped is not None:
        stopped.stop()


@setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    configure_logging()
    logging.getLogger("celery").setLevel(logging.WARNING)  # else one line for every message, hundreds a second


def warm() -> None:
    """Build the runtime before the first task. With rules that are not sound this process must not go on."""
    try:
        runtime()
    except LAW_PROBLEMS as error:
        log.error("rules_unsound nothing_is_dialed reason=%s", error)
        raise SystemExit(EX_CONFIG) from None
    warn_of_age(gatekeeper().rules, now=datetime.now(UTC))
    keep_out_of_collections()


@worker_process_init.connect
def _warm_child(**_: Any) -> None:
    warm()


@worker_ready.connect
def _warm_this_process(sender: Any = None, **_: Any) -> None:
    """Thread pools run tasks in this very process; a prefork parent must hold no connection that children inherit."""
    if not isinstance(getattr(sender, "pool", None), PreforkPool):
        warm()
    log.info("worker_ready")


@worker_shutting_down.connect
def _claim_no_more(**_: Any) -> None:
    """What waits for its turn goes back by its lease; what is claimed is still sent and written."""
    if _runtime is not None:  # without the lock: this runs inside a signal handler
        _runtime.dispatch.stop()


@worker_process_shutdown.connect
def _stop_child(**_: Any) -> None:
    stop_runtime()


@worker_shutdown.connect
def _stop_this_process(**_: Any) -> None:
    stop_runtime()
    log.info("worker_stopped")
