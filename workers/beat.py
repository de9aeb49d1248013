"""The ticks. Beat decides nothing: each tick only says "look now", and Postgres says what is due.

So two beats, a late tick or a lost one do no harm, and none needs a lock.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from celery.result import AsyncResult

from config.celery_settings import CONTROL_QUEUE, MOST_WAITING

log = logging.getLogger(__name__)

TICK_LIFETIME = timedelta(seconds=5)
"""A tick not taken by then is dropped: the next one asks the same. Wide enough for hosts whose clocks disagree by the
two seconds at which dialing stops anyhow."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One task and how often it is asked for."""

    task: str
    every: timedelta


TICKS = (
    Tick("ringfence.tick_feed", timedelta(milliseconds=500)),  # releases a second of dialing; must not run dry
    Tick("ringfence.process_inbox", timedelta(seconds=1)),  # a webhook asks at once; this finds the unmatched
    Tick("ringfence.ask_back", timedelta(seconds=1)),  # a call waits at a provider for a person who revoked
    Tick("ringfence.late_ring", timedelta(seconds=5)),  # a call may wait 60 s at its provider
    Tick("ringfence.purge", timedelta(seconds=5)),  # retention is counted in days; no tick is rarer than it lives
    Tick("ringfence.hand_over", timedelta(seconds=1)),  # somebody waits at a terminal for it
    Tick("ringfence.rescue", timedelta(seconds=2)),  # leases last 15 s, permits 1 s
    Tick("ringfence.poll", timedelta(seconds=2)),  # asks providers only for calls past their expected end
    Tick("ringfence.reconcile", timedelta(seconds=1)),  # shortest `reconcileAfter` of a rehearsal is one second
    Tick("ringfence.audit_calls", timedelta(seconds=5)),  # an account is due once a day, one account a tick
    Tick("ringfence.roll_on", timedelta(seconds=1)),  # at rehearsal speed a whole opening lasts seconds
    Tick("ringfence.seal", timedelta(seconds=1)),  # a decision is sealed within two seconds
    Tick("ringfence.launch_due", timedelta(seconds=2)),  # cron slots are minutes; a submitted file waits for this too
)


def beat_schedule(ticks: Sequence[Tick]) -> dict[str, dict[str, Any]]:
    """Celery's form of the table above."""
    return {
        tick.task: {
            "task": tick.task,
            "schedule": tick.every,
            "options": {"expires": TICK_LIFETIME.total_seconds(), "queue": CONTROL_QUEUE},
        }
        for tick in ticks
    }


class TickScheduler(Scheduler):
    """Celery's in-memory scheduler, silent while nobody listens: ten minutes without a worker must not grow Redis."""

    _redis: "redis.Redis | None" = None
    _silent = False
    _lost = False

    def apply_async(
        self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any
    ) -> AsyncResult[Any] | None:
        """Publish one tick, unless too many wait already. While the broker is away ticks are lost."""
        if self._is_waiting_enough():
            if advance:
                self.reserve(entry)
            return None
        try:
            sent: AsyncResult[Any] = super().apply_async(entry, producer=producer, advance=advance, **options)
        except SchedulingError as error:
            self._note_lost(error)
            return None
        self._note_lost(None)
        return sent

    def _note_lost(self, error: SchedulingError | None) -> None:
        """Once when it begins and once when it is over: Celery would write a stack a tick, some twelve a second."""
        if error is not None and not self._lost:
            log.error("ticks_lost cause=%s", type(error.__cause__ or error.__context__ or error).__name__)
        elif error is None and self._lost:
            log.warning("ticks_sent_again")
        self._lost = error is not None

    def _is_waiting_enough(self) -> bool:
        silent = self._waiting() >= MOST_WAITING
        if silent != self._silent:
            log.warning("ticks_withheld" if silent else "ticks_resumed")
        self._silent = silent
        return silent

    def _waiting(self) -> int:
        """Messages in the control queue; 0 when Redis cannot be asked: publishing then reports the failure."""
        if self._redis is None:
            self._redis = redis.Redis.from_url(self.app.conf.broker_url, socket_timeout=2, socket_connect_timeout=2)
        try:
            return int(self._redis.llen(CONTROL_QUEUE))
        except redis.RedisError:
            return 0
