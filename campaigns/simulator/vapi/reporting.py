"""Which webhook a happening becomes, and where Vapi would send it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.dialect import Happening
from campaigns.simulator.vapi.bodies import end_of_call_report, status_update
from campaigns.simulator.webhooks import DEFAULT_TIMEOUT_SECONDS, Delivery, Target


def delivery_of(happening: Happening, *, base_url: str, speed: float) -> Delivery | None:
    """None: the call has no server, or its `serverMessages` leave this type out."""
    call = happening.call
    overrides = _overrides(call)
    server = overrides.get("server")
    message_type = "end-of-call-report" if happening.kind == "report" else "status-update"
    if not isinstance(server, Mapping) or "url" not in server:
        return None
    if message_type not in overrides.get("serverMessages", (message_type,)):
        return None
    return Delivery(
        target=_target(server),
        call_id=call.id,
        kind=message_type if happening.kind == "report" else f"{message_type} {happening.status}",
        body=partial(_body, happening, base_url=base_url, speed=speed),
        draws=call.draws,
    )


def _body(happening: Happening, *, base_url: str, speed: float) -> dict[str, Any]:
    call, at_ms = happening.call, happening.at_ms
    if happening.kind == "report":
        return end_of_call_report(call, at_ms=at_ms, base_url=base_url, speed=speed)
    return status_update(call, status=happening.status, at_ms=at_ms, base_url=base_url, speed=speed)


def _overrides(call: SimulatedCall) -> Mapping[str, Any]:
    """The customer's own block replaces the call's, it is not merged with it."""
    own = call.customer.get("assistantOverrides")
    given = own or call.request.get("assistantOverrides") or call.request.get("squadOverrides")
    return given if isinstance(given, Mapping) else {}


def _target(server: Mapping[str, Any]) -> Target:
    plan = server.get("backoffPlan") or {}
    return Target(
        url=server["url"],
        headers=server.get("headers") or {},
        timeout=float(server.get("timeoutSeconds", DEFAULT_TIMEOUT_SECONDS)),
        max_retries=int(plan.get("maxRetries", 0)),
        base_delay=float(plan.get("baseDelaySeconds", 0)),
        exponential=plan.get("type") == "exponential",
        never_again=frozenset(plan.get("excludedStatusCodes", ())),
    )
