"""`/call`: create, list, show, rename, delete; and the control URL of live calls."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.recordings import silent_wave
from campaigns.simulator.vapi.answers import NO_JSON, problem, refused
from campaigns.simulator.vapi.bodies import call_body
from campaigns.simulator.vapi.creating import Creator
from campaigns.simulator.vapi.filters import limit_of, refuse_unknown, span_of, within
from campaigns.simulator.vapi.keys import Keys
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.schema import too_long, unknown

_FILTERS = ("id", "assistantId", "phoneNumberId")
NOT_DELETED = "The call could not be deleted. Try again."


class CallEndpoints:
    """The handlers of one organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._simulation = organisation.simulation
        self._creator = Creator(organisation)
        self._deletes = 0

    def routes(self) -> list[web.RouteDef]:
        """Control URLs are secrets of their own: no key is asked there."""
        private = Keys(self._simulation).private
        return [
            web.post("/call", private(self.create)),
            web.get("/call", private(self.list_calls)),
            web.get("/call/{call_id}", private(self.show)),
            web.patch("/call/{call_id}", private(self.rename)),
            web.delete("/call/{call_id}", private(self.delete)),
            web.get("/call/{call_id}/mono-recording", private(self.recording)),
            web.get("/recording/{call_id}-mono.wav", self.recording),
            web.post("/{call_id}/control", self.control),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await json_object(request)
        if body is None:
            return problem(400, NO_JSON)
        return await self._creator.create(request, body)

    async def list_calls(self, request: web.Request) -> web.Response:
        try:
            found = self._matching(request.query)
        except ValueError as error:
            return problem(400, str(error))
        return ok([self._body(call) for call in found])

    async def show(self, request: web.Request) -> web.Response:
        call = self._call(request)
        return _no_such_call() if call is None else ok(self._body(call))

    async def rename(self, request: web.Request) -> web.Response:
        """A call's name is all of it that can be changed."""
        call, body = self._call(request), await json_object(request)
        if call is None:
            return _no_such_call()
        if body is None:
            return problem(400, NO_JSON)
        problems = [*unknown(body, known=frozenset({"name"}), path=""), *too_long(body, keys=("name",), path="")]
        if problems:
            return refused(problems)
        call.name = body.get("name", call.name)
        call.updated_ms = self._simulation.clock.now_ms()
        return ok(self._body(call))

    async def delete(self, request: web.Request) -> web.Response:
        """A scheduled call is cancelled. Of any other only the data goes: it rings on. `ids` go instead of the one."""
        call, body = self._call(request), await json_object(request) if request.can_read_body else {}
        if call is None:
            return _no_such_call()
        if body is None or (problems := [*unknown(body, known=frozenset({"ids"}), path="")]):
            return problem(400, NO_JSON) if body is None else refused(problems)
        if not all(isinstance(each, str) for each in body.get("ids") or ()):
            return problem(400, "each value in ids must be a string")
        if self._is_unavailable(call):
            return problem(503, NOT_DELETED)
        book, dialect = self._simulation.book, self._organisation.dialect
        asked = [book.get(dialect, call_id) for call_id in body.get("ids") or (call.id,)]
        for each in filter(None, asked):
            self._delete(each)
        return ok(self._body(call))

    async def control(self, request: web.Request) -> web.Response:
        call, body = self._call(request), await json_object(request)
        if call is None:
            return _no_such_call()
        if body is None or body.get("type") != "end-call":
            return problem(400, "type must be one of the following values: end-call")
        return ok({"ok": True}) if self._simulation.telephony.hang_up(call) else _no_such_call()

    async def recording(self, request: web.Request) -> web.Response:
        """A second of silence, of calls that somebody answered."""
        call = self._call(request)
        if call is None or call.started_ms is None or call.ended_ms is None:
            return problem(404, "Recording not found")
        return web.Response(body=silent_wave(), content_type="audio/wav")

    def _call(self, request: web.Request) -> SimulatedCall | None:
        return self._simulation.book.get(self._organisation.dialect, request.match_info["call_id"])

    def _delete(self, call: SimulatedCall) -> None:
        if not self._simulation.telephony.unschedule(call):
            self._simulation.book.delete(call.id)

    def _is_unavailable(self, call: SimulatedCall) -> bool:
        """Drawn anew each time, so that trying again helps."""
        rate = self._organisation.config.vapi.delete_unavailable
        self._deletes += 1
        return call.draws.happens(f"delete {self._deletes}", rate=rate)

    def _body(self, call: SimulatedCall) -> dict[str, Any]:
        return call_body(call, view=self._organisation.view)

    def _matching(self, query: Mapping[str, str]) -> list[SimulatedCall]:
        """Raises `ValueError` for a filter that Vapi does not have."""
        refuse_unknown(query, known=_FILTERS)
        limit = limit_of(query)
        found: list[SimulatedCall] = []
        for call in self._candidates(query):
            if len(found) == limit:
                break
            found.append(call)
        return found

    def _candidates(self, query: Mapping[str, str]) -> Iterator[SimulatedCall]:
        (first_ms, last_ms), updated = span_of(query, "createdAt"), span_of(query, "updatedAt")
        listed_until = self._simulation.clock.now_ms() - int(self._organisation.config.vapi.list_lag * 1000)
        in_span = self._simulation.book.newest_first(
            self._organisation.dialect, from_ms=first_ms, to_ms=min(last_ms, listed_until)
        )
        for call in in_span:
            wanted = all(query.get(key, value) == value for key, value in _filterable(call).items())
            if wanted and within(call.updated_ms, updated):
                yield call


def _filterable(call: SimulatedCall) -> dict[str, str | None]:
    return {"id": call.id, "phoneNumberId": call.line, "assistantId": call.request.get("assistantId")}


def _no_such_call() -> web.Response:
    return problem(404, "Call not found")
