"""`/simulator/…`: what no provider has. Counts, the list of calls, and the switches."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from campaigns.simulator.answers import ok
from campaigns.simulator.calls import CallKind, SimulatedCall
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
            web.get("/simulator/attempts", self.attempts),
            web.get("/simulator/customers", self.customers),
            web.get("/simulator/numbers", self.numbers),
            web.get("/simulator/config", self.show_config),
            web.post("/simulator/config", self.change),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        return ok({"ok": True})

    async def stats(self, _request: web.Request) -> web.Response:
        waiting = {"webhooks_waiting": self._simulation.sender.waiting}
        return ok(self._simulation.ledger.snapshot() | waiting)

    async def calls(self, request: web.Request) -> web.Response:
        """JSON lines, oldest first; `?offset=…&limit=…`."""
        offset, limit = _whole(request, "offset", default=0), _whole(request, "limit", default=PAGE)
        lines = (json.dumps(_row(call)) for call in self._simulation.book.all(offset=offset, limit=limit))
        return web.Response(text="".join(f"{line}\n" for line in lines), content_type="application/x-ndjson")

    async def attempts(self, request: web.Request) -> web.Response:
        """Attempt key → calls that were made for it; `?least=2` leaves out the ones made once."""
        return self._counts(request, lambda call: call.attempt)

    async def customers(self, request: web.Request) -> web.Response:
        """The client's own id of a customer, where the API takes one → calls."""
        return self._counts(request, lambda call: call.customer.get("externalId"))

    async def numbers(self, request: web.Request) -> web.Response:
        """Number → calls."""
        return self._counts(request, lambda call: call.number)

    async def show_config(self, _request: web.Request) -> web.Response:
        """All of it, as `change` takes it."""
        return ok(dataclasses.asdict(self._simulation.config))

    async def change(self, request: web.Request) -> web.Response:
        """Takes any part of the configuration; the rest stays."""
        try:
            document = json.loads(await request.read())
            self._simulation.change(document)
        except (ConfigError, ValueError, TypeError, AttributeError) as error:
            return ok({"error": str(error)}, status=400)
        return ok({"ok": True})

    def _counts(self, request: web.Request, key: Callable[[SimulatedCall], str | None]) -> web.Response:
        least = _whole(request, "least", default=1)
        made = self._simulation.book.all(offset=0, limit=PAGE)
        counted = Counter(name for call in made if call.kind is CallKind.OUTBOUND and (name := key(call)) is not None)
        return ok({name: calls for name, calls in counted.items() if calls >= least})


def _whole(request: web.Request, name: str, *, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal():
        raise web.HTTPBadRequest(text=json.dumps({"error": f"{name}: give a whole number"}))
    return int(text)


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
