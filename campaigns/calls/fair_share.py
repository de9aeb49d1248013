"""How the room of an account is shared among the campaigns that want it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """What one campaign could use now: `wanted` calls are due and inside its own limits."""

    campaign_id: int
    priority: int
    weight: int
    wanted: int
    in_use: int = 0
    """Calls it has in flight already: who holds more than its share waits for the others to catch up."""


def share(room: int, demands: Sequence[Demand]) -> dict[int, int]:
    """Split `room` calls: higher priority first; within one priority by weight, and nothing left unused.

    Returns campaign id → calls, only for those that get any. The sum is `min(room, all that is wanted)`.
    """
    shares: dict[int, int] = {}
    for priority in sorted({demand.priority for demand in demands}, reverse=True):
        level = [demand for demand in demands if demand.priority == priority and demand.wanted > 0]
        for campaign_id, count in _by_weight(room, level).items():
            shares[campaign_id] = count
            room -= count
    return shares


def _by_weight(room: int, level: Sequence[Demand]) -> dict[int, int]:
    """One call at a time to whoever is furthest behind its weight: exact, and small numbers stay fair."""
    shares = {demand.campaign_id: 0 for demand in level}
    hungry = list(level)
    while room > 0 and hungry:
        taker = min(
            hungry,
            key=lambda demand: (
                (demand.in_use + shares[demand.campaign_id] + 1) / demand.weight,
                demand.campaign_id,
            ),
        )
        shares[taker.campaign_id] += 1
        room -= 1
        if shares[taker.campaign_id] >= taker.wanted:
            hungry.remove(taker)
    return {campaign_id: count for campaign_id, count in shares.items() if count}
