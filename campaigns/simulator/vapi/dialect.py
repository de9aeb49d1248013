"""Vapi's manner of speaking about calls."""

from collections.abc import Iterable

from campaigns.simulator.calls import new_call_id
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.dialect import Dialect, Happening
from campaigns.simulator.vapi.answers import VapiFaultAnswers
from campaigns.simulator.vapi.endings import VAPI_ENDINGS
from campaigns.simulator.vapi.reporting import delivery_of
from campaigns.simulator.webhooks import Delivery


def _deliveries(happening: Happening, /, *, config: SimulatorConfig, base_url: str) -> Iterable[Delivery]:
    delivery = delivery_of(happening, base_url=base_url, speed=config.speed)
    return () if delivery is None else (delivery,)


VAPI = Dialect(
    name="vapi",
    endings=VAPI_ENDINGS,
    new_id=new_call_id,
    when_full=lambda config: config.when_full,
    deliveries=_deliveries,
    fault_answers=VapiFaultAnswers(),
)
