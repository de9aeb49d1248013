"""Campaigns, their versions and runs: how they come into being and which of them are due."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from campaigns.calls.clock import CampaignClock


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """A campaign as it was submitted, with its newest version."""

    id: int
    name: str
    state: str
    version_id: int
    digest: str
    source: str
    definition: Mapping[str, Any]
    latest_run_id: int | None
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """The columns of `campaigns` that a submit decides; `next_run_at` is on the campaign's clock."""

    name: str
    account: str
    webhook_token: str
    priority: int
    weight: int
    calls_per_second: float | None
    concurrency: int | None
    dial_budget: int | None
    lines: Sequence[str]
    line_daily_limit: int | None
    line_hourly_limit: int | None
    next_run_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class NewRun:
    """One launch. `slot_at` None: by hand. Instants are on the campaign's clock."""

    campaign_id: int
    version_id: int
    slot_at: datetime | None
    earliest_at: datetime
    latest_at: datetime
    state: str = "expanding"
    state_reason: str | None = None
    source_digest: str | None = None
    provider_from: datetime | None = None
    """Set with `provider_until`: the provider is to hold its calls, and dials between the two."""
    provider_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DueCampaign:
    """A recurring campaign whose slot has come, locked for this transaction."""

    id: int
    name: str
    state: str
    version_id: int
    definition: Mapping[str, Any]
    slot_at: datetime
    campaign_at: datetime
    has_open_run: bool


def machine_now(connection: Connection) -> datetime:
    """The one clock all processes share."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def campaign_names(connection: Connection) -> list[str]:
    """Every campaign, by name."""
    return list(connection.execute(text("SELECT name FROM campaigns ORDER BY name")).scalars())


def find_campaign(connection: Connection, name: str) -> StoredCampaign | None:
    """The campaign of that name with its newest version."""
    row = connection.execute(
        text("""
            SELECT c.id, c.name, c.state, v.id AS version_id, v.digest, v.source, v.definition, c.next_run_at,
                (SELECT max(r.id) FROM runs r WHERE r.campaign_id = c.id) AS latest_run_id
            FROM campaigns c JOIN campaign_versions v ON v.campaign_id = c.id
            WHERE c.name = :name ORDER BY v.number DESC LIMIT 1
        """),
        {"name": name},
    ).one_or_none()
    return None if row is None else StoredCampaign(**row._mapping)


def add_campaign(connection: Connection, campaign: NewCampaign, *, clock: CampaignClock | None) -> int | None:
    """Insert it; None when the name is taken, also by somebody who submits at this very moment."""
    return connection.execute(
        text("""
            INSERT INTO campaigns (name, account, webhook_token, priority, weight, calls_per_second, concurrency,
                dial_budget, lines, line_daily_limit, line_hourly_limit, next_run_at, created_by,
                clock_campaign_at, clock_machine_at, clock_speed)
            VALUES (:name, :account, :webhook_token, :priority, :weight, :calls_per_second, :concurrency,
                :dial_budget, :lines, :line_daily_limit, :line_hourly_limit, :next_run_at, :created_by,
                :clock_campaign_at, :clock_machine_at, :clock_speed)
            ON CONFLICT (name) DO NOTHING RETURNING id
        """),
        asdict(campaign)
        | {
            "lines": list(campaign.lines),
            "clock_campaign_at": clock.campaign_at if clock else None,
            "clock_machine_at": clock.machine_at if clock else None,
            "clock_speed": clock.speed if clock else 1.0,
        },
    ).scalar_one_or_none()


def add_version(
    connection: Connection,
    campaign_id: int,
    *,
    digest: str,
    source: str,
    definition: Mapping[str, Any],
    customers_path: str | None,
    submitted_by: str,
) -> int:
    """Store the file as given and as understood. Returns the version's id."""
    version_id: int = connection.execute(
        text("""
            INSERT INTO campaign_versions
                (campaign_id, number, digest, source, definition, customers_path, submitted_by)
            VALUES (:campaign_id, (SELECT count(*) + 1 FROM campaign_versions WHERE campaign_id = :campaign_id),
                :digest, :source, CAST(:definition AS jsonb), :customers_path, :submitted_by)
            RETURNING id
        """),
        {
            "campaign_id": campaign_id,
            "digest": digest,
            "source": source,
            "definition": json.dumps(definition),
            "customers_path": customers_path,
            "submitted_by": submitted_by,
        },
    ).scalar_one()
    return version_id


