"""What a schedule begins with: an account, one or two campaigns, a few people, some of them on both lists."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from sqlalchemy import Connection, text

from campaigns.definition.model import CampaignDefinition
from campaigns.definition.parse import parse_definition
from campaigns.definition.storage import dump_definition
from campaigns.services.gatekeeper import GateKeeper
from interleaving.provider_model import MAX_DURATION, RING_TIMEOUT
from interleaving.trace import BEGINNING

LIMIT_GROUP = "g"
ACCOUNT = "sim"
NUMBERS = tuple(f"+1212555010{digit}" for digit in range(1, 7))
"""Fictional ones, in New York."""
NOON = 17 * 3600.0
"""Virtual seconds: 12:00 in New York on a Wednesday."""
EVENING = 26 * 3600.0 - 150
"""Two and a half minutes before 21:00 there: every window closes, and opens again in the morning."""
REHEARSAL_SPEED = 20.0

CAMPAIGN = """
campaign: {name}
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {{id: assistant-1, variables: {{firstName: "{{name}}"}}}}
lines: {{pool: [line-1, line-2]}}
customers: {{file: customers.csv, columns: {{number: phone}}}}
consent: {{level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}}
window: {{earliestAt: {earliest}, latestAt: {latest}}}
retries:
  maxAttempts: {max_attempts}
  ladder: {{no_answer: [5m, 20m], busy: [2m, 10m], voicemail: [15m]}}
  ambiguous: {ambiguous}
stopWhen: {{inboundCall: true}}
"""


@dataclass(frozen=True, slots=True)
class CampaignSeed:
    """One campaign as it is built."""

    name: str
    ambiguous: str
    max_attempts: int
    numbers: tuple[str, ...]
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a schedule begins with; drawn by `draw`."""

    begins_at: float
    latest_at: float
    """Virtual seconds, both on the campaign's clock."""
    concurrency: int
    calls_per_second: float
    webhooks: bool
    speed: float | None
    """Of a rehearsal's clock; None: the campaigns run on the real one."""
    campaigns: tuple[CampaignSeed, ...]
    attended: bool = True
    """Whether somebody answers what waits on `attention`; otherwise it waits for `latestAt`."""

    @property
    def numbers(self) -> dict[int, str]:
        """By call id, as they are given out."""
        return dict(enumerate((number for each in self.campaigns for number in each.numbers), start=1))


def draw(rng: Random) -> Scenario:
    """By chance, small: many small schedules find more than a few large ones. One in five is a burst: as much ready as
    the limits let through in a second or two."""
    if rng.random() < 0.2:
        return _draw_burst(rng)
    evening = rng.random() < 0.25
    begins_at = EVENING if evening else NOON
    rehearsal = not evening and rng.random() < 0.15
    names = ["spring"] if rng.random() < 0.4 else ["spring", "autumn"]
    return Scenario(
        begins_at=begins_at,
        latest_at=begins_at + (13 * 3600.0 if evening else rng.choice([120.0] + 5 * [3 * 3600.0])),
        concurrency=rng.choice([1, 2, 3, 4]),
        calls_per_second=rng.choice([0.5, 1.0, 2.0, 3.0]),
        webhooks=rng.random() < 0.8,
        speed=REHEARSAL_SPEED if rehearsal else None,
        campaigns=tuple(_draw_campaign(rng, name) for name in names),
        attended=rng.random() < 0.5,
    )


def _draw_burst(rng: Random) -> Scenario:
    campaign = CampaignSeed("spring", rng.choice(["hold", "redial"]), 2, NUMBERS)
    return Scenario(NOON, NOON + 3 * 3600.0, 4, rng.choice([2.0, 3.0]), True, None, (campaign,))


def _draw_campaign(rng: Random, name: str) -> CampaignSeed:
    columns: dict[str, Any] = {}
    if rng.random() < 0.2:
        columns["concurrency"] = 1
    if rng.random() < 0.2:
        columns["calls_per_second"] = rng.choice([0.5, 1.0])
    if rng.random() < 0.15:
        columns["line_daily_limit"] = rng.choice([1, 2])
    if rng.random() < 0.15:
        columns["dial_budget"] = rng.choice([1, 2, 4])
    numbers = rng.sample(NUMBERS[: rng.choice([1, 2, 4])], k=1) + list(NUMBERS[:2])  # the first two are on most lists
    numbers = list(dict.fromkeys(numbers))[: rng.choice([1, 2, 3])]
    return CampaignSeed(name, rng.choice(["hold", "redial"]), rng.choice([2, 3]), tuple(numbers), columns)


