"""The gate with its law in hand: one set of rules and area codes, and the versions that go on record."""

from dataclasses import dataclass
from datetime import datetime

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Decision, Opening
from campaigns.compliance.facts import Facts, PlaceEvidence, Plan
from campaigns.compliance.gate import evaluate
from campaigns.compliance.places import place_of
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.windows import next_opening
from campaigns.store.claims import CampaignFacts


@dataclass(frozen=True, slots=True)
class GateKeeper:
    """What decides, and the digests that prove by which law."""

    rules: RuleBook
    area_codes: AreaCodeTable
    rules_digest: str
    tzdata_version: str

    def holds_active_law(self, facts: CampaignFacts) -> bool:
        """Whether this process judges by the rules that the database says are in force."""
        return facts.rules_digest == self.rules_digest and facts.tzdata_version == self.tzdata_version

    def decide(self, facts: Facts, *, now: datetime) -> Decision:
        """A permit or a refusal, at `now` on the campaign's clock."""
        return evaluate(facts, self.rules, now, area_codes=self.area_codes)

    def opening(self, number: str, evidence: PlaceEvidence, plan: Plan, *, after: datetime) -> Opening | None:
        """The first legal stretch from `after` on, inside the run's window; None when there is none.

        A number without a readable place has no window of its own: it gets the whole run, so that the gate
        refuses it on record rather than nobody ever looking at it.
        """
        place = place_of(number, evidence, area_codes=self.area_codes, rules=self.rules, at=after)
        latest_at = plan.latest_at - plan.end_guard
        if place.problem is not None:
            return Opening(after, latest_at) if after < latest_at else None
        return next_opening(place, plan, rules=self.rules, after=after)
