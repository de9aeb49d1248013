"""Feeds asked for by a worker are carried out by that worker, on a thread of their own.

A message would have to wait for a free thread of the control worker, behind whatever takes long there, while a slot
lies idle. Where it is done does not matter: every feed counts anew, under the account's lock.
"""

import logging
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from campaigns.runtime.nudges import Nudges
from campaigns.services.ports import CallRef, Publisher

log = logging.getLogger(__name__)


class FeedsHere:
    """A `campaigns.services.ports.Publisher` whose feeds are run in this process, as soon as `feed_by` says how."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._feed: Callable[[str], object] | None = None
        self._nudges = Nudges(self._run)

    def feed_by(self, feed: Callable[[str], object]) -> None:
        """`feed` releases what a limit group has room for, and publishes through this very object."""
        self._feed = feed

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        """Publish one message for the group. Raises `PublishError`."""
        self._publisher.dispatch(group, campaign_id=campaign_id)

    def request_feed(self, limit_group: str) -> None:
        """Feed this limit group as soon as may be."""
        self._nudges.ask(limit_group)

    def backlog(self) -> int:
        """Length of the dispatch queue. Raises `PublishError`."""
        return self._publisher.backlog()

    def stop(self) -> None:
        """Feed no more; returns when no feed runs. The next tick feeds, in some other process."""
        self._nudges.stop()

    def _run(self, limit_group: str) -> None:
        if self._feed is None:
            self._publisher.request_feed(limit_group)
            return
        try:
            self._feed(limit_group)
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("feed_failed cause=%s", type(error).__name__)  # the next tick feeds
