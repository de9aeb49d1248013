"""The gate asked for information: the same facts and the same law as in a claim, and nothing is written or locked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from campaigns.compliance.decision import Decision
from campaigns.services.evidence import facts_of, read_evidence
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.plans import Definitions, plan_of
from campaigns.store.claims import CampaignFacts, campaign_facts, look_at_calls, run_facts


@dataclass(frozen=True, slots=True)
class DryDecision:
    """What the gate would say of one call at this moment of its campaign's clock."""

    call_id: int
    decision: Decision
    campaign: CampaignFacts


class DryGate:
    """Asks the gate about calls, whatever state they are in."""

    def __init__(self, gatekeeper: GateKeeper) -> None:
        self._gatekeeper = gatekeeper
        self._definitions = Definitions()

    def decide(
        self, connection: Connection, call_ids: Sequence[int], *, campaign_id: int, at: datetime | None = None
    ) -> list[DryDecision]:
        """One answer a call, all of one campaign. `at`: another instant than now, on the campaign's clock."""
        campaign = campaign_facts(connection, campaign_id)
        if campaign is not None and at is not None:
            campaign = replace(campaign, campaign_at=at)
        calls = look_at_calls(connection, call_ids)
        if campaign is None or not calls:
            return []
        runs = run_facts(connection, sorted({call.run_id for call in calls}))
        evidence = read_evidence(connection, calls, campaign_at=campaign.campaign_at, files=self._gatekeeper.registry)
        answers = []
        for call in calls:
            run = runs[call.run_id]
            plan = plan_of(self._definitions.get(connection, run.version_id), campaign=campaign, run=run)
            facts = facts_of(call, plan, evidence, locate=self._gatekeeper.located)
            decision = self._gatekeeper.decide_call(facts, now=campaign.campaign_at)
            answers.append(DryDecision(call.id, decision, campaign))
        return answers
