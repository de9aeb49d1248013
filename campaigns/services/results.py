"""One writer per process: what requests brought is committed every 30 ms, while the group is still dialing.

The shorter the time between the provider's answer and our commit, the fewer fates a crash leaves unknown.
"""

import logging
import threading
from concurrent.futures import Future
from datetime import timedelta

from campaigns.services.passing import is_lock_timeout, passes
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorded, Recorder

log = logging.getLogger(__name__)

FLUSH_INTERVAL = timedelta(milliseconds=30)
RETRY_INTERVAL = timedelta(milliseconds=500)
"""Between tries while Postgres is away or lost a deadlock: the facts are kept, rescue would only be slower."""
BATCH = 200
"""Facts a transaction: enough to pay for the commit, few enough to hold no lock for long."""


class ResultWriter:
    """Start before dialing, stop after the last group: `stop` flushes."""

    def __init__(self, recorder: Recorder, publisher: Publisher) -> None:
        self._recorder = recorder
        self._publisher = publisher
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fact, Future[None]]] = []
        self._locked_out: list[tuple[Fact, Future[None]]] = []  # the writing thread's own
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to write, once per process."""
        with self._lock:
            if self._thread is None:
                self._stopping.clear()
                self._closed = False
                self._thread = threading.Thread(target=self._run, name="result-writer", daemon=True)
                self._thread.start()

    def put(self, fact: Fact) -> Future[None]:
        """Hand a fact over; the future is done once it is committed."""
        done = Future[None]()
        with self._lock:
            if self._closed:
                log.error("record_refused attempt_id=%s", fact.attempt_id)
                done.set_exception(RuntimeError("the result writer has stopped; rescue finds the attempt"))
            else:
                self._waiting.append((fact, done))
        return done

    def stop(self) -> None:
        """Write what is left and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        self._stopping.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_INTERVAL.total_seconds()):
            self._flush()
        with self._lock:
            self._closed = True
        self._flush()

    def _flush(self) -> None:
        alone, self._locked_out = self._locked_out, []
        with self._lock:
            waiting, self._waiting = self._waiting, []
        together = [waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH)]
        for batch in [*together, *([each] for each in alone)]:
            self._try(batch)

    def _try(self, batch: list[tuple[Fact, Future[None]]]) -> None:
        try:
            self._write(batch)
        except Exception:
            # The thread must live: without it nothing that this process dials would be on record any more.
            log.exception("batch_broke_off facts=%d", len(batch))

    def _write(self, batch: list[tuple[Fact, Future[None]]]) -> None:
        try:
            recorded = self._record([fact for fact, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                # One fact spoils the batch, or its call is locked: write the others without it.
                for each in batch:
                    self._try([each])
                return
            if is_lock_timeout(error) and not self._stopping.is_set():
                # By itself from now on: whoever is frozen with the lock may hold it for half a minute.
                self._locked_out += batch
                return
            # The future carries it to the dispatch task; the row stays `dialing` and rescue finds it.
            (fact, done), *_ = batch
            log.exception("record_failed attempt_id=%s", fact.attempt_id)
            done.set_exception(error)
            return
        for _, done in batch:
            done.set_result(None)
        for limit_group in recorded.freed:
            self._publisher.request_feed(limit_group)

    def _record(self, facts: list[Fact]) -> Recorded:
        while True:
            try:
                return self._recorder.run(facts)
            except Exception as error:
                if self._stopping.is_set() or is_lock_timeout(error) or not passes(error):
                    raise
                log.warning("record_waits facts=%d cause=%s", len(facts), type(error).__name__)
                self._stopping.wait(RETRY_INTERVAL.total_seconds())
