"""Preflight: what a sales campaign must state before it may dial a real person."""

from campaigns.compliance.facts import Purpose
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.pending import PendingKey


def missing_identification(definition: CampaignDefinition) -> tuple[PendingKey, ...]:
    """What of identification, AI notice and opt-out path the file does not state; only sales calls must.

    47 CFR 64.1200(b): the entity at the beginning, a number that takes do-not-call requests, an automated opt-out
    offered within two seconds. The notice of an artificial voice is law in some states and announced everywhere.
    """
    if definition.purpose is not Purpose.TELEMARKETING:
        return ()
    return tuple(PendingKey(f"identification.{key}", why) for key, why in definition.identification.missing())
