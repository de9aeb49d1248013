"""Feed: the only granter of slots, lines, budget and campaign concurrency.

Under the account's lock it counts what is in use, releases calls that are due, and publishes their ids after the
commit. Two feeders, a late tick or a lost message do no harm: the rows decide.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from campaigns.calls.fair_share import Demand, share
from campaigns.calls.states import CallState
from campaigns.services.line_choice import LineChoice
from campaigns.services.pace import scope_spacings, waits
from campaigns.services.passing import is_lock_timeout, passes
from campaigns.services.ports import CallRef, Publisher, PublishError
from campaigns.store import feed as rows
from campaigns.store.handed_over import take_slots
from campaigns.store.moves import Move, apply_moves

log = logging.getLogger(__name__)

QUEUED_LEASE = timedelta(seconds=15)
"""How long a released call may wait for a worker before it goes back."""
LOST_AFTER = timedelta(seconds=4)
"""A message in no queue for so long, and not acted upon, is lost: a worker holds one for its turn a second at most."""
STARVED_AFTER = timedelta(seconds=10)
"""No worker took a message for so long: release nothing more."""
RELEASE_HORIZON = 1.0
"""Seconds of dialing that may lie in the queue. More would only age there."""
ONE_EACH_UP_TO = 25
"""Up to so many released calls travel one a message, so that Flower shows a task per customer."""
MOST_PROBES = 20
"""Messages nobody takes, whoever sent them: beyond that one more probe would prove nothing."""
GROUP_SIZE = 100
"""Calls a message beyond that: each message costs Celery a third of what a claim costs. A worker claims them fifty at a
time, so a crash leaves no more fates unknown for that."""
FOLDED_FROM = 100
"""Notes on a budget's use that each pass adds up, before they are made one: some 50 µs of reading."""


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What one pass did: calls released, or what holds the account."""

    released: int
    held_by: str | None = None


class Feed:
    """Release what is due, as far as every limit allows."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        self._engine = engine
        self._publisher = publisher

    def limit_groups(self) -> list[str]:
        """The groups that have something to release or to look after; all that a tick asks while nothing is due."""
        with self._engine.begin() as connection:
            return rows.limit_groups(connection)

    def run_all(self) -> None:
        """One pass over every group; one that fails holds up no other."""
        for limit_group in self.limit_groups():
            try:
                self.run(limit_group)
            except Exception as error:
                # Whatever it is, it is this group's; the next tick comes within a second.
                if passes(error):
                    log.warning("feed_failed limit_group=%s cause=%s", limit_group, type(error).__name__)
                else:
                    log.exception("feed_failed limit_group=%s", limit_group)

    def run(self, limit_group: str) -> FeedResult:
        """One pass over one credential's campaigns."""
        try:
            with self._engine.begin() as connection:
                rows.lock_accounts(connection, limit_group)
                take_slots(connection, limit_group)
                account = rows.account_room(connection, limit_group, starved_after=STARVED_AFTER)
                held_by = _held_by(account)
                released = {} if held_by or account is None else _release(connection, limit_group, account)
                canary = rows.campaign_rooms(connection, limit_group)[:1] if held_by == "no_worker" else []
        except OperationalError as error:
            if is_lock_timeout(error):  # and a tick comes every second
                return FeedResult(0, held_by="another_feeder")
            raise
        fast = account is not None and account.calls_per_second > ONE_EACH_UP_TO
        self._publish(released, fast=fast)
        self._probe(canary)
        if account is not None and account.queued and held_by is None:
            self._repeat_lost(limit_group, fast=fast)
        return FeedResult(sum(len(refs) for refs in released.values()), held_by)

    def _publish(self, released: dict[int, list[CallRef]], *, fast: bool) -> None:
        """Tell the workers. A message that is lost here costs one lease, no call."""
        count = sum(len(refs) for refs in released.values())
        size = GROUP_SIZE if fast or count > ONE_EACH_UP_TO else 1  # a fast account is fed in small sips, all day
        try:
            for campaign_id, refs in released.items():
                for group in _groups(refs, size):
                    self._publisher.dispatch(group, campaign_id=campaign_id)
        except PublishError as error:
            log.warning("publish_failed cause=%s", error)

    def _repeat_lost(self, limit_group: str, *, fast: bool) -> None:
        """Send again, under the same epoch, what was released seconds ago, is unclaimed, and is in no queue.

        Redis lost it. Without this, calls that nobody will claim would fill the account's room until their lease ends.
        If a worker has the message after all, the claim makes it one dial.
        """
        try:
            if self._publisher.backlog() > 0:
                return
        except PublishError as error:
            log.warning("backlog_unknown cause=%s", error)
            return
        with self._engine.begin() as connection:
            lost = rows.unclaimed(connection, limit_group, lease_left=QUEUED_LEASE - LOST_AFTER)
        if lost:
            log.warning("messages_lost calls=%d", len(lost))
        by_campaign: dict[int, list[CallRef]] = {}
        for call in lost:
            by_campaign.setdefault(call.campaign_id, []).append(CallRef(call.call_id, call.epoch))
        self._publish(by_campaign, fast=fast)

    def _probe(self, campaigns: Iterable[rows.CampaignRoom]) -> None:
        """While no worker takes messages, keep one empty message in the queue: taking it proves a worker is back."""
        try:
            for campaign in campaigns:
                if self._publisher.backlog() < MOST_PROBES:
                    self._publisher.dispatch([], campaign_id=campaign.id)
        except PublishError as error:
            log.warning("probe_failed cause=%s", error)


