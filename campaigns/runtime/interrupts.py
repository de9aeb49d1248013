"""Ctrl-C at a bad moment: put off while a server is being started, passed over while everything is being stopped."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at the end of the block for a signal that came inside it.

    Between the start of a process and our note of it lies an instant in which an interrupt would leave it behind.
    Only the main thread may use this.
    """
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    with _handled_by(remember):
        yield
    if arrived:
        raise KeyboardInterrupt


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """For the clean-up: a second Ctrl-C must not leave half of it undone. Only the main thread may use this."""

    def ignore(number: int, frame: FrameType | None) -> None:
        return None

    with _handled_by(ignore):
        yield


@contextmanager
def _handled_by(handler: object) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in INTERRUPTS}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
