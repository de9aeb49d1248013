"""A campaign's calls with all their attempts, a page at a time: no transaction is open between two pages."""

from typing import Any

from sqlalchemy import Connection, text

CALLS_AT_ONCE = 500

_PAGE = text("""
    SELECT r.id AS run, u.row_number AS row, u.external_id, u.name, u.number, c.id AS call_id, c.state AS call_state,
        c.reason AS call_reason, c.attempts, c.due_at, c.final_at, d.rule_id AS last_refusal,
        t.attempt_no, t.id AS attempt_id, t.account, t.line, t.state AS attempt_state, t.outcome, t.disposition,
        t.ended_reason, t.detail, t.claimed_at, t.requested_at, t.ended_at, t.closed_at, t.duration, t.rang,
        t.connected, t.answered_by, t.hung_up, t.counts, t.cost_usd, t.provider_call_id, t.needs_person, t.late_ring_at
    FROM (
        SELECT * FROM customers WHERE run_id = :run_id AND number > :after ORDER BY number LIMIT :most
    ) u
    JOIN runs r ON r.id = u.run_id JOIN calls c ON c.id = u.id
    LEFT JOIN attempts t ON t.call_id = c.id
    LEFT JOIN LATERAL (
        SELECT rule_id FROM decisions WHERE call_id = c.id AND verdict = 'refusal' ORDER BY id DESC LIMIT 1
    ) d ON true
    ORDER BY u.number, t.attempt_no
""")
"""By number within a run: the index that keeps a person from being twice in it is the one that costs nothing here."""


def runs_of(connection: Connection, campaign_id: int) -> list[int]:
    """The campaign's runs, the oldest first."""
    query = text("SELECT id FROM runs WHERE campaign_id = :id ORDER BY id")
    return list(connection.execute(query, {"id": campaign_id}).scalars())


def calls_page(connection: Connection, run_id: int, *, after: str) -> list[dict[str, Any]]:
    """The calls whose numbers follow `after`, one row an attempt; a call without one has a row too."""
    rows = connection.execute(_PAGE, {"run_id": run_id, "after": after, "most": CALLS_AT_ONCE})
    return [dict(row._mapping) for row in rows]
