"""`/assistant`: save, list, show, change, delete."""

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.vapi.answers import NO_JSON, problem, refused
from campaigns.simulator.vapi.assistants import SavedAssistant
from campaigns.simulator.vapi.filters import limit_of, refuse_unknown, span_of, within
from campaigns.simulator.vapi.keys import Keys
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.validation import assistant_problems


class AssistantEndpoints:
    """The handlers of one organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._assistants = organisation.assistants

    def routes(self) -> list[web.RouteDef]:
        """Only what clients need before they can call."""
        private = Keys(self._organisation.simulation).private
        return [
            web.post("/assistant", private(self.create)),
            web.get("/assistant", private(self.list_assistants)),
            web.get("/assistant/{assistant_id}", private(self.show)),
            web.patch("/assistant/{assistant_id}", private(self.update)),
            web.delete("/assistant/{assistant_id}", private(self.delete)),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if body is None:
            return problem(400, NO_JSON)
        if problems := list(assistant_problems(body)):
            return refused(problems)
        return ok(self._assistants.create(body).body(), status=201)

    async def list_assistants(self, request: web.Request) -> web.Response:
        try:
            refuse_unknown(request.query, known=())
            created, updated = span_of(request.query, "createdAt"), span_of(request.query, "updatedAt")
            limit = limit_of(request.query)
        except ValueError as error:
            return problem(400, str(error))
        found = (
            each.body()
            for each in self._assistants.newest_first()
            if within(each.created_ms, created) and within(each.updated_ms, updated)
        )
        return ok(list(found)[:limit])

    async def show(self, request: web.Request) -> web.Response:
        assistant = self._asked(request)
        return _not_found() if assistant is None else ok(assistant.body())

    async def update(self, request: web.Request) -> web.Response:
        assistant, body = self._asked(request), await json_object(request)
        if assistant is None:
            return _not_found()
        if body is None:
            return problem(400, NO_JSON)
        if problems := list(assistant_problems(body)):
            return refused(problems)
        return ok(self._assistants.update(assistant, body).body())

    async def delete(self, request: web.Request) -> web.Response:
        assistant = self._asked(request)
        if assistant is None:
            return _not_found()
        self._assistants.delete(assistant)
        return ok(assistant.body())

    def _asked(self, request: web.Request) -> SavedAssistant | None:
        return self._assistants.get(request.match_info["assistant_id"])


def _not_found() -> web.Response:
    return problem(404, "Assistant not found")
