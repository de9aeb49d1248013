"""Everything on record about one number, table by table. An auditor's reads: indexed, never in a dialing path."""

from typing import Any

from sqlalchemy import Connection, text

Rows = list[dict[str, Any]]

_QUERIES = {
    "consent": """
        SELECT obtained_at AS at, id, level, seller, purpose, source, expires_at, artificial_voice, channel, run_id,
            row_number, source_digest, evidence, evidence_digest, recorded_at, recorded_by
        FROM consents WHERE number = :number
    """,
    "revocation": """
        SELECT v.effective_at AS at, v.id, v.scope, v.scope_value, v.channel, v.words, v.attempt_id, v.received_at,
            v.recorded_at, v.recorded_by, r.returned_at, r.calls_blocked
        FROM revocations v LEFT JOIN revocation_returns r ON r.revocation_id = v.id WHERE v.number = :number
    """,
    "suppressed": """
        SELECT added_at AS at, id, list_name, scope, scope_value, source, note, expires_at, added_by
        FROM suppressions WHERE number = :number
    """,
    "suppression_removed": """
        SELECT removed_at AS at, id, list_name, scope, scope_value, removed_by
        FROM suppressions WHERE number = :number AND removed_at IS NOT NULL
    """,
    "reassigned_answer": """
        SELECT answered_at AS at, id, answer, asked_since, source, recorded_at, recorded_by
        FROM reassigned_answers WHERE number = :number
    """,
    "listed": """
        SELECT r.created_at AS at, c.id AS call_id, k.name AS campaign, c.run_id, v.id AS version_id,
            v.digest AS version_digest, u.row_number, r.source_digest, u.name, u.external_id, u.person, u.debt, u.state,
            u.zip, u.timezone, u.line_type, u.exemption, u.ebr_transaction_at, u.ebr_inquiry_at, v.submitted_by
        FROM calls c JOIN customers u ON u.id = c.id JOIN runs r ON r.id = c.run_id
        JOIN campaigns k ON k.id = c.campaign_id JOIN campaign_versions v ON v.id = r.version_id
        WHERE c.number = :number
    """,
    "decision": """
        SELECT d.decided_at AS at, d.id, d.call_id, d.attempt_id, k.name AS campaign, d.campaign_at, d.verdict,
            d.rule_id, d.next_allowed_at, d.consent_id, d.zones, d.jurisdictions, d.rules_digest, d.tzdata_version,
            d.checks, d.facts, l.seq AS ledger_seq
        FROM calls c JOIN decisions d ON d.call_id = c.id JOIN campaigns k ON k.id = c.campaign_id
        LEFT JOIN ledger l ON l.decision_id = d.id WHERE c.number = :number
    """,
    "repeated_refusals": """
        SELECT r.last_at AS at, r.call_id, k.name AS campaign, r.rule_id, r.times, r.next_allowed_at
        FROM calls c JOIN repeated_refusals r ON r.call_id = c.id JOIN campaigns k ON k.id = c.campaign_id
        WHERE c.number = :number
    """,
    "attempt": """
        SELECT t.claimed_at AS at, t.id AS attempt_id, t.call_id, k.name AS campaign, t.attempt_no, t.account, t.line,
            t.campaign_at, t.requested_at, t.send_by, t.provider_call_id, t.counts, t.task_id
        FROM attempts t JOIN campaigns k ON k.id = t.campaign_id WHERE t.call_id = ANY(
            SELECT id FROM calls WHERE number = :number)
    """,
    "attempt_over": """
        SELECT coalesce(t.ended_at, t.closed_at) AS at, t.id AS attempt_id, t.call_id, k.name AS campaign, t.attempt_no,
            t.state, t.outcome, t.disposition, t.ended_reason, t.detail, t.connected, t.hung_up, t.duration, t.cost_usd
        FROM attempts t JOIN campaigns k ON k.id = t.campaign_id
        WHERE t.call_id = ANY(SELECT id FROM calls WHERE number = :number)
            AND coalesce(t.ended_at, t.closed_at) IS NOT NULL
    """,
    "call_final": """
        SELECT c.final_at AS at, c.id AS call_id, k.name AS campaign, c.state, c.reason, c.attempts
        FROM calls c JOIN campaigns k ON k.id = c.campaign_id WHERE c.number = :number AND c.final_at IS NOT NULL
    """,
    "provider_cancel": """
        SELECT p.asked_at AS at, p.attempt_id, p.revocation_id, p.tries, p.last_error, p.settled_at, p.settled_as
        FROM provider_cancels p JOIN attempts t ON t.id = p.attempt_id
        WHERE t.call_id = ANY(SELECT id FROM calls WHERE number = :number)
    """,
}
KINDS = tuple(_QUERIES)
"""In the order in which events of one instant are told."""


def events_of(connection: Connection, kind: str, number: str) -> Rows:
    """All rows of one kind about a number; `at` is their instant."""
    return [dict(row._mapping) for row in connection.execute(text(_QUERIES[kind]), {"number": number})]


def open_calls(connection: Connection, number: str) -> Rows:
    """Calls to this number that are not final, with what holds them in the tables."""
    rows = connection.execute(
        text("""
            SELECT c.id AS call_id, c.campaign_id, k.name AS campaign, c.state, c.due_at, c.closes_at, c.attempts,
                c.stop_reason
            FROM calls c JOIN campaigns k ON k.id = c.campaign_id
            WHERE c.number = :number AND c.final_at IS NULL ORDER BY c.id
        """),
        {"number": number},
    )
    return [dict(row._mapping) for row in rows]


def final_calls(connection: Connection, number: str) -> Rows:
    """How the others ended, the newest first."""
    rows = connection.execute(
        text("""
            SELECT c.id AS call_id, k.name AS campaign, c.state, c.reason, c.final_at, c.attempts
            FROM calls c JOIN campaigns k ON k.id = c.campaign_id
            WHERE c.number = :number AND c.final_at IS NOT NULL ORDER BY c.final_at DESC
        """),
        {"number": number},
    )
    return [dict(row._mapping) for row in rows]


def live_with(connection: Connection, number: str) -> dict[str, Any] | None:
    """The attempt that holds this number right now."""
    row = connection.execute(
        text("""
            SELECT l.attempt_id, l.call_id, k.name AS campaign, l.holds_slot, l.hold_until
            FROM live l JOIN campaigns k ON k.id = l.campaign_id WHERE l.number = :number
        """),
        {"number": number},
    ).one_or_none()
    return None if row is None else dict(row._mapping)


def last_refusal(connection: Connection, number: str) -> dict[str, Any] | None:
    """The newest refusal of any call to this number, with how often it was repeated since."""
    row = connection.execute(
        text("""
            SELECT d.decided_at, d.call_id, d.rule_id, d.next_allowed_at, coalesce(r.times, 0) AS repeated,
                (SELECT x ->> 'detail' FROM jsonb_array_elements(d.checks) AS x
                    WHERE x ->> 'rule_id' = d.rule_id LIMIT 1) AS detail
            FROM calls c JOIN decisions d ON d.call_id = c.id
            LEFT JOIN repeated_refusals r ON r.call_id = d.call_id AND r.rule_id = d.rule_id
            WHERE c.number = :number AND d.verdict = 'refusal' ORDER BY d.id DESC LIMIT 1
        """),
        {"number": number},
    ).one_or_none()
    return None if row is None else dict(row._mapping)
