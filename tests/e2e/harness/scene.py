"""What whoever causes a fault has at hand."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Protocol

from harness.stack import Stack
from harness.trial import Trial

STRIKE_TIMEOUT = timedelta(seconds=90)
"""From submit to fault: expansion, the first dials, and a worker that is still starting again; on a busy machine."""


class Wait(Protocol):
    """Waits and keeps an eye on all trials; asks our database, so not while that is away."""

    def __call__(self, seen: Callable[[], bool], *, what: str, timeout: timedelta) -> None: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """One trial in its story."""

    stack: Stack
    trial: Trial
    dice: random.Random
    wait: Wait
    round_number: int

    def strike(self) -> None:
        """The fault happens now: note what it hits."""
        self.trial.strike(self.stack)


def let_pass(duration: timedelta) -> None:
    """The fault lasts so long: here time itself is what is tried."""
    Event().wait(duration.total_seconds())
