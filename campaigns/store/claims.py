"""The claim's reads and writes, in the order that the lock order asks: calls by id, then live by number, then facts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from campaigns.calls.permits import LIVE_MARGIN


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """A locked call with its customer, as the claim found it."""

    id: int
    epoch: int
    run_id: int
    number: str
    line: str
    requests: int
    name: str | None
    external_id: str | None
    person: str | None
    state: str | None
    zip: str | None
    timezone: str | None
    line_type: str
    debt: str | None
    exemption: str | None
    ebr_transaction_at: datetime | None
    ebr_inquiry_at: datetime | None
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """The campaign, its account and the system switch, read with the clock: one row."""

    read_at: datetime
    campaign_at: datetime
    clock_speed: float
    rehearsal: bool
    campaign_id: int
    name: str
    state: str
    webhook_token: str
    account: str
    provider: str
    limit_group: str
    simulator: bool
    ring_timeout: timedelta
    max_duration: timedelta
    reconcile_after: list[timedelta]
    paused_reason: str | None
    cooling: bool
    clock_skew: timedelta
    account_cps: float
    """Already slowed, if the provider said that it is full."""
    recovering: bool
    """Refusals of the account or the campaign are being counted, or the rate is cut: a success is news."""
    campaign_cps: float | None
    webhooks: bool
    stopped: bool
    rules_digest: str | None
    tzdata_version: str | None
    fsync: bool


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run's bounds and the definition it dials by."""

    id: int
    earliest_at: datetime
    latest_at: datetime
    version_id: int
    approved: bool
    """Whether somebody else than the submitter approved this version as an emergency."""
    provider_from: datetime | None
    """Set: the provider is to hold its calls until then; they are handed over, never dialed from here."""
    provider_until: datetime | None


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """An attempt as it is committed before its request leaves. `usable_for`: machine time from the facts."""

    id: UUID
    call: QueuedCall
    task_id: str
    campaign_at: datetime
    read_at: datetime
    usable_for: timedelta
    due_from: datetime | None = None
    """Set with `due_until`: the provider dials by itself, somewhere between the two."""
    due_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewDecision:
    """One verdict on record; `attempt_id` set for a permit, `rule_id` for a refusal."""

    call_id: int
    attempt_id: UUID | None
    rule_id: str | None
    next_allowed_at: datetime | None
    consent_id: int | None
    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    checks: str
    """JSON."""
    facts: str
    """JSON: what the gate was told."""
    detail: str | None
    """Of a refusal: the words of its rule."""


MOVED = "the database was restored, copied or promoted a moment ago"
"""Looked at in the claim itself: whoever restores a database need not restart anything for this to hold."""
_PERSON_LOCK_SEED = 0x52_46_50_45
"""Sets the keys of people ("RFPE") apart from other advisory locks."""


def bound_claim(connection: Connection) -> None:
    """A claim that hangs is worthless and holds locks: the server ends it after about a permit's life.

    It reads by index alone: a plan made while a table was empty is kept until somebody analyzes that table, and a
    campaign's first ten thousand attempts would be walked through in each of its claims.
    """
    connection.execute(
        text("""
            SELECT set_config('idle_in_transaction_session_timeout', '1000', true),
                   set_config('statement_timeout', '1500', true), set_config('enable_seqscan', 'off', true)
        """)
    )


# In the order of `QueuedCall`.
_CALLS = """
    SELECT c.id, c.epoch, c.run_id, c.number, c.line, c.requests, u.name, u.external_id, u.person, u.state,
        u.zip, u.timezone, u.line_type, u.debt, u.exemption, u.ebr_transaction_at, u.ebr_inquiry_at, u.variables
    FROM calls c JOIN customers u ON u.id = c.id
"""


# `|| ''` keeps Postgres from walking the index of all that is queued, of which it always thinks that there is little.
_QUEUED = text(f"""
    {_CALLS}
    WHERE c.id = ANY(:ids) AND c.state || '' = 'queued' AND c.campaign_id = :campaign_id
    ORDER BY c.id FOR UPDATE OF c
""")


