"""A permit with its turn: the last two looks before a request leaves, both once a connection is held.

The connection is got ahead of the turn, so that a handshake cannot push dials together: each waits for its own instant
with the connection in hand.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from campaigns.calls.pacing import JITTER
from campaigns.providers.contract import PermitLapsedError
from campaigns.services.latecomers import Latecomers
from campaigns.services.machine_clock import MachinePermit

LEAD = 0.1
"""Seconds before its turn that a dial begins to get its connection: an ordinary handshake, TLS included."""


class PacedPermit:
    """What the provider's client is given: `turn` waits, `check` looks, `remaining` bounds connecting."""

    def __init__(
        self,
        permit: MachinePermit,
        instant: float,
        late: Latecomers,
        spacings: Mapping[str, float],
        *,
        on_leave: Callable[[], None] | None = None,
    ) -> None:
        self._permit = permit
        self._instant = instant
        self._late = late
        self._spacings = spacings
        self._on_leave = on_leave
        self.left_at: float | None = None
        """When the turn came, on the permit's clock; None: nothing left."""

    def check(self) -> None:
        """Raise `PermitLapsedError` if the permit may no longer be used."""
        self._permit.check()

    def remaining(self) -> timedelta:
        """How long the permit may still be used."""
        return self._permit.remaining()

    def leave(self) -> None:
        """The request is leaving, or it never will; told once however often it is called."""
        told, self._on_leave = self._on_leave, None
        if told is not None:
            told()

    async def is_near(self) -> bool:
        """Wait until it is time to get a connection; False: the permit will have lapsed before the turn comes."""
        if self._instant >= self._permit.lapses_at:
            return False
        await asyncio.sleep(max(0.0, self._instant - LEAD - self._permit.clock()))
        return True

    async def turn(self) -> None:
        """Wait for the instant; one that was missed is given up for a new one. Raises `PermitLapsedError`."""
        while self._instant < self._permit.lapses_at:
            await asyncio.sleep(max(0.0, self._instant - self._permit.clock()))
            if self._permit.clock() - self._instant <= JITTER:
                self.check()
                self.left_at = self._permit.clock()
                self.leave()
                return
            self._instant = await self._late.next_instant(self._spacings, lapses_at=self._permit.lapses_at)
        raise PermitLapsedError
