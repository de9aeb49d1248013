"""Vapi's URLs."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.clock import iso
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.answers import WRONG_KEY, problem
from campaigns.simulator.vapi.bodies import ORG_ID, call_body
from campaigns.simulator.vapi.creating import Creator
from campaigns.simulator.vapi.dialect import VAPI
from campaigns.simulator.vapi.validation import SHORT

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
END_OF_TIME_MS = 1 << 52

_FILTERS = frozenset({"id", "assistantId", "phoneNumberId", "limit"}) | {
    f"{what}{bound}" for what in ("createdAt", "updatedAt") for bound in ("Gt", "Lt", "Ge", "Le")
}
_TIME_FILTER = re.compile(r"(createdAt|updatedAt)(Gt|Lt|Ge|Le)")


class VapiEndpoints:
    """The handlers of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._creator = Creator(simulation)

    def routes(self) -> list[web.RouteDef]:
        """Everything below the API's root, and the control URL of live calls."""
        return [
            web.post("/call", self._keyed(self.create)),
            web.get("/call", self._keyed(self.list_calls)),
            web.get("/call/{call_id}", self._keyed(self.show)),
            web.patch("/call/{call_id}", self._keyed(self.rename)),
            web.delete("/call/{call_id}", self._keyed(self.delete)),
            web.get("/phone-number", self._keyed(self.list_lines)),
            web.get("/phone-number/{line_id}", self._keyed(self.show_line)),
            web.post("/{call_id}/control", self.control),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await json_object(request)
        if body is None:
            return problem(400, "Unexpected token in JSON")
        return await self._creator.create(request, body)

    async def list_calls(self, request: web.Request) -> web.Response:
        try:
            found = _matching(self._simulation, request.query)
        except ValueError as error:
            return problem(400, str(error))
        return ok([self._body(call) for call in found])

    async def show(self, request: web.Request) -> web.Response:
        call = self._simulation.book.get(VAPI, request.match_info["call_id"])
        return _no_such_call() if call is None else ok(self._body(call))

    async def rename(self, request: web.Request) -> web.Response:
        call = self._simulation.book.get(VAPI, request.match_info["call_id"])
        body = await json_object(request)
        if call is None:
            return _no_such_call()
        problems = [f"property {key} should not exist" for key in body or {} if key != "name"]
        name = (body or {}).get("name")
        if problems or not isinstance(name, str) or len(name) > SHORT:
            return problem(400, problems or f"name must be shorter than or equal to {SHORT} characters")
        call.name = name
        return ok(self._body(call))

    async def delete(self, request: web.Request) -> web.Response:
        """A scheduled call is cancelled. Of any other only the data goes: it rings on."""
        call = self._simulation.book.get(VAPI, request.match_info["call_id"])
        if call is None:
            return _no_such_call()
        if not self._simulation.telephony.unschedule(call):
            self._simulation.book.delete(call.id)
        return ok(self._body(call))

    async def control(self, request: web.Request) -> web.Response:
        """The control URL is its own secret: no key is asked."""
        call = self._simulation.book.get(VAPI, request.match_info["call_id"])
        body = await json_object(request)
        if call is None:
            return _no_such_call()
        if body is None or body.get("type") != "end-call":
            return problem(400, "type must be one of the following values: end-call")
        return ok({"ok": True}) if self._simulation.telephony.hang_up(call) else _no_such_call()

    async def list_lines(self, _request: web.Request) -> web.Response:
        return ok([_line_body(line) for line in self._simulation.config.lines])

    async def show_line(self, request: web.Request) -> web.Response:
        line, lines = request.match_info["line_id"], self._simulation.config.lines
        return problem(404, "Phone number not found") if lines and line not in lines else ok(_line_body(line))

    def _body(self, call: SimulatedCall) -> dict[str, Any]:
        return call_body(call, base_url=self._simulation.base_url, speed=self._simulation.config.speed)

    def _keyed(self, handler: Handler) -> Handler:
        async def keyed(request: web.Request) -> web.StreamResponse:
            if not request.headers.get("User-Agent"):
                return web.Response(status=403, text="error code: 1010")
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            expected = self._simulation.config.api_key
            if scheme != "Bearer" or not key or (expected is not None and key != expected):
                return problem(401, WRONG_KEY)
            return await handler(request)

        return keyed


def _no_such_call() -> web.Response:
    return problem(404, "Call not found")


def _line_body(line: str) -> dict[str, Any]:
    since = iso(0)
    return {"id": line, "orgId": ORG_ID, "createdAt": since, "updatedAt": since, "provider": "vapi", "name": line,
            "status": "active"}  # fmt: skip


def _matching(simulation: Simulation, query: Mapping[str, str]) -> list[SimulatedCall]:
    """Raises `ValueError` for a filter that Vapi does not have."""
    if unknown := sorted(set(query) - _FILTERS):
        raise ValueError(f"property {unknown[0]} should not exist")
    limit = int(query.get("limit", DEFAULT_LIMIT))
    if not 0 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit must not be greater than {MAX_LIMIT}")
    found: list[SimulatedCall] = []
    for call in _candidates(simulation, query):
        if len(found) == limit:
            break
        found.append(call)
    return found


def _candidates(simulation: Simulation, query: Mapping[str, str]) -> Iterator[SimulatedCall]:
    created, updated = _span(query, "createdAt"), _span(query, "updatedAt")
    for call in simulation.book.newest_first(VAPI, from_ms=created[0], to_ms=created[1]):
        wanted = all(query.get(key, value) == value for key, value in _filterable(call).items())
        if wanted and updated[0] <= call.updated_ms <= updated[1]:
            yield call


def _filterable(call: SimulatedCall) -> dict[str, str | None]:
    return {"id": call.id, "phoneNumberId": call.line, "assistantId": call.request.get("assistantId")}


def _span(query: Mapping[str, str], what: str) -> tuple[int, int]:
    """The whole milliseconds that the filters let through, both ends included."""
    lowest = max(_ms(query, f"{what}Ge", default=0), _ms(query, f"{what}Gt", default=-1) + 1)
    highest = min(_ms(query, f"{what}Le", default=END_OF_TIME_MS), _ms(query, f"{what}Lt", default=END_OF_TIME_MS) - 1)
    return lowest, highest


def _ms(query: Mapping[str, str], key: str, *, default: int) -> int:
    if key not in query:
        return default
    try:
        return round(datetime.fromisoformat(query[key]).timestamp() * 1000)
    except ValueError:
        raise ValueError(f"{key} must be a valid ISO 8601 date string") from None
