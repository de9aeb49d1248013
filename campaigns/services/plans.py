"""From a stored definition to what the gate, the ladder and the provider need of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from campaigns.calls.ladder import RetryRules
from campaigns.compliance.facts import CampaignSwitch, Plan, Purpose
from campaigns.definition.assistant import TEMPLATED
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.storage import load_definition
from campaigns.definition.templates import CUSTOMER_PLACEHOLDERS, filled
from campaigns.store.claims import CampaignFacts, QueuedCall, RunFacts, definition_of

MOST_SKEW = timedelta(seconds=2)
"""A provider whose clock is further off than this may judge our windows differently: refuse until it agrees."""


class Definitions:
    """Stored definitions by version id. A version never changes, so a process parses each once."""

    def __init__(self) -> None:
        self._known: dict[int, CampaignDefinition] = {}

    def get(self, connection: Connection, version_id: int) -> CampaignDefinition:
        """The definition of one campaign version."""
        if version_id not in self._known:
            self._known[version_id] = load_definition(definition_of(connection, version_id))
        return self._known[version_id]


def plan_of(definition: CampaignDefinition, *, campaign: CampaignFacts, run: RunFacts) -> Plan:
    """What the gate is told of the campaign, as it stands at this moment."""
    return Plan(
        campaign=definition.campaign,
        purpose=definition.purpose,
        seller=definition.seller,
        switch=CampaignSwitch(campaign.state),
        earliest_at=run.earliest_at,
        latest_at=run.latest_at,
        end_guard=definition.end_guard,
        calling_hours=definition.calling_hours,
        per_day=definition.retries.per_day,
        fictional_allowed=campaign.simulator,
        halted=_halted(campaign),
        unapproved=_unapproved(definition, run),
        min_gap=definition.min_gap or timedelta(),
    )


def _unapproved(definition: CampaignDefinition, run: RunFacts) -> str | None:
    """An emergency is bound by almost no rule, so one person alone may not declare it (CALLING-RULES §9)."""
    if definition.purpose is not Purpose.EMERGENCY or run.approved:
        return None
    return f"an emergency needs a second person: `ringfence approve {definition.campaign} --reason TEXT`"


def _halted(campaign: CampaignFacts) -> str | None:
    """Why nothing may dial at all, whoever is called."""
    if campaign.stopped:
        return "all campaigns are stopped; `ringfence start` lets them go on"
    if campaign.paused_reason:
        return f"the account is paused: {campaign.paused_reason}"
    if campaign.cooling:
        return "the provider asked for a pause"
    if abs(campaign.clock_skew) > MOST_SKEW:
        return "the provider's clock and ours differ by more than 2 s; set this machine's clock"
    if campaign.rehearsal and not campaign.simulator:
        return "only a simulator account may run on a rehearsal clock"
    if not campaign.simulator and not campaign.fsync:
        return "the database does not make commits durable (fsync, synchronous_commit); real accounts need that"
    return None


def retry_rules(definition: CampaignDefinition) -> RetryRules:
    """The campaign's retry ladder."""
    retries = definition.retries
    return RetryRules(max_attempts=retries.max_attempts, ladder=retries.ladder)


def assistant_for(definition: CampaignDefinition, call: QueuedCall) -> Mapping[str, Any]:
    """The assistant block with its templates filled in. Raises `TemplateError` for a value that is missing."""
    values = {
        **dict.fromkeys(CUSTOMER_PLACEHOLDERS, ""),
        **call.variables,
        **{
            key: value
            for key, value in (
                ("number", call.number),
                ("name", call.name),
                ("zip", call.zip),
                ("state", call.state),
                ("timezone", call.timezone),
                ("externalId", call.external_id),
                ("person", call.person),
            )
            if value
        },
    }
    return {key: filled(value, values) if key in TEMPLATED else value for key, value in definition.assistant.items()}