def look_at_calls(connection: Connection, call_ids: Sequence[int]) -> list[QueuedCall]:
    """These calls with their customers, in whatever state, without a lock: for asking the gate and doing nothing."""
    rows = connection.execute(
        text(f"{_CALLS} WHERE c.id = ANY(:ids) ORDER BY c.id"),
        {"ids": list(call_ids)},
    )
    return [QueuedCall(*row) for row in rows]


def lock_queued(connection: Connection, refs: Mapping[int, int], *, campaign_id: int) -> list[QueuedCall]:
    """Lock the calls that are still queued under the epoch of the message (`refs`: id → epoch), by id."""
    rows = connection.execute(_QUEUED, {"ids": sorted(refs), "campaign_id": campaign_id}).all()
    return [call for row in rows if (call := QueuedCall(*row)).epoch == refs[call.id]]


def take_numbers(
    connection: Connection, calls: Sequence[QueuedCall], attempts: Mapping[int, UUID], *, campaign_id: int
) -> set[int]:
    """Lock each person's number and take a slot; returns the ids of the calls that got theirs.

    A number that is live elsewhere is simply not returned. The hold is provisional: `write_attempts` sets its end.
    """
    rows = connection.execute(
        text("""
            INSERT INTO live (number, attempt_id, call_id, campaign_id, limit_group, hold_until)
            SELECT n.number, n.attempt_id, n.call_id, :campaign_id, a.limit_group, clock_timestamp() + interval '1 hour'
            FROM unnest(CAST(:numbers AS text[]), CAST(:attempts AS uuid[]), CAST(:calls AS bigint[]))
                AS n(number, attempt_id, call_id)
            JOIN campaigns c ON c.id = :campaign_id JOIN accounts a ON a.name = c.account
            ORDER BY n.number
            ON CONFLICT DO NOTHING RETURNING call_id
        """),
        {
            "campaign_id": campaign_id,
            "numbers": [call.number for call in calls],
            "attempts": [attempts[call.id] for call in calls],
            "calls": [call.id for call in calls],
        },
    )
    return {row.call_id for row in rows}


def lock_people(connection: Connection, persons: Sequence[str]) -> None:
    """Wait until no other claim is counting attempts to these people, who may have several numbers.

    `live` locks numbers only: without this two numbers of one person could both take the last attempt of a cap. Taken
    after `live`, in one order, and let go with the transaction.
    """
    if persons:
        connection.execute(
            text("""
                SELECT pg_advisory_xact_lock(k.key) FROM (
                    SELECT DISTINCT hashtextextended(p, :seed) AS key FROM unnest(CAST(:persons AS text[])) AS p
                    ORDER BY key
                ) k
            """),
            {"persons": list(persons), "seed": _PERSON_LOCK_SEED},
        )


def give_numbers_back(connection: Connection, attempts: Sequence[UUID]) -> None:
    """Undo `take_numbers` for attempts that the gate refused."""
    if attempts:
        connection.execute(text("DELETE FROM live WHERE attempt_id = ANY(:attempts)"), {"attempts": list(attempts)})


