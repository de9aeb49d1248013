"""Hand calls over to a provider that dials them by itself, later: `calls create --at`.

    lock the account → count slots at that time → release to this process → claim (the gate judges the whole span)
    → take instants → one request → record what it proves of each

Kept apart from feed and dispatch, because it weakens what they promise: nobody asks our gate when the phone rings. What
can be kept is kept: each call has its attempt before the request, its number is locked from then on, its slot is free
when its time comes, and whoever revokes, pauses, cancels or stops has it cancelled at the provider.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from campaigns.calls.line_limits import LineLimits, LineSpans
from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.calls.states import CallState
from campaigns.providers.contract import DialRequest, DialResult, NotDialed, NotDialedKind, VoiceProvider
from campaigns.providers.scheduling import MOST_AT_ONCE, ProviderSpan, SchedulingProvider
from campaigns.services.claim import Claim, Claimed, ClaimedCall
from campaigns.services.dispatch import (
    LONGEST_LEAD,
    RunAsync,
    request_of,
    requested_at,
    spacings_of,
    webhook_of,
)
from campaigns.services.feed import QUEUED_LEASE, STARVED_AFTER
from campaigns.services.latecomers import Latecomers
from campaigns.services.pace import Pace, Turn
from campaigns.services.paced_permit import PacedPermit
from campaigns.services.passing import is_lock_timeout
from campaigns.services.ports import CallRef, Publisher
from campaigns.services.record import Fact, Recorder
from campaigns.store import feed as feed_rows
from campaigns.store import handed_over as rows
from campaigns.store.claims import CampaignFacts, campaign_facts
from campaigns.store.line_use import line_use, lock_lines
from campaigns.store.moves import Move, apply_moves

log = logging.getLogger(__name__)

MOST_WAIT = 1.0
"""Seconds that a pass waits for a turn: the next pass comes after about as many, and would miss it just the same."""
TASK_ID = "handed-over"
"""What `attempts.task_id` shows: no task of a worker dials this call."""

SHORTEST_LEAD = timedelta(seconds=5)
"""A span that has begun when the request arrives may be refused: whether Vapi takes past times is not documented."""


@dataclass(frozen=True, slots=True)
class _Share:
    """What one request carries: claimed calls with one span."""

    requests: Sequence[DialRequest]
    permit: PacedPermit
    span: ProviderSpan


class ProviderSchedule:
    """One pass hands over what has room; two passes at once share the work under the account's lock."""

    def __init__(
        self,
        engine: Engine,
        claim: Claim,
        pace: Pace,
        providers: Mapping[str, VoiceProvider],
        recorder: Recorder,
        publisher: Publisher,
        *,
        simulators: frozenset[str],
        run_async: RunAsync,
        public_url: str | None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`pause` waits so many seconds, for a turn."""
        self._engine = engine
        self._claim = claim
        self._pace = pace
        self._pause = pause
        self._late = Latecomers(pace)
        self._providers = providers
        self._recorder = recorder
        self._publisher = publisher
        self._simulators = simulators
        self._run_async = run_async
        self._public_url = public_url

    def run(self) -> int:
        """Hand over; returns how many calls were claimed for it. A run that fails holds up no other."""
        with self._engine.begin() as connection:
            waiting = rows.waiting_runs(connection)
        claimed = 0
        for run in waiting:
            try:
                claimed += self._hand_over(run)
            except Exception:
                # What was claimed keeps its attempt: rescue finds it silent, and nobody is dialed a second time.
                log.exception("hand_over_failed run_id=%s", run.run_id)
        return claimed

    def _hand_over(self, run: rows.WaitingRun) -> int:
        provider, campaign = self._providers.get(run.account), self._look(run.campaign_id)
        if campaign is None or not isinstance(provider, SchedulingProvider) or not self._knows(campaign):
            log.error("hand_over_unknown_account run_id=%s account=%s", run.run_id, run.account)
            return 0
        spacings = spacings_of(campaign)
        span = span_of(run, calls_per_second=campaign.account_cps)
        if span is None:
            return 0
        turns = self._turns(spacings)
        refs = self._release(run, span, most=len(turns)) if turns else []
        claimed = self._claim.run(refs, campaign_id=run.campaign_id, task_id=TASK_ID, span=span) if refs else None
        spare = len(turns) - (len(claimed.calls) if claimed else 0)
        self._pace.give_back(spacings, turns[:spare])
        if claimed is None or not claimed.calls:
            return 0
        shares = self._shares(claimed, turns[spare:], spacings, span=span, provider=provider)
        asked = [(share, self._run_async(_sent(provider, share))) for share in shares]
        facts = [fact for share, answers in asked for fact in _facts(share, answers.result(), claimed)]
        for limit_group in self._recorder.run(facts).freed:
            self._publisher.request_feed(limit_group)
        return len(claimed.calls)

    def _turns(self, spacings: Mapping[str, float]) -> Sequence[Turn]:
        """Turns for the next calls; none: their time is too far off.

        They are asked for with the longest lead that any dial has. Where campaigns keep the account at its limit, each
        turn is taken as soon as it comes within reach, and a pass that only looks once a second would get none.
        """
        reserved = self._pace.reserve(spacings, most=MOST_AT_ONCE, lead=LONGEST_LEAD)
        if 0 < reserved.wait <= MOST_WAIT:
            self._pause(reserved.wait)
            reserved = self._pace.reserve(spacings, most=MOST_AT_ONCE, lead=LONGEST_LEAD)
        return reserved.turns

    def _look(self, campaign_id: int) -> CampaignFacts | None:
        with self._engine.begin() as connection:
            return campaign_facts(connection, campaign_id)

    def _knows(self, campaign: CampaignFacts) -> bool:
        """Whether this process would reach the account that the database means, as `Dispatch` asks too."""
        return campaign.simulator == (campaign.account in self._simulators)

    def _release(self, run: rows.WaitingRun, span: ProviderSpan, *, most: int) -> list[CallRef]:
        """Calls that are this process's to claim, as many as have a slot at their time."""
        try:
            with self._engine.begin() as connection:
                feed_rows.lock_accounts(connection, run.limit_group)
                return _released(connection, run, span, most=most)
        except OperationalError as error:
            if is_lock_timeout(error):
                return []
            raise

    def _shares(
        self,
        claimed: Claimed,
        turns: Sequence[Turn],
        spacings: Mapping[str, float],
        *,
        span: ProviderSpan,
        provider: VoiceProvider,
    ) -> list[_Share]:
        """A request for each end of the span: windows close at different times in different places."""
        webhook = webhook_of(claimed.campaign, provider, self._public_url)
        by_end = defaultdict[ProviderSpan, list[tuple[ClaimedCall, Turn]]](list)
        for call, turn in zip(claimed.calls, turns, strict=True):
            by_end[ProviderSpan(span.due_from, call.due_until or span.due_until)].append((call, turn))
        shares = []
        for end, group in by_end.items():
            # All its customers' turns are spent: the batch costs as much of the pace as if each were dialed.
            permit = PacedPermit(group[0][0].permit, group[-1][1], self._late, spacings)
            requests = [request_of(call, permit, claimed, webhook=webhook) for call, _ in group]
            shares.append(_Share(requests, permit, end))
        return shares


def span_of(run: rows.WaitingRun, *, calls_per_second: float) -> ProviderSpan | None:
    """When the next calls of a run may be dialed; None: what was handed over before them fills the time.

    Each call's time begins one spacing after the one before it, so that the provider is not asked to dial them all at
    once. Whether it keeps that distance is its own affair.
    """
    due_from = max(run.provider_from + timedelta(seconds=run.made / calls_per_second), run.now_at + SHORTEST_LEAD)
    return ProviderSpan(due_from, run.provider_until) if due_from < run.provider_until else None


def _released(connection: Connection, run: rows.WaitingRun, span: ProviderSpan, *, most: int) -> list[CallRef]:
    account = feed_rows.account_room(connection, run.limit_group, starved_after=STARVED_AFTER)
    line, left_on_line = _line(connection, run, span)
    if account is None or account.held_by or line is None:
        return []
    free = account.concurrency - slots_in_use(connection, run.limit_group, span)
    calls = rows.waiting_calls(connection, run.run_id, most=max(0, min(most, free, left_on_line)))
    lease = QUEUED_LEASE.total_seconds()
    moves = [
        Move(call.call_id, CallState.SCHEDULED, CallState.QUEUED, call.epoch, lease_seconds=lease, line=line)
        for call in calls
    ]
    epochs = apply_moves(connection, moves)
    return [CallRef(move.call_id, epochs[move.call_id]) for move in moves if move.call_id in epochs]


def slots_in_use(connection: Connection, limit_group: str, span: ProviderSpan) -> int:
    """Slots of the account that may be taken while calls of this span ring or talk."""
    taken = rows.slots_taken(connection, limit_group, due_from=span.due_from, due_until=span.due_until)
    return taken + rows.being_handed_over(connection, limit_group)


def free_slots(engine: Engine, account: str, span: ProviderSpan) -> int:
    """How many calls more could be handed over for this span. A look only: the hand-over counts again, under lock."""
    with engine.begin() as connection:
        limits = rows.limits_of(connection, account)
        if limits is None:
            return 0
        return max(0, limits.concurrency - slots_in_use(connection, limits.limit_group, span))


def _line(connection: Connection, run: rows.WaitingRun, span: ProviderSpan) -> tuple[str | None, int]:
    """The line these calls go out on, and how many calls it has left at that time."""
    lines = rows.open_lines(connection, run.lines, at=span.due_from)
    limits = LineLimits(daily=run.line_daily_limit, hourly=run.line_hourly_limit)
    if not lines or not limits.any:
        return (lines[0] if lines else None), MOST_AT_ONCE
    lock_lines(connection, lines)
    spans = LineSpans.at(span.due_from, late=PERMIT_LIFETIME)
    used = line_use(connection, lines, day_from=spans.day_from, hour_from=spans.hour_from)
    line = min(lines, key=lambda each: used[each].day)
    return line, limits.left(day=used[line].day, hour=used[line].hour) or 0


def _facts(share: _Share, results: Mapping[UUID, DialResult], claimed: Claimed) -> list[Fact]:
    return [
        Fact(attempt_id, result, requested_at(share.permit, result, claimed)) for attempt_id, result in results.items()
    ]


async def _sent(provider: SchedulingProvider, share: _Share) -> Mapping[UUID, DialResult]:
    if await share.permit.is_near():
        return await provider.hand_over(share.requests, span=share.span)
    lapsed = NotDialed(NotDialedKind.PERMIT_LAPSED, "the permit's second was over before its turn came")
    return {request.attempt_id: lapsed for request in share.requests}
