"""What keeps a campaign from dialing although calls may be due: switches, runs, limits. Read, never changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from campaigns.services.feed import STARVED_AFTER
from campaigns.services.line_choice import limits_of, use_of
from campaigns.services.restored import REASON as RESTORED
from campaigns.services.status import slowed
from campaigns.store import feed as feed_rows
from campaigns.store.accounts import PAUSED_BY_SETTINGS
from campaigns.store.status import CampaignRow, RunRow
from campaigns.store.ticks import ticks_missing_since
from campaigns.store.why import limit_group_of

TICKS_MISSED_FOR = timedelta(seconds=30)
"""Fifteen ticks of the rescue: a worker that is merely busy takes one of them."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One thing that keeps calls from being dialed. `until` None: nobody knows, or a person has to act."""

    what: str
    until: datetime | None = None
    do: str | None = None


def switches(campaign: CampaignRow) -> Iterator[Hold]:
    """What somebody switched off, or a provider asked for."""
    if campaign.stopped:
        yield Hold("all campaigns are stopped", do="`ringfence start` lets them go on")
    if campaign.state != "active":
        do = f"`ringfence resume {campaign.name}` lets it go on" if campaign.state == "paused" else None
        yield Hold(f"the campaign is {campaign.state}: {campaign.state_reason or 'no reason on record'}", do=do)
    if campaign.account_paused:
        do = f"mend what it names, then `ringfence resume {campaign.name}`"
        if campaign.account_paused == PAUSED_BY_SETTINGS:
            do = "take `paused` out of ringfence.toml, then run `ringfence up` or `ringfence migrate` again"
        if campaign.account_paused == RESTORED:
            do = f"`ringfence reconcile --account {campaign.account} --since T`; `ringfence attention` names T"
        yield Hold(f"the account {campaign.account} is paused: {campaign.account_paused}", do=do)
    if campaign.cooling_until:
        yield Hold("the provider asked for a pause", until=campaign.cooling_until)


def runs_open(campaign: CampaignRow, runs: list[RunRow]) -> Iterator[Hold]:
    """Runs that are not ready, or not there yet."""
    for run in runs:
        if run.state == "expanding" and run.state_reason:
            do = f"mend it, then `ringfence resume {campaign.name}`"
            yield Hold(f"the customer list of run {run.id} cannot be read on: {run.state_reason}", do=do)
        elif run.state == "expanding":
            yield Hold(f"the customer list of run {run.id} is still being read")
        elif run.state == "active" and campaign.campaign_at < run.earliest_at:
            yield Hold(f"run {run.id} has not begun", until=run.earliest_at)
    if campaign.next_run_at and not any(run.state in ("expanding", "active") for run in runs):
        yield Hold("the next run is to come", until=campaign.next_run_at)


def room(connection: Connection, campaign: CampaignRow) -> Iterator[Hold]:
    """What the feed would find: the same reads, without its lock; and whether there is anybody to feed."""
    if (last_at := ticks_missing_since(connection, after=TICKS_MISSED_FOR)) is not None:
        what = f"no worker has carried out a tick since {last_at.isoformat(timespec='seconds')}"
        yield Hold(what, do="look at the control worker and at beat: their processes may live and take nothing")
    limit_group = limit_group_of(connection, campaign.account)
    account = feed_rows.account_room(connection, limit_group, starved_after=STARVED_AFTER)
    if account is None:
        return
    if account.starved:
        yield Hold("no worker has taken a message for 10 s", do="start `ringfence up` or a worker; see its log")
    if account.live + account.queued >= account.concurrency:
        what = f"all {account.concurrency} calls that account {campaign.account} allows at once are in use"
        yield Hold(what, do="one that ends makes room")
    own = next((each for each in feed_rows.campaign_rooms(connection, limit_group) if each.id == campaign.id), None)
    if own is None:
        return
    if own.concurrency is not None and own.live + own.queued >= own.concurrency:
        yield Hold(f"all {own.concurrency} calls that the campaign allows itself at once are in use")
    if own.budget_left is not None and own.budget_left <= own.queued:
        yield Hold("the budget of dials is spent")
    if limits_of(own).any:
        yield from _lines_full(connection, own)
    if account.rate_share < 1:
        yield Hold(slowed(account.calls_per_second), do="nothing: calls that go well bring the rate back in minutes")


def _lines_full(connection: Connection, own: feed_rows.CampaignRoom) -> Iterator[Hold]:
    """Each limit by itself that every line of the campaign has reached."""
    used = use_of(connection, own, own.lines).values()
    if own.line_daily_limit is not None and all(each.day >= own.line_daily_limit for each in used):
        date = own.campaign_at.astimezone(UTC).date().isoformat()
        yield Hold(f"every line has made its {own.line_daily_limit} calls of {date} (UTC)")
    if own.line_hourly_limit is not None and all(each.hour >= own.line_hourly_limit for each in used):
        yield Hold(f"every line has made its {own.line_hourly_limit} calls of the last sixty minutes")
