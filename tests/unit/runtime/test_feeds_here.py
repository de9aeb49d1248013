"""Feeds that a worker asks for are run by itself."""

import threading

from sqlalchemy.exc import OperationalError

from campaigns.runtime.feeds_here import FeedsHere
from campaigns.services.ports import CallRef


class Messages:
    """A publisher that remembers."""

    def __init__(self) -> None:
        self.dispatched: list[tuple[int, list[CallRef]]] = []
        self.feeds: list[str] = []
        self.asked = threading.Event()

    def dispatch(self, group, *, campaign_id):
        self.dispatched.append((campaign_id, list(group)))

    def request_feed(self, limit_group):
        self.feeds.append(limit_group)
        self.asked.set()

    def backlog(self):
        return 7


def test_a_feed_is_run_here_and_no_message_is_sent_for_it() -> None:
    messages, fed = Messages(), threading.Event()
    here = FeedsHere(messages)
    here.feed_by(lambda limit_group: limit_group == "g" and fed.set())
    here.request_feed("g")
    assert fed.wait(5)
    assert messages.feeds == []


def test_until_it_is_known_how_to_feed_somebody_else_is_asked() -> None:
    messages = Messages()
    FeedsHere(messages).request_feed("g")
    assert messages.asked.wait(5)
    assert messages.feeds == ["g"]


def test_a_database_that_is_away_loses_the_feed_and_not_the_thread() -> None:
    tried, done = [], threading.Event()

    def feed(limit_group: str) -> None:
        tried.append(limit_group)
        if limit_group == "first":
            raise OperationalError("SELECT", {}, Exception("away"))
        done.set()

    here = FeedsHere(Messages())
    here.feed_by(feed)
    here.request_feed("first")
    while not tried:
        assert not done.is_set()
    here.request_feed("second")
    assert done.wait(5)
    assert tried == ["first", "second"]


def test_calls_travel_by_message_as_ever() -> None:
    messages = Messages()
    here = FeedsHere(messages)
    here.dispatch([CallRef(1, 2)], campaign_id=3)
    assert messages.dispatched == [(3, [CallRef(1, 2)])]
    assert here.backlog() == 7
