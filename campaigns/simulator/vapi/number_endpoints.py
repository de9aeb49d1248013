"""`/phone-number`: buy, import, list, show, change, delete."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.vapi.answers import NO_JSON, problem, refused
from campaigns.simulator.vapi.filters import limit_of, page_of, refuse_unknown, span_of, within
from campaigns.simulator.vapi.keys import Keys
from campaigns.simulator.vapi.number_rules import BOUGHT, create_problems, update_problems
from campaigns.simulator.vapi.numbers import PhoneNumber
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.schema import one_of

TOO_MANY_FREE = "You have reached the maximum number of free phone numbers. Import your own number instead."
NO_ASSISTANT = "Couldn't Get Assistant. No assistant has this `assistantId`."

_PAGE_FILTERS = ("search", "page", "sortOrder", "sortBy")
_ORDERS = ("ASC", "DESC")
_SORTS = ("createdAt", "duration", "cost")


class NumberEndpoints:
    """The handlers of one organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._numbers = organisation.numbers

    def routes(self) -> list[web.RouteDef]:
        """`/v2/phone-number` is the same list in pages."""
        private = Keys(self._organisation.simulation).private
        return [
            web.post("/phone-number", private(self.create)),
            web.get("/phone-number", private(self.list_numbers)),
            web.get("/v2/phone-number", private(self.page)),
            web.get("/phone-number/{number_id}", private(self.show)),
            web.patch("/phone-number/{number_id}", private(self.update)),
            web.delete("/phone-number/{number_id}", private(self.delete)),
        ]

    async def create(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if body is None:
            return problem(400, NO_JSON)
        if problems := [*create_problems(body), *self._assistant_problems(body)]:
            return refused(problems)
        if body["provider"] == BOUGHT and self._numbers.free_ones() >= self._config.free_numbers_most:
            return problem(400, TOO_MANY_FREE)
        return ok(self._body(self._numbers.create(body)), status=201)

    async def list_numbers(self, request: web.Request) -> web.Response:
        try:
            refuse_unknown(request.query, known=())
            found = self._created_within(request.query)[: limit_of(request.query)]
        except ValueError as error:
            return problem(400, str(error))
        return ok([self._body(number) for number in found])

    async def page(self, request: web.Request) -> web.Response:
        """`{"results": […], "metadata": {…}}`; `search` looks into names, numbers and ids."""
        query = request.query
        try:
            refuse_unknown(query, known=_PAGE_FILTERS)
            limit, page = limit_of(query), page_of(query)
            found = [number for number in self._created_within(query) if _matches(number, query.get("search", ""))]
        except ValueError as error:
            return problem(400, str(error))
        order = query.get("sortOrder", "DESC")
        asked = {"sortOrder": order, "sortBy": query.get("sortBy", "createdAt")}
        if wrong := [*one_of(asked, key="sortOrder", allowed=_ORDERS), *one_of(asked, key="sortBy", allowed=_SORTS)]:
            return refused(wrong)
        in_order = found if order == "DESC" else found[::-1]
        shown = in_order[(page - 1) * limit : page * limit]
        metadata = _page_metadata(len(found), limit=limit, page=page, order=order)
        return ok({"results": [self._body(number) for number in shown], "metadata": metadata})

    async def show(self, request: web.Request) -> web.Response:
        number = self._asked(request)
        return _not_found() if number is None else ok(self._body(number))

    async def update(self, request: web.Request) -> web.Response:
        """With or without `provider`. Null takes a setting away."""
        number, body = self._asked(request), await json_object(request)
        if number is None:
            return _not_found()
        if body is None:
            return problem(400, NO_JSON)
        problems = update_problems(body, provider=number.settings["provider"])
        if problems := [*problems, *self._assistant_problems(body)]:
            return refused(problems)
        return ok(self._body(self._numbers.update(number, body)))

    async def delete(self, request: web.Request) -> web.Response:
        number = self._asked(request)
        if number is None:
            return _not_found()
        self._numbers.delete(number)
        return ok(self._body(number))

    @property
    def _config(self) -> Any:
        return self._organisation.config.vapi

    def _asked(self, request: web.Request) -> PhoneNumber | None:
        return self._numbers.get(request.match_info["number_id"])

    def _assistant_problems(self, body: Mapping[str, Any]) -> list[str]:
        assistant_id = body.get("assistantId")
        return [] if assistant_id is None or self._organisation.has_assistant(assistant_id) else [NO_ASSISTANT]

    def _created_within(self, query: Mapping[str, str]) -> list[PhoneNumber]:
        created, updated = span_of(query, "createdAt"), span_of(query, "updatedAt")
        return [
            number
            for number in self._numbers.newest_first()
            if within(number.created_ms, created) and within(number.updated_ms, updated)
        ]

    def _body(self, number: PhoneNumber) -> dict[str, Any]:
        return number.body(now_ms=self._organisation.simulation.clock.now_ms())


def _matches(number: PhoneNumber, search: str) -> bool:
    places = (number.id, number.settings.get("name"), number.settings.get("number"))
    return any(search.lower() in str(place).lower() for place in places if place)


def _page_metadata(total: int, *, limit: int, page: int, order: str) -> dict[str, Any]:
    pages = -(-total // limit) if limit else 0
    return {"itemsPerPage": limit, "totalItems": total, "currentPage": page, "totalPages": pages,
            "hasNextPage": page < pages, "sortOrder": order}  # fmt: skip


def _not_found() -> web.Response:
    return problem(404, "Phone number not found")
