"""What the services ask of the world above them; `workers` and `runtime` supply it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CallRef:
    """One released call as a message names it: no number, no name. A stale epoch claims nothing."""

    call_id: int
    epoch: int


class Publisher(Protocol):
    """Where messages go. Losing or repeating any of them must do no harm."""

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        """Ask a worker to dial these calls (1–50, one campaign). Raises `PublishError`."""

    def request_feed(self, limit_group: str) -> None:
        """A slot came free: feed soon. Coalesced; never raises, for the next tick feeds anyway."""

    def backlog(self) -> int:
        """Dispatch messages not yet taken by a worker. Raises `PublishError`."""


class PublishError(Exception):
    """The broker cannot be reached; the rows in Postgres bring the work back by themselves."""
