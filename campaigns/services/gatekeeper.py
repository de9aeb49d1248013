"""The gate with its law in hand: one set of rules and area codes, and the versions that go on record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Decision, Opening, Refusal
from campaigns.compliance.facts import Facts, PlaceEvidence, Plan
from campaigns.compliance.gate import RECHECK_AFTER, evaluate
from campaigns.compliance.lists import DNC_STALE
from campaigns.compliance.places import Place, ZipPlace, place_of
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.windows import next_opening
from campaigns.files.registry import RegistryFiles
from campaigns.store.claims import CampaignFacts

ZipLookup = Callable[[str], ZipPlace | None]
"""From a ZIP as a list writes it to its place; None: unknown."""


@dataclass(frozen=True, slots=True)
class GateKeeper:
    """What decides, and the digests that prove by which law."""

    rules: RuleBook
    area_codes: AreaCodeTable
    rules_digest: str
    tzdata_version: str
    zips: ZipLookup | None = None
    """Where a ZIP lies; None: no table is installed, and a ZIP alone tells nothing."""
    registry: RegistryFiles | None = None
    """The national registry's files on this machine; None: this process cannot ask it."""

    def holds_active_law(self, facts: CampaignFacts) -> bool:
        """Whether this process judges by the rules that the database says are in force."""
        return facts.rules_digest == self.rules_digest and facts.tzdata_version == self.tzdata_version

    def decide(self, facts: Facts, *, now: datetime) -> Decision:
        """A permit or a refusal, at `now` on the campaign's clock."""
        located = self.located(facts.evidence)
        known = facts if located is facts.evidence else replace(facts, evidence=located)
        return evaluate(known, self.rules, now, area_codes=self.area_codes)

    def decide_call(self, facts: Facts, *, now: datetime) -> Decision:
        """The same of a call at hand: what an import of the registry mends does not end the call; it waits."""
        decision = self.decide(facts, now=now)
        if isinstance(decision, Refusal) and decision.rule_id == DNC_STALE:
            return replace(decision, next_allowed_at=now + RECHECK_AFTER)
        return decision

    def place(self, number: str, evidence: PlaceEvidence, *, at: datetime) -> Place:
        """Candidate zones and jurisdictions of a number, as of the year of `at`."""
        return place_of(number, self.located(evidence), area_codes=self.area_codes, rules=self.rules, at=at)

    def opening(self, number: str, evidence: PlaceEvidence, plan: Plan, *, after: datetime) -> Opening | None:
        """The first legal stretch from `after` on, inside the run's window; None when there is none.

        A number without a readable place has no window of its own: it gets the whole run, so that the gate
        refuses it on record rather than nobody ever looking at it.
        """
        place = self.place(number, evidence, at=after)
        latest_at = plan.latest_at - plan.end_guard
        if place.problem is not None:
            return Opening(after, latest_at) if after < latest_at else None
        return next_opening(place, plan, rules=self.rules, after=after)

    def located(self, evidence: PlaceEvidence) -> PlaceEvidence:
        """The evidence with what its ZIP tells, if a table of ZIPs is at hand and knows it."""
        if self.zips is None or evidence.zip is None or evidence.zip_timezone is not None:
            return evidence
        found = self.zips(evidence.zip)
        return evidence if found is None else replace(evidence, zip_state=found.state, zip_timezone=found.timezone)
