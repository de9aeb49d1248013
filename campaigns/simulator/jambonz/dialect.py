"""jambonz's manner of speaking about calls."""

from uuid import uuid4

from campaigns.simulator.config import WhenFull
from campaigns.simulator.dialect import Dialect
from campaigns.simulator.jambonz.answers import JambonzFaultAnswers
from campaigns.simulator.jambonz.endings import JAMBONZ_ENDINGS
from campaigns.simulator.jambonz.reporting import deliveries

JAMBONZ = Dialect(
    name="jambonz",
    endings=JAMBONZ_ENDINGS,
    new_id=lambda _created_ms: str(uuid4()),
    when_full=lambda _config: WhenFull.END,
    deliveries=deliveries,
    fault_answers=JambonzFaultAnswers(),
)
