"""`POST /api/v1/create-phone-call`: validation, limits, faults, the contact and the call."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.draws import Draws
from campaigns.simulator.fates import Fate
from campaigns.simulator.intake import BEFORE_ACCEPTING, MINUTE_MS, Order
from campaigns.simulator.voxworks.answers import OVER_RATE, failure, success
from campaigns.simulator.voxworks.config import VoxworksWhenFull
from campaigns.simulator.voxworks.contacts import Contact
from campaigns.simulator.voxworks.endings import HANG_UP
from campaigns.simulator.voxworks.phones import international
from campaigns.simulator.voxworks.statuses import SCHEDULED, spelled
from campaigns.simulator.voxworks.team import Team
from campaigns.simulator.voxworks.validation import create_complaint, declared, instant_ms

FOREIGN_NUMBER = "from_number was not found or does not belong to your team"
FOREIGN_SCRIPT = "script_id was not found or does not belong to your team"


class Creator:
    """The creates of one team."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._intake = team.simulation.intake

    async def create(self, request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
        """The whole of it. `body` is the decoded request."""
        refusal = self._refusal(body)
        if refusal is not None:
            return self._counted(str(refusal.status), refusal, attempt=self._attempt(body))
        fault = self._intake.draw_fault(self._number(body))
        if fault in BEFORE_ACCEPTING:
            failed = self._intake.fail(fault, request, dialect=self._team.dialect)
            return self._counted(fault, failed, attempt=self._attempt(body))
        contact = self._team.contacts.upsert(self._number(body), body["contact"])
        call = self._intake.accept(self._order(body, contact=contact, fault=fault))
        answer = success(self._created(call, contact=contact), status=201)
        self._counted(call.answer, answer, attempt=call.attempt, call=call)
        return await self._intake.answer(request, answer, call=call, fault=fault)

    def _refusal(self, body: Mapping[str, Any]) -> web.Response | None:
        simulation, config = self._team.simulation, self._team.config.voxworks
        complaint = create_complaint(body, now_ms=simulation.clock.now_ms(), config=config)
        if complaint is not None:
            return failure(400, complaint)
        if config.numbers and body["from_number"] not in config.numbers:
            return failure(config.foreign_status, FOREIGN_NUMBER)
        if config.scripts and body["script_id"] not in config.scripts:
            return failure(config.foreign_status, FOREIGN_SCRIPT)
        if self._intake.over_rate(self._team.dialect) or self._refuses_when_full(body):
            return self._over_rate()
        return None

    def _refuses_when_full(self, body: Mapping[str, Any]) -> bool:
        refuses = self._team.config.voxworks.when_full is VoxworksWhenFull.REFUSE
        return refuses and "scheduled_time" not in body and self._team.simulation.telephony.is_full(self._team.dialect)

    def _over_rate(self) -> web.Response:
        limit = self._team.config.requests_per_minute
        wait = -(-(MINUTE_MS - self._team.simulation.clock.now_ms() % MINUTE_MS) // 1000)
        shown = {} if limit is None else {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0"}
        return failure(429, OVER_RATE, headers={"Retry-After": str(wait), **shown})

    def _order(self, body: Mapping[str, Any], *, contact: Contact, fault: str | None) -> Order:
        config = self._team.config
        draws = Draws(config.seed, contact.number, 0)
        objects = declared(body.get("objects") or {}, config=config.voxworks)
        asked_ms = instant_ms(body.get("scheduled_time"))
        delay_ms = int(draws.seconds("schedule", span=config.voxworks.schedule_delay) * 1000)
        return Order(
            dialect=self._team.dialect,
            number=contact.number,
            line=body["from_number"],
            attempt=self._attempt(body),
            request={**body, "objects": objects},
            customer={"contact_id": contact.id},
            fault=fault,
            scheduled_ms=None if asked_ms is None else asked_ms + delay_ms,
            shape=partial(_shaped, share=config.voxworks.hang_up_share, draws=draws),
        )

    def _created(self, call: SimulatedCall, *, contact: Contact) -> dict[str, str]:
        status = spelled(SCHEDULED, spelling=self._team.config.voxworks.spelling)
        return {"call_id": call.id, "contact_id": contact.id, "status": status}

    def _number(self, body: Mapping[str, Any]) -> str:
        number = international(body["contact"]["phone_number"], country_code=self._team.config.voxworks.country_code)
        return str(number)

    def _attempt(self, body: Mapping[str, Any]) -> str | None:
        """From the object that the configuration names."""
        kind, _, key = (self._team.config.voxworks.attempt_object or "").partition(".")
        objects = body.get("objects")
        fields = objects.get(kind) if isinstance(objects, Mapping) else None
        value = fields.get(key) if isinstance(fields, Mapping) else None
        return value if isinstance(value, str) else None

    def _counted(
        self, result: str, answer: web.Response, *, attempt: str | None, call: SimulatedCall | None = None
    ) -> web.Response:
        self._intake.count(result, dialect=self._team.dialect, attempt=attempt, call=call)
        return answer


def _shaped(fate: Fate, *, share: float, draws: Draws) -> Fate:
    """Some people hang up on the assistant."""
    hangs_up = fate.outcome == "answered" and draws.happens("hang up", rate=share)
    return replace(fate, reason=HANG_UP) if hangs_up else fate
