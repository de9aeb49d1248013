"""Voxworks' URLs."""

from typing import Any

from aiohttp import web

from campaigns.simulator.answers import json_object
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.recordings import silent_wave
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.voxworks.access import Gatekeeper
from campaigns.simulator.voxworks.answers import failure, success
from campaigns.simulator.voxworks.bodies import call_fields, result_fields
from campaigns.simulator.voxworks.creating import Creator
from campaigns.simulator.voxworks.phones import international
from campaigns.simulator.voxworks.statuses import status_of
from campaigns.simulator.voxworks.team import Team
from campaigns.simulator.voxworks.validation import contact_complaint, instant_ms, schedule_complaint

NOT_JSON = "Request body must be a JSON object"
NO_CALL = "Call not found"
NO_RESULT = "Call result not found"
NOT_SCHEDULED = "Only scheduled calls can be changed"
CONTACT_EXISTS = "A contact with this phone number already exists"


class VoxworksEndpoints:
    """The handlers of one simulated team."""

    def __init__(self, simulation: Simulation) -> None:
        self.team = Team(simulation)
        self._simulation = simulation
        self._creator = Creator(self.team)
        self._gatekeeper = Gatekeeper(simulation)

    def routes(self) -> list[web.RouteDef]:
        """There is no list of calls."""
        guarded, root = self._gatekeeper.guarded, "/api/v1"
        return [
            web.post(f"{root}/create-phone-call", guarded(self.create)),
            web.get(f"{root}/get-call/{{call_id}}", guarded(self.show)),
            web.get(f"{root}/get-call-result/{{call_id}}", guarded(self.show_result)),
            web.post(f"{root}/cancel-call/{{call_id}}", guarded(self.cancel)),
            web.patch(f"{root}/reschedule-call/{{call_id}}", guarded(self.reschedule)),
            web.post(f"{root}/create-contact", guarded(self.create_contact)),
            web.get("/voxworks-recording/{call_id}.wav", self.recording),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await json_object(request)
        return failure(400, NOT_JSON) if body is None else await self._creator.create(request, body)

    async def show(self, request: web.Request) -> web.Response:
        call = self._asked(request)
        return failure(404, NO_CALL) if call is None else success({"call": self._fields(call)})

    async def show_result(self, request: web.Request) -> web.Response:
        call, config = self._asked(request), self.team.config
        if call is None:
            return failure(404, NO_CALL)
        if not call.reported and config.voxworks.early_result == "missing":
            return failure(404, NO_RESULT)
        results = result_fields(call, config=config, base_url=self._simulation.base_url)
        if config.voxworks.result_place == "call.result":
            results = {"result": results}
        return success({"call": {**self._fields(call), **results}})

    async def cancel(self, request: web.Request) -> web.Response:
        """Also one that was to begin at once, as long as its phone does not ring."""
        call, telephony = self._asked(request), self._simulation.telephony
        if call is None:
            return failure(404, NO_CALL)
        waits = call.status == "queued" and telephony.hang_up(call)
        if not waits and not telephony.unschedule(call):
            return failure(400, NOT_SCHEDULED)
        return success({"call_id": call.id, "status": self._status(call)})

    async def reschedule(self, request: web.Request) -> web.Response:
        call, body = self._asked(request), await json_object(request)
        if call is None:
            return failure(404, NO_CALL)
        if body is None or set(body) != {"scheduled_time"}:
            return failure(400, "Give scheduled_time and nothing else")
        now_ms, config = self._simulation.clock.now_ms(), self.team.config.voxworks
        if (complaint := schedule_complaint(body["scheduled_time"], now_ms=now_ms, config=config)) is not None:
            return failure(400, complaint)
        if not self._simulation.telephony.reschedule(call, at_ms=instant_ms(body["scheduled_time"]) or now_ms):
            return failure(400, NOT_SCHEDULED)
        return success({"call_id": call.id, "status": self._status(call), "scheduled_time": body["scheduled_time"]})

    async def create_contact(self, request: web.Request) -> web.Response:
        body, config = await json_object(request), self.team.config.voxworks
        if body is None:
            return failure(400, NOT_JSON)
        if (complaint := contact_complaint(body, config=config)) is not None:
            return failure(400, complaint)
        number = str(international(body["phone_number"], country_code=config.country_code))
        if self.team.contacts.by_number(number) is not None:
            return failure(409, CONTACT_EXISTS)
        return success({"contact_id": self.team.contacts.upsert(number, body).id}, status=201)

    async def recording(self, request: web.Request) -> web.Response:
        """A second of silence, of calls that somebody or something answered."""
        call = self._asked(request)
        if call is None or call.started_ms is None or call.ended_ms is None:
            return failure(404, NO_CALL)
        return web.Response(body=silent_wave(), content_type="audio/wav")

    def _asked(self, request: web.Request) -> SimulatedCall | None:
        return self._simulation.book.get(self.team.dialect, request.match_info["call_id"])

    def _fields(self, call: SimulatedCall) -> dict[str, Any]:
        return call_fields(call, contact=self.team.contact_of(call), config=self.team.config)

    def _status(self, call: SimulatedCall) -> str:
        return status_of(call, config=self.team.config.voxworks)
