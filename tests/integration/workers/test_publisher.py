"""Messages on a real Valkey: what they hold, and what happens when it is away."""

import base64
import json
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from harness.waiting import wait_until

from campaigns.runtime.publisher import publisher_at
from campaigns.services.ports import CallRef, PublishError
from config.celery_settings import CONTROL_QUEUE, MOST_WAITING

AWAY = "redis://127.0.0.1:1/0"


def next_message(valkey: redis.Redis, queue: str) -> dict[str, Any]:
    """The task's name and keyword arguments of the next message, as a worker would see them."""
    popped = valkey.blpop([queue], timeout=5)
    assert popped is not None
    message = json.loads(popped[1])
    arguments, keywords, _ = json.loads(base64.b64decode(message["body"]))
    assert arguments == []
    return {"task": message["headers"]["task"], **keywords}


def test_a_dispatch_message_holds_ids_and_nothing_else(valkey: redis.Redis, valkey_url: str) -> None:
    publisher_at(valkey_url).dispatch([CallRef(7, 1), CallRef(8, 3)], campaign_id=12)
    assert next_message(valkey, "dispatch") == {
        "task": "ringfence.dispatch",
        "campaign_id": 12,
        "calls": [[7, 1], [8, 3]],
    }


def test_the_backlog_is_what_no_worker_has_taken(valkey: redis.Redis, valkey_url: str) -> None:
    publisher = publisher_at(valkey_url)
    assert publisher.backlog() == 0
    publisher.dispatch([CallRef(7, 1)], campaign_id=12)
    publisher.dispatch([CallRef(8, 1)], campaign_id=12)
    assert publisher.backlog() == 2


def test_a_burst_of_feed_requests_becomes_few_messages(valkey: redis.Redis, valkey_url: str) -> None:
    publisher = publisher_at(valkey_url)
    for _ in range(500):
        publisher.request_feed("group")
    assert next_message(valkey, "control") == {"task": "ringfence.feed", "limit_group": "group"}
    assert valkey.llen("control") <= 3


def test_launches_and_the_inbox_can_be_asked_for(valkey: redis.Redis, valkey_url: str) -> None:
    publisher = publisher_at(valkey_url)
    publisher.request_launch()
    assert next_message(valkey, "control") == {"task": "ringfence.launch_due"}
    publisher.request_inbox()
    assert next_message(valkey, "control") == {"task": "ringfence.process_inbox"}


def test_nudges_stop_growing_the_broker_while_no_worker_takes_them(
    valkey: redis.Redis, valkey_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    valkey.rpush(CONTROL_QUEUE, *["x"] * MOST_WAITING)
    publisher = publisher_at(valkey_url)
    publisher.request_inbox()
    wait_until(lambda: "nudges_withheld" in caplog.messages, what="a nudge is withheld", timeout=timedelta(seconds=20))
    valkey.ltrim(CONTROL_QUEUE, 0, MOST_WAITING - 2)  # a worker is back, and takes some
    publisher.request_feed("group")
    wait_until(lambda: "nudges_resumed" in caplog.messages, what="one is not withheld", timeout=timedelta(seconds=20))
    valkey.lrem(CONTROL_QUEUE, 0, "x")
    assert next_message(valkey, CONTROL_QUEUE) == {"task": "ringfence.feed", "limit_group": "group"}
    assert valkey.llen(CONTROL_QUEUE) == 0


def test_without_a_broker_publishing_fails_soon_and_says_no_secret() -> None:
    publisher = publisher_at(AWAY.replace("://", "://:secret@"))
    began = time.monotonic()
    with pytest.raises(PublishError) as failure:
        publisher.dispatch([CallRef(7, 1)], campaign_id=12)
    with pytest.raises(PublishError):
        publisher.backlog()
    assert time.monotonic() - began < 5
    assert "secret" not in str(failure.value)


def test_without_a_broker_a_feed_request_is_lost_in_silence() -> None:
    publisher_at(AWAY).request_feed("group")
