from datetime import timedelta

import pytest
from celery import Celery

from config.celery_settings import CELERY_SETTINGS, CONTROL_QUEUE, DISPATCH_QUEUE, QUEUES
from workers.app import app
from workers.beat import TICK_LIFETIME, TICKS, beat_schedule


def bare_app() -> Celery:
    celery = Celery("test", set_as_current=False)
    celery.config_from_object(CELERY_SETTINGS | {"broker_url": "redis://127.0.0.1:1/0"})
    return celery


@pytest.fixture(scope="module")
def task_names() -> set[str]:
    import workers.tasks

    assert workers.tasks.app is app
    with pytest.MonkeyPatch.context() as patch:  # binding the tasks reads the configuration; nothing connects
        patch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_task_has_an_explicit_name_and_a_queue(task_names: set[str]) -> None:
    router = bare_app().amqp.router
    queues = {name: router.route({}, name)["queue"].name for name in task_names}
    assert all(name.startswith("ringfence.") for name in task_names)
    assert queues.pop("ringfence.dispatch") == DISPATCH_QUEUE
    assert set(queues.values()) == {CONTROL_QUEUE}


def test_a_queue_that_nobody_declared_is_refused() -> None:
    assert set(bare_app().amqp.queues) == set(QUEUES)
    with pytest.raises(KeyError):
        bare_app().amqp.queues["misspelt"]


def test_every_tick_asks_for_a_task_that_exists_and_expires(task_names: set[str]) -> None:
    schedule = beat_schedule(TICKS)
    assert {entry["task"] for entry in schedule.values()} <= task_names
    assert all(entry["options"]["expires"] == TICK_LIFETIME.total_seconds() for entry in schedule.values())
    assert all(timedelta(0) < tick.every <= TICK_LIFETIME for tick in TICKS)


def test_work_is_acknowledged_early_and_never_repeated_by_the_broker() -> None:
    conf = bare_app().conf
    assert conf.task_acks_late is False
    assert conf.task_reject_on_worker_lost is False
    assert conf.worker_cancel_long_running_tasks_on_connection_loss is False
    assert conf.task_ignore_result is True
    assert conf.accept_content == ["json"]


def test_no_task_is_ever_scheduled_by_the_broker(task_names: set[str]) -> None:
    for name in task_names:
        task = app.tasks[name]
        assert task.max_retries == 3, "Celery's default: no task of ours says anything about retries"
        assert not getattr(task, "autoretry_for", ())