def add_run(connection: Connection, run: NewRun) -> int | None:
    """Insert it; None when this slot, or this version by hand, already has its run."""
    return connection.execute(
        text("""
            INSERT INTO runs
                (campaign_id, version_id, slot_at, earliest_at, latest_at, state, state_reason, source_digest,
                provider_from, provider_until)
            VALUES (:campaign_id, :version_id, :slot_at, :earliest_at, :latest_at, :state, :state_reason,
                :source_digest, :provider_from, :provider_until)
            ON CONFLICT DO NOTHING RETURNING id
        """),
        asdict(run),
    ).scalar_one_or_none()


def due_campaign_ids(connection: Connection) -> list[int]:
    """Recurring campaigns whose next slot has come on their own clock."""
    return list(
        connection.execute(
            text("""
                SELECT id FROM campaigns
                WHERE next_run_at IS NOT NULL
                    AND next_run_at <= campaign_now(clock_campaign_at, clock_machine_at, clock_speed)
                ORDER BY next_run_at
            """)
        ).scalars()
    )


def lock_due_campaign(connection: Connection, campaign_id: int) -> DueCampaign | None:
    """Lock one of them; None when another beat has it or has already launched it."""
    row = connection.execute(
        text("""
            SELECT c.id, c.name, c.state, v.id AS version_id, v.definition, c.next_run_at AS slot_at,
                campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed) AS campaign_at,
                EXISTS (SELECT FROM runs r WHERE r.campaign_id = c.id AND r.state IN ('expanding', 'active'))
                    AS has_open_run
            FROM campaigns c
            CROSS JOIN LATERAL (
                SELECT id, definition FROM campaign_versions WHERE campaign_id = c.id ORDER BY number DESC LIMIT 1
            ) v
            WHERE c.id = :id
                AND c.next_run_at <= campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed)
            FOR NO KEY UPDATE OF c SKIP LOCKED
        """),
        {"id": campaign_id},
    ).one_or_none()
    return None if row is None else DueCampaign(**row._mapping)


def set_next_run(connection: Connection, campaign_id: int, *, next_run_at: datetime | None) -> None:
    """The next slot, on the campaign's clock; None: there is no further one."""
    connection.execute(
        text("UPDATE campaigns SET next_run_at = :next_run_at WHERE id = :id"),
        {"id": campaign_id, "next_run_at": next_run_at},
    )


def alarm_once(connection: Connection, *, kind: str, detail: str, every: timedelta) -> None:
    """An alarm, unless the same one was raised less than `every` ago."""
    connection.execute(
        text("""
            INSERT INTO alarms (kind, detail) SELECT :kind, :detail WHERE NOT EXISTS (
                SELECT FROM alarms WHERE kind = :kind AND detail = :detail
                    AND raised_at > clock_timestamp() - CAST(:every AS interval))
        """),
        {"kind": kind, "detail": detail, "every": every},
    )


def runs_to_expand(connection: Connection) -> list[int]:
    """Runs whose expansion has not begun, is under way or was interrupted; those that wait for a person left out."""
    return list(
        connection.execute(
            text("SELECT id FROM runs WHERE state = 'expanding' AND state_reason IS NULL ORDER BY id")
        ).scalars()
    )


def release_stuck_runs(connection: Connection) -> list[int]:
    """Runs whose expansion waits for a person past `latestAt`: what was expanded can now only expire."""
    return list(
        connection.execute(
            text("""
                UPDATE runs r SET state = 'active' FROM campaigns c
                WHERE c.id = r.campaign_id AND r.state = 'expanding' AND r.state_reason IS NOT NULL
                    AND r.latest_at <= campaign_now(c.clock_campaign_at, c.clock_machine_at, c.clock_speed)
                RETURNING r.id
            """)
        ).scalars()
    )


def record_operation(connection: Connection, *, operator: str, action: str, subject: str, detail: str = "") -> None:
    """Who did what: append-only."""
    connection.execute(
        text("""
            INSERT INTO operations (operator, action, subject, detail)
            VALUES (:operator, :action, :subject, :detail)
        """),
        {"operator": operator, "action": action, "subject": subject, "detail": detail},
    )
