"""The hunt for one mutation: schedules against the services without a safeguard, until a promise breaks."""

from dataclasses import dataclass

from interleaving.mutations import Mutation
from interleaving.schedule import Plan, Played, Theatre

MOST_SEEDS = 80
"""Schedules until a mutation counts as not found: the rarest of them breaks one schedule in some twenty."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """`found` None: every promise held in all schedules."""

    schedules: int
    found: Played | None


def hunt(theatre: Theatre, mutation: Mutation, *, first: int) -> Hunt:
    """Play from the seed `first` on, each schedule with the safeguard gone anew."""
    for seed in range(first, first + MOST_SEEDS):
        with mutation.apply():
            played = theatre.play(Plan(seed, only=frozenset(mutation.only)))
        if played.broken is not None:
            return Hunt(seed - first + 1, played)
    return Hunt(MOST_SEEDS, None)
