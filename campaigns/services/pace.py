"""Pace: dial instants, taken from Postgres by the group."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from campaigns.calls.pacing import allot, spacing
from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.services.machine_clock import Monotonic, monotonic
from campaigns.store.pace import PaceState, read_scopes, write_scopes

CLAIM_HORIZON = PERMIT_LIFETIME.total_seconds() / 2
"""Claim only what can be sent within half a permit's life: permits must not lapse in a queue."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One dial's instant."""

    at: float
    """As a reading of this process's monotonic clock."""
    taken: float
    """As the scopes know it: seconds since the epoch on the database's clock."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """Turns taken for a group that is about to be claimed; none: how many seconds until it is worth asking again."""

    turns: tuple[Turn, ...]
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

    def reserve(self, spacings: Mapping[str, float], *, most: int, lead: float) -> Reserved:
        """Take up to `most` turns from `lead` seconds ahead on, none beyond the claim's horizon.

        Before the claim and not after it, so that two processes never claim for the same stretch of time.
        """
        with self._engine.begin() as connection:
            state = read_scopes(connection, spacings, lock=True, clock=self._clock)
            scopes, first = list(state.scopes.values()), state.now + lead
            instants, left = allot(scopes, now=first, count=most, until=first + CLAIM_HORIZON)
            if instants:
                write_scopes(connection, list(state.scopes), left)
                return Reserved(tuple(_turn(instant, state) for instant in instants), 0.0)
        (soonest,), _ = allot(scopes, now=first, count=1)
        return Reserved((), soonest - first - CLAIM_HORIZON / 2)

    def give_back(self, spacings: Mapping[str, float], turns: Sequence[Turn]) -> None:
        """Let others have the turns of calls that were not dialed after all; what is over is simply lost."""
        ahead = [turn.taken for turn in turns if turn.at > self._clock()]
        if not ahead:
            return
        with self._engine.begin() as connection:
            state = read_scopes(connection, spacings, lock=True, clock=self._clock)
            left = [scope.give_back(ahead) for scope in state.scopes.values()]
            write_scopes(connection, list(state.scopes), left)

    def take(self, spacings: Mapping[str, float], count: int, *, until: float = math.inf) -> list[float]:
        """Up to `count` further instants before `until`, all as readings of this process's monotonic clock."""
        with self._engine.begin() as connection:
            state = read_scopes(connection, spacings, lock=True, clock=self._clock)
            last = until + state.now - state.read_at
            instants, left = allot(list(state.scopes.values()), now=state.now, count=count, until=last)
            write_scopes(connection, list(state.scopes), left)
        return [_turn(instant, state).at for instant in instants]


def _turn(instant: float, state: PaceState) -> Turn:
    return Turn(state.read_at + instant - state.now, instant)
