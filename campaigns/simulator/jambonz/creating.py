"""`POST /v1/Accounts/{sid}/Calls`: validation, limits, faults, and the call."""

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import ok
from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.fates import Fate
from campaigns.simulator.intake import BEFORE_ACCEPTING, MINUTE_MS, Order
from campaigns.simulator.jambonz.answers import NO_FEATURE_SERVER, bare, over_rate, problem
from campaigns.simulator.jambonz.bodies import sip_call_id
from campaigns.simulator.jambonz.config import JambonzWhenFull
from campaigns.simulator.jambonz.dialect import JAMBONZ
from campaigns.simulator.jambonz.endings import NOT_TAKEN
from campaigns.simulator.jambonz.validation import complaint, destination_of, is_refused
from campaigns.simulator.simulation import Simulation

RING_SECONDS = 60.0
"""`timeout`, when the create gives none."""


class Creator:
    """The creates of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._intake = simulation.intake

    async def create(self, request: web.Request, body: Mapping[str, Any], *, account_sid: str) -> web.StreamResponse:
        """The whole of it. `body` is the decoded request."""
        refusal = self._refusal(body, account_sid=account_sid)
        if refusal is not None:
            return self._counted(str(refusal.status), refusal, body=body)
        number = destination_of(body["to"])
        fault = self._intake.draw_fault(number)
        if fault in BEFORE_ACCEPTING:
            return self._counted(fault, self._intake.fail(fault, request, dialect=JAMBONZ), body=body)
        if self._finds_no_server(number):
            return self._counted("480", problem(480, NO_FEATURE_SERVER), body=body)
        call = self._intake.accept(self._order(body, account_sid=account_sid, fault=fault))
        name = self._simulation.config.jambonz.call_id_name
        answer = ok({"sid": call.id, name: sip_call_id(call)}, status=201)
        self._counted(call.answer, answer, body=body, call=call)
        return await self._intake.answer(request, answer, call=call, fault=fault)

    def _refusal(self, body: Mapping[str, Any], *, account_sid: str) -> web.Response | None:
        simulation = self._simulation
        if (message := complaint(body, account_sid=account_sid, config=simulation.config)) is not None:
            return problem(400, message)
        if is_refused(body, config=simulation.config):
            return bare(500)
        if self._intake.over_rate(JAMBONZ):
            return over_rate(retry_after=(MINUTE_MS - simulation.clock.now_ms() % MINUTE_MS) / 1000)
        return None

    def _finds_no_server(self, number: str) -> bool:
        jambonz = self._simulation.config.jambonz
        if jambonz.when_full is JambonzWhenFull.REFUSE and self._simulation.telephony.is_full(JAMBONZ):
            return True
        draws = self._intake.draws_of_latest_create(number)
        return draws.happens("no feature server", rate=jambonz.no_feature_server)

    def _order(self, body: Mapping[str, Any], *, account_sid: str, fault: str | None) -> Order:
        callers = self._simulation.config.jambonz.callers
        return Order(
            dialect=JAMBONZ,
            number=destination_of(body["to"]),
            line=body["from"],
            attempt=self._attempt(body),
            request={**body, "account_sid": account_sid},
            fault=fault,
            shape=partial(_shaped, body=body, let_through=not callers or body["from"] in callers),
        )

    def _attempt(self, body: Mapping[str, Any]) -> str | None:
        tag = body.get("tag")
        values = (tag.get(key) for key in self._simulation.config.jambonz.attempt_tags) if isinstance(tag, dict) else ()
        return next((value for value in values if isinstance(value, str)), None)

    def _counted(
        self, result: str, answer: web.Response, *, body: Mapping[str, Any], call: SimulatedCall | None = None
    ) -> web.Response:
        self._intake.count(result, dialect=JAMBONZ, attempt=self._attempt(body), call=call)
        return answer


def _shaped(fate: Fate, *, body: Mapping[str, Any], let_through: bool) -> Fate:
    """The carrier's refusal, the ring time and the longest conversation that the create asked for."""
    if not let_through:
        return dataclasses.replace(fate, outcome="config_error", ring=None, talk=None, reason="403 Forbidden")
    patience = float(body.get("timeout", RING_SECONDS))
    if fate.ring is not None and (fate.ring > patience or fate.outcome == "no_answer"):
        return dataclasses.replace(fate, outcome="no_answer", ring=patience, talk=None, reason=NOT_TAKEN)
    longest = body.get("timeLimit")
    if fate.talk is not None and longest is not None and fate.talk > longest:
        return dataclasses.replace(fate, talk=float(longest), cut=True)
    return fate
