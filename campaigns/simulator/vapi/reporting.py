"""Which webhook a happening becomes, and where Vapi would send it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.dialect import Happening
from campaigns.simulator.vapi.bodies import View, end_of_call_report, status_update
from campaigns.simulator.vapi.config import VapiConfig
from campaigns.simulator.vapi.numbers import PhoneNumbers
from campaigns.simulator.vapi.overrides import CallSettings
from campaigns.simulator.vapi.signing import signer_of
from campaigns.simulator.webhooks import DEFAULT_TIMEOUT_SECONDS, Delivery, Target

REPORT = "end-of-call-report"
STATUS = "status-update"


class Reporter:
    """Made anew for each happening, since settings and numbers may have changed."""

    def __init__(self, *, settings: Callable[[SimulatedCall], CallSettings], numbers: PhoneNumbers, view: View) -> None:
        self._settings = settings
        self._numbers = numbers
        self._view = view

    def delivery_of(self, happening: Happening) -> Delivery | None:
        """None: the call has no server, or its `serverMessages` leave this type out."""
        call = happening.call
        message_type = REPORT if happening.kind == "report" else STATUS
        kind = message_type if happening.kind == "report" else f"{message_type} {happening.status}"
        wanted = self._settings(call).get("serverMessages")
        if wanted is not None and message_type not in wanted:
            return None
        target = self.target_of(call, message_id=f"{call.id} {kind}")
        if target is None:
            return None
        body = partial(self._body, happening, line=self.line_of(call))
        return Delivery(target=target, call_id=call.id, kind=kind, body=body, draws=call.draws)

    def target_of(self, call: SimulatedCall, *, message_id: str) -> Target | None:
        """The assistant's server, else the phone number's, else the organisation's; None: there is none."""
        number = self._numbers.get(call.line)
        candidates = (self._settings(call).get("server"), number and number.settings.get("server"),
                      {"url": self._view.config.vapi.server_url})  # fmt: skip
        server = next((each for each in candidates if isinstance(each, Mapping) and each.get("url")), None)
        return None if server is None else _target(server, config=self._view.config.vapi, message_id=message_id)

    def line_of(self, call: SimulatedCall) -> Mapping[str, Any]:
        """The `phoneNumber` of a message."""
        number = self._numbers.get(call.line)
        return {"id": call.line, **(number.settings if number else {})}

    def _body(self, happening: Happening, *, line: Mapping[str, Any]) -> dict[str, Any]:
        call, at_ms = happening.call, happening.at_ms
        if happening.kind == "report":
            return end_of_call_report(call, at_ms=at_ms, view=self._view, phone_number=line)
        return status_update(call, status=happening.status, at_ms=at_ms, view=self._view, phone_number=line)


def _target(server: Mapping[str, Any], *, config: VapiConfig, message_id: str) -> Target:
    plan = server.get("backoffPlan") or {}
    return Target(
        url=server["url"],
        headers=server.get("headers") or {},
        timeout=float(server.get("timeoutSeconds", DEFAULT_TIMEOUT_SECONDS)),
        max_retries=int(plan.get("maxRetries", 0)),
        base_delay=float(plan.get("baseDelaySeconds", 0)),
        exponential=plan.get("type") == "exponential",
        never_again=frozenset(plan.get("excludedStatusCodes", ())),
        sign=signer_of(config, message_id=message_id),
    )
