"""The provider's side of the story, as the simulator tells it."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import ProxyHandler, build_opener

from campaigns.runtime.local_http import get_json

_direct = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Dial:
    """One call that the simulator made. Instants as ISO text of one clock, so they compare as they are."""

    attempt: str
    number: str
    created_at: str
    ended_at: str | None
    outcome: str
    """What it would come to by itself."""
    hung_up: bool = False
    """It did not end by itself: we ended it."""
    may_ring: bool = True
    """False: it fails before any phone rings, and spends none of `maxAttempts`."""


class Witness:
    """Asks one simulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stats(self) -> dict[str, Any]:
        """Its counts."""
        stats: dict[str, Any] = get_json(f"{self.url}/simulator/stats")
        return stats

    def dials(self) -> list[Dial]:
        """Every call there ever was, oldest first."""
        with _direct.open(f"{self.url}/simulator/calls", timeout=30) as answer:
            rows = [json.loads(line) for line in answer]
        return [
            Dial(
                row["name"],
                row["number"],
                row["createdAt"],
                row["endedAt"],
                OUTCOMES.get(row["outcome"], row["outcome"]),
                hung_up=row["endedReason"] == HUNG_UP,
                may_ring=row["outcome"] not in NEVER_RING,
            )
            for row in rows
        ]


HUNG_UP = "manually-canceled"
"""Vapi's word for a call that its own client ended."""
NEVER_RING = ("provider_error", "config_error")
"""Fates that end before any phone rings. An invalid number does so too, but that attempt is spent."""
OUTCOMES = {"pipeline_error": "provider_error"}
"""The simulator tells silence on the line from a fault before ringing; our books have one word for both."""
