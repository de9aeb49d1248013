"""A permit with its turn: the last two looks before a request leaves, both once a connection is held.

The connection is got ahead of the turn, so that a handshake cannot push dials together: each waits for its own instant
with the connection in hand.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from campaigns.calls.pacing import LATENESS
from campaigns.providers.contract import PermitLapsedError
from campaigns.services.latecomers import Latecomers
from campaigns.services.machine_clock import MachinePermit
from campaigns.services.pace import Turn

LEAD = 0.1
"""Seconds before its turn that a dial begins to get its connection: an ordinary handshake, TLS included."""
WRITING = LATENESS / 3
"""Seconds that may pass between the turn and the first byte: on a busy loop the request is written by a later task."""


class PacedPermit:
    """What the provider's client is given: `turn` waits, `check` looks, `remaining` bounds connecting."""

    def __init__(
        self,
        permit: MachinePermit,
        turn: Turn | None,
        late: Latecomers,
        spacings: Mapping[str, float],
        *,
        on_leave: Callable[[], None] | None = None,
    ) -> None:
        """`turn` None: there is none in time, and nothing will leave."""
        self._permit = permit
        self._turn = turn
        self._late = late
        self._spacings = spacings
        self._on_leave = on_leave
        self.left_at: float | None = None
        """When the turn came, on the permit's clock; None: nothing left."""

    def check(self) -> None:
        """Raise `PermitLapsedError` if the permit may no longer be used, or its turn was missed after all."""
        self._permit.check()
        if self.left_at is not None and self._turn is not None and self._permit.clock() > self._turn.until + WRITING:
            raise PermitLapsedError

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
        if self._turn is None or self._turn.at >= self._permit.lapses_at:
            return False
        await self._sleep_until(self._turn.at - LEAD)
        return True

    async def turn(self) -> None:
        """Wait for the turn; one that was missed is given up for a new one. Raises `PermitLapsedError`."""
        while self._turn is not None and self._turn.at < self._permit.lapses_at:
            await self._sleep_until(self._turn.at)
            if self._permit.clock() <= self._turn.until:
                self._permit.check()
                self.left_at = self._permit.clock()
                self.leave()
                return
            self._turn = await self._next_turn(self._turn)
        raise PermitLapsedError

    async def _next_turn(self, missed: Turn) -> Turn:
        """Not longer than the permit lives: else it would end as a connection that could not be had, and the account
        would be given a rest for it."""
        try:
            async with asyncio.timeout(self.remaining().total_seconds()):
                return await self._late.next_turn(missed, self._spacings, lapses_at=self._permit.lapses_at)
        except TimeoutError:
            raise PermitLapsedError from None

    async def _sleep_until(self, instant: float) -> None:
        # Not polling: a timer may fire a moment early.
        while (left := instant - self._permit.clock()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)
