"""The switches that only the simulated Vapi has."""

from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class VapiConfig:
    """One simulated Vapi organisation."""
