"""`/simulator/…`: what no provider has. Counts, the list of calls, and the switches."""

import json

from aiohttp import web

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.clock import iso
from campaigns.simulator.fields import ConfigError
from campaigns.simulator.simulation import Simulation

PAGE = 1_000_000


class ControlEndpoints:
    """The handlers of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[web.RouteDef]:
        """Without a key: the simulator listens on loopback."""
        return [
            web.get("/simulator/health", self.health),
            web.get("/simulator/stats", self.stats),
            web.get("/simulator/calls", self.calls),
            web.post("/simulator/config", self.change),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def stats(self, _request: web.Request) -> web.Response:
        waiting = {"webhooks_waiting": self._simulation.sender.waiting}
        return web.json_response(self._simulation.ledger.snapshot() | waiting)

    async def calls(self, request: web.Request) -> web.Response:
        """JSON lines, oldest first; `?offset=…&limit=…`."""
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", PAGE))
        lines = (json.dumps(_row(call)) for call in self._simulation.book.all(offset=offset, limit=limit))
        return web.Response(text="".join(f"{line}\n" for line in lines), content_type="application/x-ndjson")

    async def change(self, request: web.Request) -> web.Response:
        """Takes any part of the configuration; the rest stays."""
        try:
            document = json.loads(await request.read())
            self._simulation.change(document)
        except (ConfigError, ValueError, TypeError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True})


def _row(call: SimulatedCall) -> dict[str, object]:
    return {
        "id": call.id,
        "provider": call.dialect.name,
        "attempt": call.attempt,
        "name": call.name,
        "number": call.number,
        "line": call.line,
        "createdAt": iso(call.created_ms),
        "accepted": True,
        "answer": call.answer,
        "outcome": call.fate.outcome,
        "status": call.status,
        "endedAt": call.ended_ms and iso(call.ended_ms),
        "endedReason": call.ended_reason,
    }
