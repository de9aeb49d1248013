"""The switches that only the simulated Voxworks has."""

from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class VoxworksConfig:
    """One simulated Voxworks team."""
