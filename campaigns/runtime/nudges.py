"""Coalesced requests: however often something asks for the same thing, one message goes out per interval."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from campaigns.services.ports import PublishError

log = logging.getLogger(__name__)

NUDGE_INTERVAL = timedelta(milliseconds=40)
"""A slot that came free waits so long at most until somebody looks, and a look costs a few milliseconds."""
REST = 9
"""For each moment of sending so many of rest: on a busy machine nudges must not take more than a tenth of the time."""


class Nudges:
    """Sends each distinct subject at most once per interval, the last request included, from its own thread."""

    def __init__(self, send: Callable[[str], None], *, interval: timedelta = NUDGE_INTERVAL) -> None:
        """`send` may raise `PublishError`: then this nudge is lost, and the next tick does its work."""
        self._send = send
        self._interval = interval
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, subject: str) -> None:
        """Ask once; returns at once and never raises."""
        with self._lock:
            self._waiting.add(subject)
            if self._thread is None and not self._stopping.is_set():
                self._thread = self._started()
        self._asked.set()

    def _started(self) -> threading.Thread | None:
        """Lazily: a thread started before a fork does not exist after it. None: the system has no room for one now."""
        thread = threading.Thread(target=self._run, name="nudges", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            log.warning("nudges_wait error=%s", error)  # the next one to ask tries again
            return None
        return thread

    def stop(self) -> None:
        """Send what is being sent, and nothing more; returns when the thread has ended. The next tick does the rest."""
        with self._lock:
            self._stopping.set()
            thread, self._thread = self._thread, None
        self._asked.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while self._asked.wait() and not self._stopping.is_set():
            self._asked.clear()
            began = time.monotonic()
            for subject in self._take():
                if not self._stopping.is_set():
                    self._try(subject)
            self._stopping.wait(max(self._interval.total_seconds(), REST * (time.monotonic() - began)))

    def _take(self) -> list[str]:
        with self._lock:
            subjects, self._waiting = sorted(self._waiting), set()
        return subjects

    def _try(self, subject: str) -> None:
        try:
            self._send(subject)
        except PublishError as error:
            log.warning("nudge_lost subject=%s error=%s", subject, error)
        except Exception:
            # The thread must live: without it every later nudge would be lost too. A tick does this one's work.
            log.exception("nudge_failed subject=%s", subject)
