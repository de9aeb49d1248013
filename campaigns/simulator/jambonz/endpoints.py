"""jambonz's URLs."""

from typing import Any

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.jambonz.access import Gatekeeper, Handler
from campaigns.simulator.jambonz.answers import bare, problem
from campaigns.simulator.jambonz.bodies import cdr, listed_call
from campaigns.simulator.jambonz.creating import Creator
from campaigns.simulator.jambonz.remembering import Memory, WrongQueryError
from campaigns.simulator.jambonz.steering import update, wrong_update
from campaigns.simulator.simulation import Simulation

ACCOUNT = "/v1/Accounts/{account_sid}"


class JambonzEndpoints:
    """The handlers of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._creator = Creator(simulation)
        self._memory = Memory(simulation)
        self._gatekeeper = Gatekeeper(simulation)

    def routes(self) -> list[web.RouteDef]:
        """Lists with and without the trailing slash that jambonz's own client adds."""
        guarded, of_account = self._gatekeeper.guarded, self._gatekeeper.of_account
        return [
            *_both(web.post, f"{ACCOUNT}/Calls", guarded(self.create)),
            *_both(web.get, f"{ACCOUNT}/Calls", of_account(self.list_calls)),
            web.get(f"{ACCOUNT}/Calls/{{call_sid}}", of_account(self.show)),
            web.put(f"{ACCOUNT}/Calls/{{call_sid}}", of_account(self.change)),
            web.post(f"{ACCOUNT}/Calls/{{call_sid}}", of_account(self.change)),
            web.delete(f"{ACCOUNT}/Calls/{{call_sid}}", of_account(self.remove)),
            *_both(web.get, f"{ACCOUNT}/CallCount", of_account(self.count)),
            *_both(web.get, f"{ACCOUNT}/RecentCalls", of_account(self.list_recent)),
            *_both(web.get, f"{ACCOUNT}/Limits", of_account(self.limits)),
            *_both(web.get, f"{ACCOUNT}/Applications", of_account(self.applications)),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await json_object(request)
        if body is None:
            return bare(400)
        return await self._creator.create(request, body, account_sid=request.match_info["account_sid"])

    async def list_calls(self, request: web.Request) -> web.Response:
        found = self._memory.calls(request.match_info["account_sid"], request.query)
        return ok([self._row(call) for call in found])

    async def show(self, request: web.Request) -> web.Response:
        call = self._found(request)
        return bare(404) if call is None else ok(self._row(call))

    async def change(self, request: web.Request) -> web.Response:
        body = await json_object(request) or {}
        if (complaint := wrong_update(body)) is not None:
            return problem(400, complaint)
        call = self._found(request)
        return bare(404) if call is None else update(call, body, telephony=self._simulation.telephony)

    async def remove(self, request: web.Request) -> web.Response:
        """Forgets the record; the call rings on."""
        call = self._found(request)
        if call is None:
            return bare(404)
        self._memory.remove(call)
        return web.Response(status=204)

    async def count(self, request: web.Request) -> web.Response:
        return ok({"inbound": 0, "outbound": self._memory.in_flight(request.match_info["account_sid"])})

    async def list_recent(self, request: web.Request) -> web.Response:
        try:
            found, total = self._memory.recent(request.match_info["account_sid"], request.query)
        except WrongQueryError as error:
            return problem(400, str(error))
        rows = [cdr(call, config=self._simulation.config) for call in found]
        return ok({"page": int(request.query["page"]), "total": total, "batch": len(rows), "data": rows})

    async def limits(self, _request: web.Request) -> web.Response:
        limit = self._simulation.config.concurrency_limit
        return ok([] if limit is None else [{"category": "voice_call_session", "quantity": limit}])

    async def applications(self, request: web.Request) -> web.Response:
        known = self._simulation.config.jambonz.applications
        account_sid = request.match_info["account_sid"]
        return ok([{"application_sid": sid, "name": sid, "account_sid": account_sid} for sid in known])

    def _found(self, request: web.Request) -> SimulatedCall | None:
        return self._memory.call(request.match_info["account_sid"], request.match_info["call_sid"])

    def _row(self, call: SimulatedCall) -> dict[str, Any]:
        return listed_call(call, config=self._simulation.config, base_url=self._simulation.base_url)


def _both(method: Any, path: str, handler: Handler) -> list[web.RouteDef]:
    return [method(path, handler), method(f"{path}/", handler)]
