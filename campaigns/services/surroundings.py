"""What a batch of facts is recorded in: its calls, and the campaigns, runs and definitions around them."""

from sqlalchemy import Connection

from campaigns.definition.model import CampaignDefinition
from campaigns.services.plans import Definitions
from campaigns.store.claims import CampaignFacts, RunFacts, campaign_facts, run_facts
from campaigns.store.facts import LockedCall


class Surroundings:
    """Campaigns, runs and definitions that a batch touches, each read once."""

    def __init__(self, connection: Connection, definitions: Definitions, calls: dict[int, LockedCall]) -> None:
        self.calls = calls
        self._connection = connection
        self._definitions = definitions
        self._campaigns: dict[int, CampaignFacts] = {}
        self._runs = run_facts(connection, sorted({call.run_id for call in calls.values()}))

    def campaign(self, campaign_id: int) -> CampaignFacts:
        """As it stands, its account and both clocks."""
        if campaign_id not in self._campaigns:
            facts = campaign_facts(self._connection, campaign_id)
            if facts is None:
                raise LookupError(f"campaign {campaign_id} has calls but no row")
            self._campaigns[campaign_id] = facts
        return self._campaigns[campaign_id]

    def run(self, call: LockedCall) -> RunFacts:
        """The run that the call belongs to."""
        return self._runs[call.run_id]

    def definition(self, call: LockedCall) -> CampaignDefinition:
        """The campaign file that the call's run goes by."""
        return self._definitions.get(self._connection, self.run(call).version_id)
