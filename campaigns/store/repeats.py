"""Refusals that only repeat the one on record: a counter beside the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from campaigns.store.claims import NewDecision


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The newest decision on a call. `rule_id` and `detail` None: a permit."""

    call_id: int
    rule_id: str | None
    next_allowed_at: datetime | None
    rules_digest: str
    detail: str | None


def last_decisions(connection: Connection, call_ids: Sequence[int]) -> dict[int, LastDecision]:
    """Call id → its newest decision, for those that have one."""
    rows = connection.execute(
        text("""
            SELECT DISTINCT ON (d.call_id) d.call_id, d.rule_id, d.next_allowed_at, d.rules_digest,
                (SELECT c ->> 'detail' FROM jsonb_array_elements(d.checks) AS c
                    WHERE c ->> 'rule_id' = d.rule_id LIMIT 1) AS detail
            FROM decisions d WHERE d.call_id = ANY(:ids) ORDER BY d.call_id, d.id DESC
        """),
        {"ids": list(call_ids)},
    )
    return {row.call_id: LastDecision(**row._asdict()) for row in rows}


def count_repeats(connection: Connection, refusals: Sequence[NewDecision]) -> None:
    """One more time for each of these."""
    if not refusals:
        return
    connection.execute(
        text("""
            INSERT INTO repeated_refusals AS r (call_id, rule_id, next_allowed_at)
            SELECT * FROM unnest(CAST(:calls AS bigint[]), CAST(:rules AS text[]), CAST(:nexts AS timestamptz[]))
            ON CONFLICT (call_id, rule_id) DO UPDATE SET times = r.times + 1, last_at = clock_timestamp(),
                next_allowed_at = excluded.next_allowed_at
        """),
        {
            "calls": [refusal.call_id for refusal in refusals],
            "rules": [refusal.rule_id for refusal in refusals],
            "nexts": [refusal.next_allowed_at for refusal in refusals],
        },
    )
