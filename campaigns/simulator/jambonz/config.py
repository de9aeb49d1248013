"""The switches that only the simulated jambonz (Cognigy Voice Gateway) has."""

from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class JambonzConfig:
    """One simulated jambonz account."""
