"""Repeats: a waiting call may be refused for one reason many times. The first is on record, the rest are counted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from campaigns.compliance.gate import RECHECK_AFTER
from campaigns.store.claims import NewDecision
from campaigns.store.repeats import LastDecision, count_repeats, last_decisions


def without_repeats(
    connection: Connection, decisions: Sequence[NewDecision], *, campaign_at: datetime, rules_digest: str
) -> list[NewDecision]:
    """Count those that say what the call's newest decision says already, and return the others.

    Its call is locked by the claim, so nothing can be decided about it in between.
    """
    waiting = [decision for decision in decisions if decision.next_allowed_at is not None]
    if not waiting:
        return list(decisions)
    last = last_decisions(connection, [decision.call_id for decision in waiting])
    repeats = {
        decision.call_id
        for decision in waiting
        if decision.call_id in last
        and _says_the_same(decision, last[decision.call_id], campaign_at=campaign_at, rules_digest=rules_digest)
    }
    count_repeats(connection, [decision for decision in waiting if decision.call_id in repeats])
    return [decision for decision in decisions if decision.call_id not in repeats]


def _says_the_same(new: NewDecision, last: LastDecision, *, campaign_at: datetime, rules_digest: str) -> bool:
    """The same rule of the same law until the same instant, or, where only a person can end it, for the same cause."""
    if (new.rule_id, rules_digest) != (last.rule_id, last.rules_digest):
        return False
    asks_again = new.next_allowed_at == campaign_at + RECHECK_AFTER
    return new.detail == last.detail if asks_again else new.next_allowed_at == last.next_allowed_at
