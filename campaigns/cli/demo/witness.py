"""The provider's side of the story: what the simulator counted, independent of our own books."""

from dataclasses import dataclass

from campaigns.runtime.local_http import get_json


@dataclass(frozen=True, slots=True)
class Witness:
    """What the simulator saw."""

    dials: int
    double_dials: int
    """The same attempt twice, a person twice at one time, or again after having answered."""
    most_in_flight: int


def ask_witness(simulator_url: str) -> Witness:
    """Read the simulator's counts."""
    stats = get_json(f"{simulator_url}/simulator/stats")
    return Witness(
        dials=stats["dials"],
        double_dials=stats["double_dials"] + stats["redials_after_answer"],
        most_in_flight=stats["calls_in_flight_max"],
    )
