"""Pace: look how many dials fit in the next moments, and take their instants."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from campaigns.calls.pacing import allot, spacing
from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.services.machine_clock import Monotonic, monotonic
from campaigns.store.pace import read_scopes, write_scopes

CLAIM_HORIZON = PERMIT_LIFETIME.total_seconds() / 2
"""Claim only what can be sent within half a permit's life: permits must not lapse in a queue."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many dials fit before the horizon; if none, how many seconds until the first one does."""

    count: int
    wait: float


def scope_spacings(
    *, limit_group: str, account_cps: float, campaign_id: int, campaign_cps: float | None
) -> dict[str, float]:
    """The scopes a campaign dials in, with the seconds between dials of each."""
    spacings = {f"account:{limit_group}": spacing(account_cps)}
    if campaign_cps is not None:
        spacings[f"campaign:{campaign_id}"] = spacing(campaign_cps)
    return spacings


class Pace:
    """Dial instants for one database."""

    def __init__(self, engine: Engine, clock: Monotonic = monotonic) -> None:
        self._engine = engine
        self._clock = clock

    def room(self, spacings: Mapping[str, float], *, most: int) -> Room:
        """Look, without taking anything."""
        with self._engine.begin() as connection:
            state = read_scopes(connection, spacings, lock=False, clock=self._clock)
        scopes = list(state.scopes.values())
        instants, _ = allot(scopes, now=state.now, count=most, until=state.now + CLAIM_HORIZON)
        if instants:
            return Room(len(instants), 0.0)
        first, _ = allot(scopes, now=state.now, count=1)
        return Room(0, first[0] - state.now - CLAIM_HORIZON / 2)

    def take(self, spacings: Mapping[str, float], count: int) -> list[float]:
        """Take `count` instants, as readings of this process's monotonic clock, in order."""
        with self._engine.begin() as connection:
            state = read_scopes(connection, spacings, lock=True, clock=self._clock)
            instants, left = allot(list(state.scopes.values()), now=state.now, count=count)
            write_scopes(connection, list(state.scopes), left)
        return [state.read_at + instant - state.now for instant in instants]
