"""`POST /call/web`: a call from a browser. Nobody's phone rings."""

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.calls import CallKind
from campaigns.simulator.vapi.answers import NO_JSON, problem, refused
from campaigns.simulator.vapi.bodies import call_body
from campaigns.simulator.vapi.incoming import Receiver
from campaigns.simulator.vapi.keys import Keys
from campaigns.simulator.vapi.limits import OVER_CONCURRENCY
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.validation import web_call_problems


class WebCallEndpoints:
    """It wants the public key: the private one must not be in a browser."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._receiver = Receiver(organisation)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/call/web", Keys(self._organisation.simulation).public(self.create))]

    async def create(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if body is None:
            return problem(400, NO_JSON)
        if problems := web_call_problems(body, owned=self._organisation):
            return refused(problems)
        if self._receiver.is_full():
            return problem(self._organisation.config.vapi.full_status, OVER_CONCURRENCY)
        customer = body.get("customer") or {}
        call = self._receiver.make(CallKind.WEB, caller="browser", line="web", request=body, customer=customer)
        view = self._organisation.view
        created = call_body(call, view=view)
        self._receiver.begin(call)
        return ok({**created, "webCallUrl": f"{view.base_url}/room/{call.id}"}, status=201)
