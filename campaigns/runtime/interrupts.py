"""Ctrl-C at a bad moment: put off while something must not be cut short, passed over while everything is stopped.

Python raises `KeyboardInterrupt` between any two steps, in a destructor too, where it is lost without a trace. So it is
let in only at places where it can do no harm.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

IMPATIENCE = timedelta(seconds=2)
"""Signals that follow another one within this time mean the same: a person who presses Ctrl-C thrice, a supervisor."""

Handler = Callable[[int, FrameType | None], object]


class Interrupted:
    """Whether a signal has come; to be looked at in loops."""

    def __init__(self) -> None:
        self.arrived = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        self.arrived = True


def raise_on_interrupts() -> None:
    """From now on SIGTERM raises `KeyboardInterrupt` as SIGINT does, so that every `finally` runs. Main thread only."""
    last_at = -IMPATIENCE.total_seconds()

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last_at
        now = time.monotonic()
        if now - last_at >= IMPATIENCE.total_seconds():
            last_at = now
            raise KeyboardInterrupt

    for number in INTERRUPTS:
        signal.signal(number, interrupt)


def ignore_interrupts() -> None:
    """For the last steps of a process, in which nothing is left to be stopped. Main thread only."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interrupts_deferred() -> Iterator[Interrupted]:
    """Raise `KeyboardInterrupt` at the end of the block for a signal that came inside it. Main thread only.

    Between the start of a process and our note of it lies an instant in which an interrupt would leave it behind. A
    loop inside the block looks at the value it is given, and ends.
    """
    interrupted = Interrupted()
    with _handled_by(interrupted.note):
        yield interrupted
    if interrupted.arrived:
        raise KeyboardInterrupt


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """For the clean-up: a second Ctrl-C must not leave half of it undone. Main thread only."""
    with _handled_by(Interrupted().note):
        yield


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
