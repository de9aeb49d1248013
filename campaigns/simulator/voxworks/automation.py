"""The "Call Completed" automation: one post a call, in a body of its user's making."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.clock import iso
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.dialect import Happening
from campaigns.simulator.voxworks.bodies import duration_seconds, results_of
from campaigns.simulator.voxworks.config import Automation
from campaigns.simulator.voxworks.contacts import Contact
from campaigns.simulator.voxworks.endings import CANCELLED
from campaigns.simulator.voxworks.statuses import status_of
from campaigns.simulator.webhooks import Delivery, Target

ContactOf = Callable[[SimulatedCall], Contact]


def deliveries_of(
    happening: Happening, /, *, config: SimulatorConfig, base_url: str, contact_of: ContactOf
) -> Iterable[Delivery]:
    """One or none. A cancelled call was never completed."""
    call, automation = happening.call, config.voxworks.automation
    if automation.url is None or not _is_due(happening, automation=automation):
        return
    body = partial(_body, call, contact=contact_of(call), config=config, base_url=base_url)
    target = _target(automation, url=automation.url)
    yield Delivery(target=target, call_id=call.id, kind="call-completed", body=body, draws=call.draws)


def _is_due(happening: Happening, *, automation: Automation) -> bool:
    reason = happening.call.ended_reason
    if reason is None or reason == CANCELLED or (automation.statuses and reason not in automation.statuses):
        return False
    return happening.kind == "report" if automation.runs == "result" else happening.kind == "status"


def _target(automation: Automation, *, url: str) -> Target:
    return Target(
        url=url, headers=automation.headers, max_retries=automation.retries, base_delay=automation.retry_seconds
    )


def _body(call: SimulatedCall, *, contact: Contact, config: SimulatorConfig, base_url: str) -> dict[str, Any]:
    values = _values(call, contact=contact, config=config, base_url=base_url)
    body: dict[str, Any] = {}
    for value, path in config.voxworks.automation.fields.items():
        if values.get(value) is not None:
            _put(body, path, value=values[value])
    return body


def _values(call: SimulatedCall, *, contact: Contact, config: SimulatorConfig, base_url: str) -> Mapping[str, Any]:
    """Whatever a body may hold."""
    results = results_of(call, config=config, base_url=base_url) if call.reported else {}
    return {
        "call_id": call.id,
        "call_type": "outbound",
        "call_status": status_of(call, config=config.voxworks),
        "contact_id": contact.id,
        "contact_name": contact.name,
        "phone_user": call.number,
        "actual_time": call.started_ms and iso(call.started_ms),
        "ended_at": call.ended_ms and iso(call.ended_ms),
        "duration": duration_seconds(call),
        "attempt_id": call.attempt,
        **results,
    }


def _put(body: dict[str, Any], path: str, *, value: Any) -> None:
    *parts, last = path.split(".")
    for part in parts:
        body = body.setdefault(part, {})
    body[last] = value