def campaign_facts(connection: Connection, campaign_id: int) -> CampaignFacts | None:
    """Campaign, account, switch and both clocks, in one statement after the locks. None: no such campaign."""
    row = connection.execute(
        text("""
            SELECT t.read_at, c.clock_speed, c.clock_machine_at IS NOT NULL AS rehearsal,
                CASE WHEN c.clock_campaign_at IS NULL THEN t.read_at
                    ELSE c.clock_campaign_at + (t.read_at - c.clock_machine_at) * c.clock_speed END AS campaign_at,
                c.id AS campaign_id, c.name, c.state, c.webhook_token, c.account, a.provider, a.limit_group,
                a.simulator, a.ring_timeout, a.max_duration, a.reconcile_after,
                coalesce(a.unproven_reason, a.paused_reason, CASE WHEN NOT a.simulator AND s.identity IS NOT NULL
                    AND s.identity IS DISTINCT FROM database_identity() THEN :moved END) AS paused_reason,
                coalesce(a.cooldown_until > t.read_at, false) AS cooling, a.clock_skew,
                (SELECT min(b.calls_per_second) * min(b.rate_share) FROM accounts b
                    WHERE b.limit_group = a.limit_group) AS account_cps,
                a.rate_share < 1 OR greatest(a.config_errors, a.config_ends, c.config_errors, c.config_ends) > 0
                    AS recovering,
                c.calls_per_second AS campaign_cps, a.webhooks, s.stopped, s.rules_digest, s.tzdata_version,
                current_setting('fsync')::boolean AND current_setting('synchronous_commit') <> 'off' AS fsync
            FROM (SELECT clock_timestamp() AS read_at) t, campaigns c JOIN accounts a ON a.name = c.account, system s
            WHERE c.id = :campaign_id
        """),
        {"campaign_id": campaign_id, "moved": MOVED},
    ).one_or_none()
    return None if row is None else CampaignFacts(**row._asdict())


def run_facts(connection: Connection, run_ids: Sequence[int]) -> dict[int, RunFacts]:
    """The runs of a group of calls."""
    rows = connection.execute(
        text("""
            SELECT r.id, r.earliest_at, r.latest_at, r.version_id, r.provider_from, r.provider_until, EXISTS (
                SELECT FROM approvals a JOIN campaign_versions v ON v.id = a.version_id
                WHERE a.version_id = r.version_id AND a.subject = 'emergency'
                    AND lower(trim(a.recorded_by)) <> lower(trim(v.submitted_by))) AS approved
            FROM runs r WHERE r.id = ANY(:ids)
        """),
        {"ids": list(run_ids)},
    )
    return {row.id: RunFacts(**row._asdict()) for row in rows}


def definition_of(connection: Connection, version_id: int) -> dict[str, Any]:
    """The stored definition of one campaign version (versions never change, so callers may keep it)."""
    row = connection.execute(text("SELECT definition FROM campaign_versions WHERE id = :id"), {"id": version_id}).one()
    definition: dict[str, Any] = row.definition
    return definition


