"""Waiting for what one wants to see, with a deadline and a sentence for the day when it does not come."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event

LOOK_INTERVAL = timedelta(milliseconds=200)


def wait_until(seen: Callable[[], bool], *, what: str, timeout: timedelta) -> None:
    """Look every `LOOK_INTERVAL` until `seen`; raises `AssertionError` that says what did not come."""
    deadline = time.monotonic() + timeout.total_seconds()
    pause = Event()
    while not seen():
        assert time.monotonic() < deadline, f"not within {timeout.total_seconds():.0f} s: {what}"
        pause.wait(LOOK_INTERVAL.total_seconds())
