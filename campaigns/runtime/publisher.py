"""Celery as the services' `Publisher`: messages by name, so that whoever publishes needs no task code."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from campaigns.runtime.nudges import Nudges
from campaigns.services.ports import CallRef, PublishError
from config.celery_settings import CELERY_SETTINGS, CONTROL_QUEUE, DISPATCH_QUEUE, MOST_WAITING

log = logging.getLogger(__name__)

INBOX = "inbox"
"""The subject of inbox nudges; feed nudges are named by their limit group, a digest, so the two cannot meet."""


def publisher_at(redis_url: str) -> "CeleryPublisher":
    """A publisher for whoever is no worker: it knows tasks by name only."""
    app = Celery("ringfence", set_as_current=False)
    app.config_from_object(CELERY_SETTINGS | {"broker_url": redis_url})
    return CeleryPublisher(app)


class CeleryPublisher:
    """Implements `campaigns.services.ports.Publisher`."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._nudges = Nudges(self._send_nudge)
        self._withheld = False
        self._redis = redis.Redis.from_url(app.conf.broker_url, socket_timeout=5, socket_connect_timeout=2)

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        """Publish one message for the group. Raises `PublishError`."""
        calls = [[ref.call_id, ref.epoch] for ref in group]
        self._send("ringfence.dispatch", {"campaign_id": campaign_id, "calls": calls})

    def request_feed(self, limit_group: str) -> None:
        """Ask for a feed of this limit group soon."""
        self._nudges.ask(limit_group)

    def request_inbox(self) -> None:
        """Ask for the inbox to be processed soon."""
        self._nudges.ask(INBOX)

    def request_launch(self) -> None:
        """Ask for due launches and expansions now. Raises `PublishError`."""
        self._send("ringfence.launch_due", {})

    def backlog(self) -> int:
        """Length of the dispatch queue. Raises `PublishError`."""
        return self._length(DISPATCH_QUEUE)

    def _length(self, queue: str) -> int:
        try:
            return int(self._redis.llen(queue))
        except redis.RedisError as error:
            raise PublishError(f"the broker does not answer: {type(error).__name__}") from error

    def _send_nudge(self, subject: str) -> None:
        if self._is_waiting_enough():
            return  # webhooks arrive while no worker is there as well; who comes back finds a tick that says the same
        if subject == INBOX:
            self._send("ringfence.process_inbox", {})
        else:
            self._send("ringfence.feed", {"limit_group": subject})

    def _is_waiting_enough(self) -> bool:
        withheld = self._length(CONTROL_QUEUE) >= MOST_WAITING
        if withheld != self._withheld:
            log.warning("nudges_withheld" if withheld else "nudges_resumed")
        self._withheld = withheld
        return withheld

    def _send(self, task: str, arguments: Mapping[str, Any]) -> None:
        try:
            self._app.send_task(task, kwargs=dict(arguments), retry=False, ignore_result=True)
        except (OperationalError, redis.RedisError) as error:
            raise PublishError(f"the broker does not take messages: {type(error).__name__}") from error
