"""Dial instants: who may send when, so that no rolling second ever holds more dials than its limit.

A scope (an account, a campaign) is a line of free time. A dial takes one instant that is free in every scope
it belongs to, and with it the time around it that keeps the next dial one spacing away. Where a slower scope
makes a dial wait, the faster one keeps the stretch before it as a gap that other campaigns may still fill.
Instants are seconds since the epoch, as Postgres reads its clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.calls.permits import PERMIT_LIFETIME

JITTER = 0.030
"""Seconds by which dials may slip against each other on their way. Spacing is widened by it, so that the provider too
sees no more than CPS in any second. It costs 3 % of the rate, and 95 % are to be used."""
LATENESS = JITTER / 2
"""Half of it is ours: how well we know the database's clock, and how late a send leaves. The rest is the way's."""

ROUNDING = 1e-5
"""Seconds since the epoch are kept to the microsecond by Postgres, and to about a quarter of one by a double."""

MAX_GAPS = 64
"""Gaps kept a scope: the rest is forgotten, which only wastes a little time, never exceeds a limit."""


MOST_AHEAD = 2 * (PERMIT_LIFETIME.total_seconds() + JITTER)
"""Seconds: instants are taken within a permit's lifetime, and a pause is one more."""


def spacing(calls_per_second: float) -> float:
    """Seconds between two dials of one scope."""
    return (1 + JITTER) / calls_per_second


def lateness_of(spacing: float) -> float:
    """Seconds by which a dial may leave late where dials are `spacing` apart: below one a second, as much longer."""
    return LATENESS * max(1.0, spacing / (1 + JITTER))


@dataclass(frozen=True, slots=True)
class Scope:
    """The free time of one limit: `gaps` are stretches `(first, last)` of allowed instants, then all from `next_at`."""

    next_at: float
    spacing: float
    gaps: tuple[tuple[float, float], ...] = ()

    def first_free(self, after: float) -> float:
        """The earliest allowed instant at or after `after`."""
        for first, last in self.gaps:
            if last >= after:
                return max(first, after)
        return max(self.next_at, after)

    def take(self, instant: float) -> "Scope":
        """The scope once `instant`, which must be free, is taken."""
        gaps: list[tuple[float, float]] = []
        for first, last in self.gaps:
            if first <= instant <= last:
                gaps += [(first, instant - self.spacing), (instant + self.spacing, last)]
            else:
                gaps.append((first, last))
        next_at = self.next_at
        if instant >= next_at:
            gaps.append((next_at, instant - self.spacing))
            next_at = instant + self.spacing
        return Scope(next_at, self.spacing, tuple(gap for gap in gaps if gap[0] <= gap[1])[-MAX_GAPS:])

    def give_back(self, instants: Sequence[float]) -> "Scope":
        """The scope with these taken instants free again; they are in order of time.

        Instants that lie one spacing apart have nothing between them, so they become one stretch again; others come
        back each for itself, for another campaign may have dialed between them.
        """
        gaps, next_at = list(self.gaps), self.next_at
        for first, last in _stretches(instants, self.spacing):
            if abs(last + self.spacing - next_at) <= ROUNDING:
                next_at = first
            else:
                gaps.append((first, last))
        return Scope(next_at, self.spacing, tuple(sorted(gaps))[-MAX_GAPS:])

    def after_pause(self, now: float) -> "Scope":
        """The scope when nobody can tell which of its instants are taken: free once all that may be must be over."""
        return Scope(now + PERMIT_LIFETIME.total_seconds() + JITTER + self.spacing, self.spacing)

    def is_plausible(self, now: float) -> bool:
        """Whether instants can be taken so far ahead. They are taken for the next second at most."""
        return self.next_at <= now + 2 * self.spacing + MOST_AHEAD

    def since(self, now: float) -> "Scope":
        """The scope without the gaps that have passed."""
        return Scope(self.next_at, self.spacing, tuple(gap for gap in self.gaps if gap[1] >= now))


def _stretches(instants: Sequence[float], apart: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for instant in instants:
        if found and abs(instant - found[-1][1] - apart) <= ROUNDING:
            found[-1] = (found[-1][0], instant)
        else:
            found.append((instant, instant))
    return found


def allot(
    scopes: Sequence[Scope], *, now: float, count: int, until: float = math.inf
) -> tuple[list[float], list[Scope]]:
    """Take up to `count` instants free in every scope, from `now` on and before `until`, in order of time.

    Returns the instants and the scopes as they stand afterwards.
    """
    left = [scope.since(now) for scope in scopes]
    instants: list[float] = []
    while len(instants) < count:
        instant = _first_common(left, now)
        if instant >= until:
            break
        left = [scope.take(instant) for scope in left]
        instants.append(instant)
    return instants, left


def _first_common(scopes: Sequence[Scope], after: float) -> float:
    instant = after
    while True:
        later = max((scope.first_free(instant) for scope in scopes), default=instant)
        if later == instant:
            return instant
        instant = later
