"""Opt-outs: what a person says in a call becomes a revocation in the transaction that frees their number."""

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from campaigns.calls.conversation import Conversation
from campaigns.calls.states import CallState
from campaigns.compliance.consent import REV_ACTIVE
from campaigns.compliance.facts import Purpose
from campaigns.compliance.revocations import RevocationScope, covers
from campaigns.definition.model import CampaignDefinition
from campaigns.services.asking_back import ask_back
from campaigns.store import revocations as rows
from campaigns.store.moves import Move, apply_moves

log = logging.getLogger(__name__)

CALL_CHANNEL = "call"
RECORDED_BY = "ringfence"
"""Nobody typed it: the report of the call did."""


def spoken_opt_outs(
    definition: CampaignDefinition, conversation: Conversation, *, number: str, attempt_id: UUID
) -> list[rows.NewRevocation]:
    """The revocation that this conversation was, by the campaign's `optOut`; empty: it was none."""
    words = definition.opt_out.heard_in(conversation)
    if words is None:
        return []
    scope = definition.opt_out.scope
    return [
        rows.NewRevocation(
            number=number,
            scope=scope,
            scope_value=scope_value_of(definition, scope),
            channel=CALL_CHANNEL,
            words=words,
            attempt_id=attempt_id,
        )
    ]


def record_opt_outs(connection: Connection, spoken: Sequence[rows.NewRevocation]) -> int:
    """Put them on record and block what waits for these people; returns how many were new."""
    stored = 0
    for new in sorted(spoken, key=lambda each: str(each.attempt_id)):  # two processors of one report, one lock order
        revocation = rows.add_revocation(connection, new, recorded_by=RECORDED_BY)
        if revocation is not None:
            blocked = block_scheduled(connection, revocation)
            ask_back(connection, revocation)
            log.info(
                "opt_out_recorded attempt_id=%s revocation_id=%s blocked=%d", new.attempt_id, revocation.id, blocked
            )
            stored += 1
    return stored


def block_scheduled(connection: Connection, revocation: rows.StoredRevocation) -> int:
    """Block the scheduled calls that the revocation covers; returns how many.

    An emergency needs no consent, so no revocation keeps its calls from people.
    """
    fact = revocation.as_fact
    moves = [
        Move(call.id, CallState.SCHEDULED, CallState.BLOCKED, call.epoch, reason=REV_ACTIVE)
        for call in rows.scheduled_calls(connection, revocation)
        if call.subject.purpose is not Purpose.EMERGENCY and covers(fact, call.subject)
    ]
    return len(apply_moves(connection, moves))


def scope_value_of(definition: CampaignDefinition, scope: RevocationScope) -> str | None:
    """What `scope` stands for in this campaign; None for `all`."""
    match scope:
        case "seller":
            return definition.seller
        case "purpose":
            return definition.purpose.value
        case "campaign":
            return definition.campaign
        case "all":
            return None