@lru_cache(maxsize=64)
def _definition(
    name: str, ambiguous: str, max_attempts: int, earliest: datetime, latest: datetime
) -> CampaignDefinition:
    source = CAMPAIGN.format(
        name=name,
        ambiguous=ambiguous,
        max_attempts=max_attempts,
        earliest=earliest.isoformat(),
        latest=latest.isoformat(),
    )
    return parse_definition(source.encode(), file="campaign.yaml")


def without_gap(gate: GateKeeper) -> GateKeeper:
    """The gate without the hour that our policy keeps between calls of two campaigns to one person: it is a second
    safeguard before the number's lock, and would hide whether the first one works."""
    profile = replace(gate.rules.profile, min_gap=timedelta())
    return replace(gate, rules=replace(gate.rules, profile=profile))


def build(connection: Connection, scenario: Scenario, gate: GateKeeper) -> None:
    """Write it, as submit and expand leave it."""
    connection.execute(
        text("""
            INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second,
                ring_timeout, max_duration, reconcile_after, webhooks)
            VALUES (:account, 'vapi', :group, true, :concurrency, :cps, :ring, :talk,
                ARRAY[interval '30 s', interval '5 min'], :webhooks)
        """),
        {
            "account": ACCOUNT,
            "group": LIMIT_GROUP,
            "concurrency": scenario.concurrency,
            "cps": scenario.calls_per_second,
            "ring": timedelta(seconds=RING_TIMEOUT),
            "talk": timedelta(seconds=MAX_DURATION),
            "webhooks": scenario.webhooks,
        },
    )
    connection.execute(
        text("UPDATE system SET rules_digest = :rules, tzdata_version = :tzdata"),
        {"rules": gate.rules_digest, "tzdata": gate.tzdata_version},
    )
    connection.execute(
        text("""
            INSERT INTO consents (number, level, seller, obtained_at, source, recorded_by)
            SELECT number, 'pewc', 'Example Energy, Inc.', '2026-09-01', 'form', 'test'
            FROM unnest(CAST(:numbers AS text[])) AS number
        """),
        {"numbers": list(NUMBERS)},
    )
    for campaign in scenario.campaigns:
        _build_campaign(connection, scenario, campaign)


def _build_campaign(connection: Connection, scenario: Scenario, campaign: CampaignSeed) -> None:
    earliest = BEGINNING + timedelta(seconds=scenario.begins_at - 60)
    latest = BEGINNING + timedelta(seconds=scenario.latest_at)
    definition = _definition(campaign.name, campaign.ambiguous, campaign.max_attempts, earliest, latest)
    connection.execute(
        text("""
            WITH c AS (
                INSERT INTO campaigns (name, account, webhook_token, lines, created_by, clock_campaign_at,
                    clock_machine_at, clock_speed, concurrency, calls_per_second, line_daily_limit, dial_budget)
                SELECT :name, :account, 'token', ARRAY['line-1', 'line-2'], 'test',
                    CASE WHEN :rehearsal THEN clock_timestamp() END, CASE WHEN :rehearsal THEN clock_timestamp() END,
                    :speed, :concurrency, :calls_per_second, :line_daily_limit, :dial_budget
                RETURNING id
            ), v AS (
                INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                SELECT id, 1, 'd', '', CAST(:definition AS jsonb), 'test' FROM c RETURNING id, campaign_id
            ), r AS (
                INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
                SELECT campaign_id, id, :earliest, :latest, 'active' FROM v RETURNING id, campaign_id, earliest_at,
                    latest_at
            ), z AS (
                INSERT INTO zone_groups (run_id, key) SELECT id, 'all' FROM r RETURNING id
            ), u AS (
                INSERT INTO customers (run_id, row_number, number, name, restriction)
                SELECT r.id, n.place, n.number, 'Ann', 0
                FROM r, unnest(CAST(:numbers AS text[])) WITH ORDINALITY AS n(number, place)
                ORDER BY n.place RETURNING id, number
            )
            INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, due_at, closes_at)
            SELECT u.id, r.id, r.campaign_id, z.id, u.number, 'scheduled', r.earliest_at, :closes FROM u, r, z
        """),
        {
            "name": campaign.name,
            "account": ACCOUNT,
            "rehearsal": scenario.speed is not None,
            "speed": scenario.speed or 1.0,
            "concurrency": campaign.columns.get("concurrency"),
            "calls_per_second": campaign.columns.get("calls_per_second"),
            "line_daily_limit": campaign.columns.get("line_daily_limit"),
            "dial_budget": campaign.columns.get("dial_budget"),
            "definition": json.dumps(dump_definition(definition)),
            "earliest": earliest,
            "latest": latest,
            "closes": min(latest, BEGINNING + timedelta(hours=26)),
            "numbers": list(campaign.numbers),
        },
    )
