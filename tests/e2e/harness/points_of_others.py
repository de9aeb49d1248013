"""The points at which the control worker, beat and the web process may die."""

import functools
from typing import Any

from harness.faults import Fault
from harness.reaper import Reaper
from harness.wrapping import replace

from campaigns.services import expand, feed
from campaigns.services.feed import Feed
from campaigns.services.inbox import Intake
from campaigns.services.record import Fact, Recorder
from workers.beat import TickScheduler


def wrap_control(reaper: Reaper) -> None:
    """It feeds, takes in webhooks, looks after calls, and reads lists."""
    _wrap_feed(reaper)
    _wrap_record(reaper)
    _wrap_expansion(reaper)


def wrap_beat(reaper: Reaper) -> None:
    """Before a tick is sent, and before beat notes that it was."""
    send = TickScheduler.apply_async

    @functools.wraps(send)
    def send_and_perhaps_die(self: TickScheduler, *arguments: Any, **options: Any) -> Any:
        if reaper.is_due(Fault.BEAT_BEFORE_TICK, ()):
            reaper.kill()
        sent = send(self, *arguments, **options)
        if reaper.is_due(Fault.BEAT_AFTER_TICK, ()):
            reaper.kill()
        return sent

    replace(TickScheduler, "apply_async", send_and_perhaps_die)


def wrap_web(reaper: Reaper) -> None:
    """Before webhooks are committed, and before their senders hear of it."""
    accept = Intake.accept_all

    @functools.wraps(accept)
    def accept_and_perhaps_die(self: Intake, arrived: Any) -> int:
        if reaper.is_due(Fault.WEB_BEFORE_COMMIT, ()):
            reaper.kill()
        accepted = accept(self, arrived)
        if reaper.is_due(Fault.WEB_AFTER_COMMIT, ()):
            reaper.kill()
        return accepted

    replace(Intake, "accept_all", accept_and_perhaps_die)


def _wrap_feed(reaper: Reaper) -> None:
    """Under the account's lock, and between the commit and the first message."""
    release, publish = feed._release, Feed._publish

    @functools.wraps(release)
    def release_and_perhaps_die(*arguments: Any) -> Any:
        released = release(*arguments)
        if released and reaper.is_due(Fault.FEED_BEFORE_COMMIT, released):
            reaper.kill()
        return released

    @functools.wraps(publish)
    def perhaps_die_and_publish(self: Feed, released: Any, **options: Any) -> None:
        if released and reaper.is_due(Fault.FEED_AFTER_COMMIT, released):
            reaper.kill()
        publish(self, released, **options)

    replace(feed, "_release", release_and_perhaps_die)
    replace(Feed, "_publish", perhaps_die_and_publish)


def _wrap_record(reaper: Reaper) -> None:
    """Inside the transaction of the inbox, of a look at the provider or of a rescue."""
    apply = Recorder.apply

    @functools.wraps(apply)
    def apply_and_perhaps_die(self: Recorder, connection: Any, facts: list[Fact]) -> Any:
        recorded = apply(self, connection, facts)
        if facts and reaper.is_due(Fault.LOOK_BEFORE_COMMIT, ()):
            reaper.kill()
        return recorded

    replace(Recorder, "apply", apply_and_perhaps_die)


def _wrap_expansion(reaper: Reaper) -> None:
    """Every row is stored; nothing of the run may be dialed yet."""
    activate = expand._activate

    @functools.wraps(activate)
    def perhaps_die_and_activate(connection: Any, run: Any, **options: Any) -> Any:
        if reaper.is_due(Fault.LIST_BEFORE_END, ()):
            reaper.kill()
        return activate(connection, run, **options)

    replace(expand, "_activate", perhaps_die_and_activate)
