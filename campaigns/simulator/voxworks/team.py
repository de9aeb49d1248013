"""The simulated team: its contacts, and how its calls speak."""

from collections.abc import Iterable
from uuid import uuid4

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import SimulatorConfig, WhenFull
from campaigns.simulator.dialect import Dialect, Happening
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.voxworks.answers import VoxworksFaultAnswers
from campaigns.simulator.voxworks.automation import deliveries_of
from campaigns.simulator.voxworks.config import VoxworksWhenFull
from campaigns.simulator.voxworks.contacts import Contact, Contacts
from campaigns.simulator.voxworks.endings import VOXWORKS_ENDINGS
from campaigns.simulator.webhooks import Delivery


class Team:
    """Shared by all of Voxworks' endpoints. Its `dialect` is what its calls carry."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.contacts = Contacts()
        self.dialect = Dialect(
            name="voxworks",
            endings=VOXWORKS_ENDINGS,
            new_id=lambda _created_ms: str(uuid4()),
            when_full=_when_full,
            deliveries=self._deliveries,
            fault_answers=VoxworksFaultAnswers(),
        )

    @property
    def config(self) -> SimulatorConfig:
        """As it is at this moment."""
        return self.simulation.config

    def contact_of(self, call: SimulatedCall) -> Contact:
        """Whom it calls."""
        return self.contacts.by_id(call.customer["contact_id"])

    def _deliveries(self, happening: Happening, /, *, config: SimulatorConfig, base_url: str) -> Iterable[Delivery]:
        return deliveries_of(happening, config=config, base_url=base_url, contact_of=self.contact_of)


def _when_full(config: SimulatorConfig) -> WhenFull:
    return WhenFull.END if config.voxworks.when_full is VoxworksWhenFull.END else WhenFull.QUEUE
