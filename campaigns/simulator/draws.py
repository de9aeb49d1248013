"""Chance that repeats: a draw depends on the seed and on who is called the how-manyth time, never on timing."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

_RANGE = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of one call: `number` called for the `nth` time."""

    seed: int
    number: str
    nth: int

    def share(self, what: str) -> float:
        """Evenly from [0, 1); the same for the same `what`."""
        text = f"{self.seed}|{self.number}|{self.nth}|{what}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / _RANGE

    def seconds(self, what: str, *, span: tuple[float, float]) -> float:
        """Evenly from a span."""
        return span[0] + (span[1] - span[0]) * self.share(what)

    def happens(self, what: str, *, rate: float) -> bool:
        """True in `rate` of all cases."""
        return rate > 0 and self.share(what) < rate

    def pick(self, what: str, *, weights: Mapping[str, float]) -> str:
        """One name by weight."""
        possible = {name: weight for name, weight in weights.items() if weight > 0}
        left = self.share(what) * sum(possible.values())
        for name, weight in possible.items():
            left -= weight
            if left < 0:
                return name
        return list(possible)[-1]

    def pick_or_none(self, what: str, *, shares: Mapping[str, float]) -> str | None:
        """One name by its share of all cases, or none where the shares leave room."""
        return self.pick(what, weights={**shares, "": max(0.0, 1.0 - sum(shares.values()))}) or None
