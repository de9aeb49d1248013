"""Vapi's URLs."""

from collections.abc import Iterator

from aiohttp import web

from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.assistant_endpoints import AssistantEndpoints
from campaigns.simulator.vapi.call_endpoints import CallEndpoints
from campaigns.simulator.vapi.inbound import InboundEndpoints
from campaigns.simulator.vapi.number_endpoints import NumberEndpoints
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.web_calls import WebCallEndpoints

PARTS = (WebCallEndpoints, CallEndpoints, NumberEndpoints, AssistantEndpoints, InboundEndpoints)


class VapiEndpoints:
    """All handlers of one simulated organisation."""

    def __init__(self, simulation: Simulation) -> None:
        self.organisation = Organisation(simulation)

    def routes(self) -> list[web.RouteDef]:
        """Everything below the API's root."""
        return list(self._routes())

    def _routes(self) -> Iterator[web.RouteDef]:
        for part in PARTS:
            yield from part(self.organisation).routes()
