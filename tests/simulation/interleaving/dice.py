"""Chance, by name: each use draws from a stream of its own, so that leaving one event out leaves the others as they
were."""

from collections import Counter
from random import Random


class Dice:
    """All chance of one schedule. `shared` set: every stream is this one, as Hypothesis needs it to shrink."""

    def __init__(self, seed: int, *, shared: Random | None = None) -> None:
        self._seed = seed
        self._shared = shared
        self._used: Counter[str] = Counter()

    def stream(self, name: str) -> Random:
        """The stream of this name, from its beginning."""
        return self._shared or Random(f"{self._seed}/{name}")

    def next(self, name: str) -> Random:
        """The stream of the next use of this name."""
        self._used[name] += 1
        return self.stream(f"{name} {self._used[name]}")
