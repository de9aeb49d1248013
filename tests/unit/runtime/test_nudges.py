import threading
from datetime import timedelta

import pytest

from campaigns.runtime.nudges import Nudges
from campaigns.services.ports import PublishError

LONG = timedelta(seconds=5)


class Recorder:
    """A sink that remembers, and lets a test wait for the n-th nudge."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, subject: str) -> None:
        with self._changed:
            self.subjects.append(subject)
            self._changed.notify_all()

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.subjects) >= count, timeout=5)


def test_a_request_goes_out_at_once() -> None:
    sent = Recorder()
    Nudges(sent, interval=LONG).ask("group")
    assert sent.wait_for(1)


def test_many_requests_within_an_interval_become_few_messages_and_the_last_is_not_lost() -> None:
    sent = Recorder()
    nudges = Nudges(sent, interval=timedelta(milliseconds=50))
    for _ in range(1000):
        nudges.ask("group")
    assert sent.wait_for(1)
    nudges.ask("group")
    assert sent.wait_for(2)
    assert len(sent.subjects) <= 5


def test_distinct_subjects_are_all_sent() -> None:
    sent = Recorder()
    nudges = Nudges(sent, interval=timedelta(milliseconds=1))
    nudges.ask("a")
    nudges.ask("b")
    assert sent.wait_for(2)
    assert set(sent.subjects) == {"a", "b"}


def test_a_broker_that_is_away_loses_the_nudge_and_not_the_thread() -> None:
    sent = Recorder()
    failures = iter([PublishError("away")])

    def send(subject: str) -> None:
        for failure in failures:
            sent(f"failed {subject}")
            raise failure
        sent(subject)

    nudges = Nudges(send, interval=timedelta(milliseconds=1))
    nudges.ask("first")
    assert sent.wait_for(1)
    nudges.ask("second")
    assert sent.wait_for(2)
    assert sent.subjects == ["failed first", "second"]


def test_an_unforeseen_error_loses_the_nudge_and_not_the_thread() -> None:
    sent = Recorder()

    def send(subject: str) -> None:
        sent(subject)
        if subject == "first":
            raise ValueError("unforeseen")

    nudges = Nudges(send, interval=timedelta(milliseconds=1))
    nudges.ask("first")
    assert sent.wait_for(1)
    nudges.ask("second")
    assert sent.wait_for(2)
    assert sent.subjects == ["first", "second"]


def test_once_stopped_nothing_is_sent_and_no_thread_is_left() -> None:
    sent = Recorder()
    under_way, go_on = threading.Event(), threading.Event()

    def send(subject: str) -> None:
        under_way.set()
        assert go_on.wait(10)
        sent(subject)

    nudges = Nudges(send, interval=timedelta(milliseconds=1))
    nudges.ask("first")
    assert under_way.wait(10)
    nudges.ask("second")
    stopping = threading.Thread(target=nudges.stop)
    stopping.start()
    while not nudges._stopping.is_set():
        assert stopping.is_alive()
    go_on.set()
    stopping.join(10)
    assert not stopping.is_alive()
    nudges.ask("third")
    assert sent.subjects == ["first"]
    assert nudges._thread is None


def test_what_was_never_asked_can_be_stopped() -> None:
    Nudges(Recorder()).stop()


def test_without_room_for_a_thread_the_next_one_to_ask_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, start, tries = Recorder(), threading.Thread.start, list[threading.Thread]()

    def start_the_second(thread: threading.Thread) -> None:
        tries.append(thread)
        if len(tries) == 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_the_second)
    nudges = Nudges(sent, interval=timedelta(milliseconds=1))
    nudges.ask("first")
    nudges.ask("second")
    assert sent.wait_for(2)
    nudges.stop()
    assert sent.subjects == ["first", "second"]