def write_attempts(
    connection: Connection, attempts: Sequence[NewAttempt], *, facts: CampaignFacts, check_after: timedelta
) -> None:
    """Commit the attempts: from here on nobody else may dial these calls, and rescue looks after `check_after`.

    A call that the provider is to hold keeps its number from now on, and takes its slot as long ahead of its time as
    the longest call lasts: whatever rings before that is over by then.
    """
    if not attempts:
        return
    connection.execute(
        text("""
            WITH new AS (
                INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch,
                    person, debt, task_id, state, campaign_at, claimed_at, send_by, check_at, provider_due_from,
                    provider_due_until)
                SELECT n.id, n.call_id,
                    1 + coalesce((SELECT max(t.attempt_no) FROM attempts t WHERE t.call_id = n.call_id), 0),
                    n.run_id, :campaign_id, :account, n.number, n.line, n.epoch,
                    n.person, n.debt, n.task_id, 'dialing', n.campaign_at, n.read_at, n.read_at + n.usable,
                    n.read_at + n.usable + :check_after, n.due_from, n.due_until
                FROM unnest(CAST(:ids AS uuid[]), CAST(:calls AS bigint[]), CAST(:runs AS bigint[]),
                    CAST(:numbers AS text[]), CAST(:lines AS text[]), CAST(:epochs AS integer[]),
                    CAST(:tasks AS text[]), CAST(:campaign_ats AS timestamptz[]), CAST(:read_ats AS timestamptz[]),
                    CAST(:usables AS interval[]), CAST(:persons AS text[]), CAST(:debts AS text[]),
                    CAST(:dues AS timestamptz[]), CAST(:untils AS timestamptz[]))
                    AS n(id, call_id, run_id, number, line, epoch, task_id, campaign_at, read_at, usable, person, debt,
                        due_from, due_until)
                RETURNING id, send_by, provider_due_from, provider_due_until
            )
            UPDATE live SET
                hold_until = greatest(new.send_by, new.provider_due_until)
                    + CAST(:ring AS interval) + CAST(:talk AS interval) + :margin,
                holds_slot = new.provider_due_from IS NULL OR new.provider_due_from
                    - CAST(:ring AS interval) - CAST(:talk AS interval) - :margin <= clock_timestamp()
            FROM new WHERE live.attempt_id = new.id
        """),
        {
            "campaign_id": facts.campaign_id,
            "account": facts.account,
            "check_after": check_after,
            "ring": facts.ring_timeout,
            "talk": facts.max_duration,
            "margin": LIVE_MARGIN,
            "ids": [attempt.id for attempt in attempts],
            "calls": [attempt.call.id for attempt in attempts],
            "runs": [attempt.call.run_id for attempt in attempts],
            "numbers": [attempt.call.number for attempt in attempts],
            "lines": [attempt.call.line for attempt in attempts],
            "epochs": [attempt.call.epoch for attempt in attempts],
            "tasks": [attempt.task_id for attempt in attempts],
            "campaign_ats": [attempt.campaign_at for attempt in attempts],
            "read_ats": [attempt.read_at for attempt in attempts],
            "usables": [attempt.usable_for for attempt in attempts],
            "persons": [attempt.call.person for attempt in attempts],
            "debts": [attempt.call.debt for attempt in attempts],
            "dues": [attempt.due_from for attempt in attempts],
            "untils": [attempt.due_until for attempt in attempts],
        },
    )


def write_decisions(
    connection: Connection, decisions: Sequence[NewDecision], *, facts: CampaignFacts, rules_digest: str, tzdata: str
) -> None:
    """Put every verdict on record, in the transaction that acts on it."""
    if not decisions:
        return
    connection.execute(
        _WRITE_DECISIONS,
        {
            "decided_at": facts.read_at,
            "campaign_at": facts.campaign_at,
            "rules_digest": rules_digest,
            "tzdata_version": tzdata,
            "decisions": "[" + ",".join(map(_as_json, decisions)) + "]",
        },
    )


# One document and not an array a column: a decision is mostly JSON already, and quoting JSON into an array cost as much
# as judging did.
_WRITE_DECISIONS = text("""
    INSERT INTO decisions (call_id, attempt_id, decided_at, campaign_at, verdict, rule_id, next_allowed_at,
        consent_id, zones, jurisdictions, rules_digest, tzdata_version, checks, facts)
    SELECT n.call_id, n.attempt_id, :decided_at, :campaign_at,
        CASE WHEN n.rule_id IS NULL THEN 'permit' ELSE 'refusal' END, n.rule_id, n.next_allowed_at,
        n.consent_id, n.zones, n.jurisdictions, :rules_digest, :tzdata_version, n.checks, n.facts
    FROM jsonb_to_recordset(CAST(:decisions AS jsonb)) AS n(call_id bigint, attempt_id uuid, rule_id text,
        next_allowed_at timestamptz, consent_id bigint, zones text[], jurisdictions text[], checks jsonb, facts jsonb)
""")


def _as_json(decision: NewDecision) -> str:
    """`checks` and `facts` are put in as they are."""
    others = {
        "call_id": decision.call_id,
        "attempt_id": None if decision.attempt_id is None else str(decision.attempt_id),
        "rule_id": decision.rule_id,
        "next_allowed_at": None if decision.next_allowed_at is None else decision.next_allowed_at.isoformat(),
        "consent_id": decision.consent_id,
        "zones": decision.zones,
        "jurisdictions": decision.jurisdictions,
    }
    return f'{json.dumps(others)[:-1]},"checks":{decision.checks},"facts":{decision.facts}}}'
