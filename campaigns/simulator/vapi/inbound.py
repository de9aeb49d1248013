"""`POST /simulator/inbound`: somebody calls one of the organisation's numbers.

    {"line": "pn-1", "from": "+12125550123"}

The number's `call.ringing` hooks come first, then its assistant or squad; a number with neither asks its server which
assistant shall take the call (`assistant-request`), and when that fails, its `call.ending` hooks are tried.
"""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import json_object, ok
from campaigns.simulator.calls import CallKind, SimulatedCall
from campaigns.simulator.vapi.answers import problem
from campaigns.simulator.vapi.bodies import assistant_request, call_body
from campaigns.simulator.vapi.incoming import Receiver
from campaigns.simulator.vapi.numbers import PhoneNumber
from campaigns.simulator.vapi.organisation import Organisation
from campaigns.simulator.vapi.reporting import Reporter
from campaigns.simulator.vapi.schema import E164
from campaigns.simulator.vapi.validation import DESTINATIONS

FULL = "call.start.error-subscription-concurrency-limit-reached"
NOBODY_TO_ASK = "call-start-error-neither-assistant-nor-server-set"
NOT_ANSWERED = "assistant-request-failed"
ERROR_RETURNED = "assistant-request-returned-error"
NONE_RETURNED = "assistant-request-returned-no-assistant"
FORWARDED = "assistant-request-returned-forwarding-phone-number"


class InboundEndpoints:
    """The part of the control API that is Vapi's."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._receiver = Receiver(organisation)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/simulator/inbound", self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        body = await json_object(request) or {}
        number, caller = self._organisation.numbers.get(body.get("line")), body.get("from")
        if number is None:
            return problem(404, "Phone number not found: give one as `line`")
        if not isinstance(caller, str) or not E164.fullmatch(caller):
            return problem(400, "from must be a valid phone number in the E.164 format")
        call = self._receiver.make(
            CallKind.INBOUND,
            caller=caller,
            line=number.id,
            request={"phoneNumberId": number.id, **_assigned(number.settings)},
            customer={"number": caller},
        )
        reason = self._reason_to_refuse(call, number=number) or await self._ask_if_needed(call, number=number)
        if reason is None:
            self._receiver.begin(call)
        else:
            self._receiver.refuse(call, reason=_hooked(number, event="call.ending", about=reason) or reason)
        return ok(call_body(call, view=self._organisation.view), status=201)

    def _reason_to_refuse(self, call: SimulatedCall, *, number: PhoneNumber) -> str | None:
        return FULL if self._receiver.is_full() else _hooked(number, event="call.ringing", about=call.number)

    async def _ask_if_needed(self, call: SimulatedCall, *, number: PhoneNumber) -> str | None:
        """Finds the assistant; else says why there is none."""
        if any(key in call.request for key in DESTINATIONS):
            return None
        view, at_ms = self._organisation.view, self._organisation.simulation.clock.now_ms()
        reporter = Reporter(settings=self._organisation.settings, numbers=self._organisation.numbers, view=view)
        target = reporter.target_of(call, message_id=f"{call.id} assistant-request")
        if target is None:
            return NOBODY_TO_ASK
        question = assistant_request(call, at_ms=at_ms, view=view, phone_number=reporter.line_of(call))
        answer = await self._organisation.simulation.sender.ask(target, question)
        return _take(call, answer=answer)


def _take(call: SimulatedCall, *, answer: tuple[int, bytes] | None) -> str | None:
    """Give the call the assistant that was answered; else say what is wrong with the answer."""
    if answer is None or not 200 <= answer[0] < 300:
        return NOT_ANSWERED
    try:
        body = json.loads(answer[1])
    except ValueError:
        return NONE_RETURNED
    if not isinstance(body, dict) or "error" in body:
        return ERROR_RETURNED
    if "destination" in body:
        return FORWARDED
    assigned = _assigned(body)
    call.request = {**call.request, **assigned}
    return None if assigned else NONE_RETURNED


def _assigned(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The first of the keys that name who takes a call."""
    given = [key for key in DESTINATIONS if settings.get(key) is not None]
    return {given[0]: settings[given[0]]} if given else {}


def _hooked(number: PhoneNumber, *, event: str, about: str) -> str | None:
    """The ended reason of the first hook that applies: its first action is all that is carried out."""
    for hook in number.settings.get("hooks") or ():
        actions = hook.get("do")
        action = actions[0] if isinstance(actions, list) else actions
        if hook["on"] == event and action and all(_applies(each, about) for each in hook.get("filters") or ()):
            return f"{event}.hook-executed-{action['type']}"
    return None


def _applies(condition: Mapping[str, Any], about: str) -> bool:
    if condition["type"] == "startsWith":
        return about.startswith(tuple(condition["startsWith"]))
    return about in condition["oneOf"]
