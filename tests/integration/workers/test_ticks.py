"""Beat's scheduler on a real Valkey: it ticks while somebody listens, and keeps quiet while nobody does."""

import pytest
import redis
from celery import Celery

from config.celery_settings import CELERY_SETTINGS, CONTROL_QUEUE, MOST_WAITING
from workers.beat import TICKS, TickScheduler, beat_schedule


def scheduler_on(url: str) -> TickScheduler:
    app = Celery("test", set_as_current=False)
    app.config_from_object(CELERY_SETTINGS | {"broker_url": url, "beat_schedule": beat_schedule(TICKS)})
    return TickScheduler(app=app)


def tick_all(scheduler: TickScheduler) -> None:
    for entry in list(scheduler.schedule.values()):
        if entry.task.startswith("ringfence."):
            scheduler.apply_async(entry)


def test_every_tick_goes_to_the_control_queue(valkey: redis.Redis, valkey_url: str) -> None:
    tick_all(scheduler_on(valkey_url))
    assert valkey.llen(CONTROL_QUEUE) == len(TICKS)


def test_ticks_stop_growing_the_broker_while_no_worker_takes_them(valkey: redis.Redis, valkey_url: str) -> None:
    scheduler = scheduler_on(valkey_url)
    for _ in range(100):
        tick_all(scheduler)
    assert valkey.llen(CONTROL_QUEUE) == MOST_WAITING


def test_ticks_begin_again_when_the_queue_is_taken(valkey: redis.Redis, valkey_url: str) -> None:
    scheduler = scheduler_on(valkey_url)
    for _ in range(20):
        tick_all(scheduler)
    valkey.delete(CONTROL_QUEUE)
    tick_all(scheduler)
    assert valkey.llen(CONTROL_QUEUE) == len(TICKS)


def test_a_withheld_tick_is_put_off_to_its_next_time(valkey: redis.Redis, valkey_url: str) -> None:
    scheduler = scheduler_on(valkey_url)
    entry = scheduler.schedule["ringfence.rescue"]
    valkey.rpush(CONTROL_QUEUE, *["x"] * MOST_WAITING)
    runs_before = entry.total_run_count
    assert scheduler.apply_async(entry) is None
    assert scheduler.schedule["ringfence.rescue"].total_run_count == runs_before + 1
    valkey.delete(CONTROL_QUEUE)


def test_ticks_that_find_no_broker_are_one_line_and_no_error_for_each(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = scheduler_on("redis://127.0.0.1:1/0")
    for _ in range(2):
        tick_all(scheduler)
    assert caplog.messages == ["ticks_lost cause=OperationalError"]
    assert not any(record.exc_info for record in caplog.records)
