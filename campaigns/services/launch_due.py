"""Launch: recurring campaigns whose slot has come get their run, each slot at most once.

Everything is decided by rows under a lock, so two beats, a late tick or a repeated one do no harm.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from campaigns.calls.cron import CronSchedule
from campaigns.compliance.zones import zone
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.storage import load_definition
from campaigns.definition.timing import Schedule
from campaigns.store import campaigns as rows
from campaigns.store.repair import finish_runs

log = logging.getLogger(__name__)

MOST_SLOTS_AT_ONCE = 100
"""Missed slots put on record in one go; the next tick goes on. A minutely cron misses 1,440 in a day."""

ALARM_INTERVAL = timedelta(hours=1)
"""Between alarms about one campaign that cannot be launched; it is tried again at every tick."""

MISSED = "missed"
OVERLAP = "overlap"
PAUSED = "paused"


class LaunchDue:
    """Turn slots into runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self) -> list[int]:
        """Launch what is due and close what is done. Returns the runs that wait for their expansion."""
        with self._engine.begin() as connection:
            rows.release_stuck_runs(connection)
            finish_runs(connection)
            due = rows.due_campaign_ids(connection)
        for campaign_id in due:
            try:
                self._launch_one(campaign_id)
            except Exception:
                # A transaction each, and an error each: one campaign must not hold up the others for ever.
                log.exception("launch_failed campaign_id=%s", campaign_id)
                self._alarm(campaign_id)
        with self._engine.begin() as connection:
            return rows.runs_to_expand(connection)

    def _launch_one(self, campaign_id: int) -> None:
        with self._engine.begin() as connection:
            if (campaign := rows.lock_due_campaign(connection, campaign_id)) is not None:
                _launch(connection, campaign)

    def _alarm(self, campaign_id: int) -> None:
        """Say so where people look, but not at every tick."""
        with self._engine.begin() as connection:
            rows.alarm_once(connection, kind="launch_failed", detail=f"campaign {campaign_id}", every=ALARM_INTERVAL)


@dataclass(frozen=True, slots=True)
class _Slot:
    slot_at: datetime
    next_at: datetime | None
    """None: the window ends before the next one."""


def _launch(connection: Connection, campaign: rows.DueCampaign) -> None:
    definition = load_definition(campaign.definition)
    schedule = definition.schedule
    if schedule is None or campaign.state == "cancelled":
        rows.set_next_run(connection, campaign.id, next_run_at=None)
        return
    next_at: datetime | None = campaign.slot_at
    for _ in range(MOST_SLOTS_AT_ONCE):
        if next_at is None or next_at > campaign.campaign_at:
            break
        slot = _Slot(next_at, _next_slot(definition, schedule, after=next_at))
        rows.add_run(connection, _run_for(campaign, slot, definition, schedule))
        next_at = slot.next_at
    rows.set_next_run(connection, campaign.id, next_run_at=next_at)


def _run_for(
    campaign: rows.DueCampaign, slot: _Slot, definition: CampaignDefinition, schedule: Schedule
) -> rows.NewRun:
    latest_at = min(slot.slot_at + schedule.run_for, definition.window.latest_at)
    skipped = _why_skipped(campaign, slot, over_at=latest_at - definition.end_guard)
    return rows.NewRun(
        campaign_id=campaign.id,
        version_id=campaign.version_id,
        slot_at=slot.slot_at,
        earliest_at=slot.slot_at,
        latest_at=latest_at,
        state="skipped" if skipped else "expanding",
        state_reason=skipped,
    )


def _why_skipped(campaign: rows.DueCampaign, slot: _Slot, *, over_at: datetime) -> str | None:
    """A late slot still runs while there is time left in it and no later slot has come."""
    superseded = slot.next_at is not None and slot.next_at <= campaign.campaign_at
    if superseded or campaign.campaign_at >= over_at:
        return MISSED
    if campaign.state == "paused":
        return PAUSED
    return OVERLAP if campaign.has_open_run else None


def _next_slot(definition: CampaignDefinition, schedule: Schedule, *, after: datetime) -> datetime | None:
    slot = CronSchedule(schedule.cron, zone(schedule.timezone)).next_slot(after)
    return slot if slot < definition.window.latest_at - definition.end_guard else None
