"""Seconds that only grow, also while the process is frozen or the machine suspended."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from campaigns.providers.contract import PermitLapsedError

Monotonic = Callable[[], float]

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""CLOCK_MONOTONIC stands still while a Linux machine is suspended: a permit would outlive its second."""


def monotonic() -> float:
    """Seconds since some fixed instant, suspended time included where the system can tell."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True)
class MachinePermit:
    """A permit as the sender holds it: it lapses at `lapses_at` on `clock`, whatever any calendar says."""

    lapses_at: float
    clock: Monotonic = monotonic

    def check(self) -> None:
        """Last look before the bytes leave. Raises `PermitLapsedError`."""
        if self.remaining() <= timedelta(0):
            raise PermitLapsedError

    def remaining(self) -> timedelta:
        """Time left; zero or negative once it lapsed."""
        return timedelta(seconds=self.lapses_at - self.clock())