def _held_by(account: rows.AccountRoom | None) -> str | None:
    if account is None:
        return "no_account"
    return account.held_by or ("no_worker" if account.starved else None)


def _release(connection: Connection, limit_group: str, account: rows.AccountRoom) -> dict[int, list[CallRef]]:
    room = min(
        account.concurrency - account.live - account.queued,
        math.ceil(account.calls_per_second * RELEASE_HORIZON) - account.queued,
    )
    if room <= 0:
        return {}
    campaigns = rows.campaign_rooms(connection, limit_group)
    for campaign in campaigns:
        if campaign.budget_notes > FOLDED_FROM:
            rows.fold_budget_use(connection, campaign.id)
    free = _soon_free(connection, limit_group, account, campaigns)
    due = {
        campaign.id: _due(connection, campaign, most=min(room, _own_room(campaign)))
        for campaign in campaigns
        if campaign.id in free
    }
    if not any(due.values()):
        return {}
    lines = LineChoice(connection, campaigns)
    ready = {campaign.id: lines.give(campaign, due[campaign.id]) for campaign in campaigns if campaign.id in free}
    _end_nowhere(connection, lines.nowhere)
    demands = [
        Demand(
            campaign.id, campaign.priority, campaign.weight, len(ready[campaign.id]), campaign.live + campaign.queued
        )
        for campaign in campaigns
        if campaign.id in free
    ]
    released = {
        campaign_id: refs
        for campaign_id, count in share(room, demands).items()
        if (refs := _queue(connection, ready[campaign_id][:count]))
    }
    if released:
        rows.note_release(connection, limit_group)
    return released


def _soon_free(
    connection: Connection, limit_group: str, account: rows.AccountRoom, campaigns: Sequence[rows.CampaignRoom]
) -> set[int]:
    """Campaigns whose next dial instant lies within the horizon: releasing sooner would only park worker threads."""
    spacings = {
        campaign.id: scope_spacings(
            limit_group=limit_group,
            account_cps=account.calls_per_second,
            campaign_id=campaign.id,
            campaign_cps=campaign.calls_per_second,
        )
        for campaign in campaigns
    }
    together = {scope: wait for each in spacings.values() for scope, wait in each.items()}
    if not together:
        return set()
    wait = waits(connection, together)
    return {
        campaign_id
        for campaign_id, scopes in spacings.items()
        if all(wait[scope] <= RELEASE_HORIZON for scope in scopes)
    }


def _due(connection: Connection, campaign: rows.CampaignRoom, *, most: int) -> list[rows.DueCall]:
    if most <= 0:
        return []
    return rows.due_calls(connection, campaign_id=campaign.id, campaign_at=campaign.campaign_at, most=most)


def _own_room(campaign: rows.CampaignRoom) -> int:
    """What the campaign's own limits leave: concurrency, pace, budget."""
    limits = [math.inf]
    if campaign.concurrency is not None:
        limits.append(campaign.concurrency - campaign.live - campaign.queued)
    if campaign.calls_per_second is not None:
        limits.append(math.ceil(campaign.calls_per_second * RELEASE_HORIZON) - campaign.queued)
    if campaign.budget_left is not None:
        limits.append(campaign.budget_left - campaign.queued)
    tightest = min(limits)
    return 1_000_000 if tightest == math.inf else int(tightest)


def _queue(connection: Connection, calls: Sequence[tuple[rows.DueCall, str]]) -> list[CallRef]:
    moves = [
        Move(
            call.call_id,
            CallState.SCHEDULED,
            CallState.QUEUED,
            call.epoch,
            lease_seconds=QUEUED_LEASE.total_seconds(),
            line=line,
        )
        for call, line in calls
    ]
    epochs = apply_moves(connection, moves)
    return [CallRef(move.call_id, epochs[move.call_id]) for move in moves if move.call_id in epochs]


def _end_nowhere(connection: Connection, calls: Sequence[rows.DueCall]) -> None:
    """Waiting would not help these, and they would stand in the way of all that come after them."""
    ends = [
        Move(call.call_id, CallState.SCHEDULED, CallState.FAILED, call.epoch, reason="no_line_for_country")
        for call in calls
    ]
    apply_moves(connection, ends)


def _groups(refs: Sequence[CallRef], size: int) -> Iterator[Sequence[CallRef]]:
    for start in range(0, len(refs), size):
        yield refs[start : start + size]
