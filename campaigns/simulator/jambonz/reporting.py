"""Which webhooks a happening becomes, and where jambonz would send them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.dialect import Happening
from campaigns.simulator.jambonz.bodies import call_info, customer_data, status_body
from campaigns.simulator.jambonz.detection import Detection, comes_late, detections
from campaigns.simulator.jambonz.hooks import hook_url, target_of
from campaigns.simulator.jambonz.statuses import state_of
from campaigns.simulator.webhooks import Delivery


def deliveries(happening: Happening, /, *, config: SimulatorConfig, base_url: str) -> Iterable[Delivery]:
    """Statuses to the application's hook and to the call's own, and the word on who picked up to `amd.actionHook`."""
    if happening.kind != "status":
        return
    call = happening.call
    for status, after in _told(happening, config=config):
        body = partial(status_body, call, status=status, config=config, base_url=base_url)
        for hook in _status_hooks(call, config=config):
            yield _delivery(call, hook, kind=f"{status} {after:g} {hook}", body=body, after=after, config=config)
    yield from _final(happening, config=config, base_url=base_url)
    yield from _amd(happening, config=config)


def _told(happening: Happening, *, config: SimulatorConfig) -> Iterator[tuple[str, float]]:
    """Each status that is told, and how many real seconds after the happening."""
    yield happening.status, 0.0
    if happening.status != "ringing":
        return
    ring, draws = (happening.call.fate.ring or 0.0) / config.speed, happening.call.draws
    if draws.happens("early media", rate=config.jambonz.early_media):
        yield "early-media", ring / 3
    if draws.happens("repeated ringing", rate=config.jambonz.repeated_ringing):
        yield "ringing", ring / 2


def _status_hooks(call: SimulatedCall, *, config: SimulatorConfig) -> list[str]:
    """An application's hook goes before the one in the create; what the call names besides comes in addition."""
    jambonz, request = config.jambonz, call.request
    application = request.get("application_sid")
    own = jambonz.applications.get(application) or jambonz.call_status_hook if application else None
    named = own if application else request.get("call_status_hook")
    further = [request.get(name) for name in jambonz.notify_names] if jambonz.cognigy_properties else []
    return [url for url in map(hook_url, (named, *further)) if url is not None]


def _final(happening: Happening, *, config: SimulatorConfig, base_url: str) -> Iterator[Delivery]:
    """`actionHook` of the create is told once, at the end."""
    hook = hook_url(happening.call.request.get("actionHook"))
    if hook is None or happening.status != "ended":
        return
    body = partial(_final_body, happening.call, config=config, base_url=base_url)
    yield _delivery(happening.call, hook, kind="action", body=body, after=0.0, config=config)


def _final_body(call: SimulatedCall, *, config: SimulatorConfig, base_url: str) -> dict[str, Any]:
    body = status_body(call, status="ended", config=config, base_url=base_url)
    return body | {"dial_call_status": body["call_status"], "dial_sip_status": body["sip_status"]}


def _amd(happening: Happening, *, config: SimulatorConfig) -> Iterator[Delivery]:
    call = happening.call
    amd = call.request.get("amd")
    hook = hook_url(amd.get("actionHook")) if isinstance(amd, Mapping) else None
    told_at = "ended" if comes_late(call, config=config) else "in-progress"
    if hook is None or call.started_ms is None or happening.status != told_at:
        return
    for event in detections(call, config=config):
        body = partial(_amd_body, call, event, status=happening.status, config=config)
        yield _delivery(call, hook, kind=event.type, body=body, after=event.after / config.speed, config=config)


def _amd_body(call: SimulatedCall, event: Detection, *, status: str, config: SimulatorConfig) -> dict[str, Any]:
    info = call_info(call, state_of(call, status=status, config=config))
    echo = customer_data(call) if config.jambonz.amd_customer_data else {}
    return {"type": event.type, **event.details, **info, **echo}


def _delivery(
    call: SimulatedCall,
    hook: str,
    *,
    kind: str,
    body: Callable[[], Mapping[str, Any]],
    after: float,
    config: SimulatorConfig,
) -> Delivery:
    return Delivery(
        target=target_of(hook, config=config),
        call_id=call.id,
        kind=kind,
        body=body,
        draws=call.draws,
        after=after,
    )
