"""Vapi's manner of speaking about calls, as far as it depends on nothing that an organisation owns."""

from collections.abc import Iterable

from campaigns.simulator.calls import new_call_id
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.dialect import Dialect, Happening
from campaigns.simulator.vapi.answers import VapiFaultAnswers
from campaigns.simulator.vapi.endings import VAPI_ENDINGS
from campaigns.simulator.webhooks import Delivery


def _silence(_happening: Happening, /, *, config: SimulatorConfig, base_url: str) -> Iterable[Delivery]:
    """The organisation puts its own in this place."""
    return ()


VAPI = Dialect(
    name="vapi",
    endings=VAPI_ENDINGS,
    new_id=new_call_id,
    when_full=lambda config: config.when_full,
    deliveries=_silence,
    fault_answers=VapiFaultAnswers(),
)
