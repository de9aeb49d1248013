"""What one provider says in its own way; everything else about a call is played alike for all of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from campaigns.simulator.config import SimulatorConfig, WhenFull
from campaigns.simulator.webhooks import Delivery

if TYPE_CHECKING:
    from campaigns.simulator.calls import SimulatedCall


@dataclass(frozen=True, slots=True)
class Happening:
    """News of a call: `status` (its status changed) or `report` (its report is ready)."""

    kind: str
    call: "SimulatedCall"
    status: str
    """`scheduled`, `queued`, `ringing`, `in-progress` or `ended`: the simulator's own words."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Endings:
    """The provider's words for how calls end."""

    by_outcome: Mapping[str, Mapping[str, float]]
    """Outcome → its ended reasons, by weight."""
    over_limit: str
    stopped: str
    unscheduled: str


class Deliveries(Protocol):
    """The webhooks that a happening becomes, none to several."""

    def __call__(self, happening: Happening, /, *, config: SimulatorConfig, base_url: str) -> Iterable[Delivery]: ...


class FaultAnswers(Protocol):
    """How a provider words the faults that were asked for."""

    def rate_limited(self, *, retry_after: int) -> web.Response:
        """429 with `Retry-After` in seconds."""

    def server_error(self, *, status: int) -> web.Response:
        """A status of 500 and above."""

    def without_id(self) -> web.Response:
        """A 2xx that lacks the id of the call it made."""


def unhindered(_call: "SimulatedCall") -> str | None:
    """Every call may start."""
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's manner. A call carries that of the API it was created by."""

    name: str
    """`vapi`, `jambonz`, `voxworks`: also the key under which the ledger counts it apart."""
    endings: Endings
    new_id: Callable[[int], str]
    """Milliseconds of the provider's clock → an id that no call has yet."""
    when_full: Callable[[SimulatorConfig], WhenFull]
    deliveries: Deliveries
    fault_answers: FaultAnswers
    hindrance: Callable[["SimulatedCall"], str | None] = unhindered
    """Asked when a call is about to take a slot: the ended reason of one that may not, as when its time is over."""
