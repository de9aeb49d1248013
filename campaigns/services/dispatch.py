"""Dispatch: take a group of released calls through claim, pace and dial.

    take turns (one statement) → claim (one transaction) → send each at its turn

A call waits unclaimed until turns are near, so that its permit is always young; turns of calls that the gate refused
go back to the others. Whatever comes back is handed to the result writer. A worker's thread does not wait for it: what
is under way is bounded by itself, and awaited when the process ends.
"""

import asyncio
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from campaigns.providers.contract import (
    DialRequest,
    DialResult,
    NotDialed,
    NotDialedKind,
    VoiceProvider,
    WebhookTarget,
)
from campaigns.services.claim import Claim, Claimed, ClaimedCall
from campaigns.services.latecomers import Latecomers
from campaigns.services.machine_clock import MachinePermit, Monotonic, monotonic
from campaigns.services.pace import Pace, Reserved, Turn, scope_spacings
from campaigns.services.paced_permit import PacedPermit
from campaigns.services.passing import passes
from campaigns.services.ports import CallRef
from campaigns.services.record import Fact
from campaigns.services.results import ResultWriter
from campaigns.services.under_way import UnderWay
from campaigns.services.webhook_target import target_of
from campaigns.store.claims import CampaignFacts, campaign_facts
from campaigns.store.feed import PROOF_INTERVAL, note_consumption

log = logging.getLogger(__name__)

CLAIM_SIZE = 50
"""Most calls a claim: what a crash may leave unknown beside those under way, and 90 % of the throughput of 200."""
CLAIMS_AT_ONCE = 1
"""In a process. Judging is Python, and one at a time can run: a second claim would only hold up the first one, and the
loop that sends, so that more dials miss their turn (2 at once: 20 % fewer dials a second, 30 % more work for each)."""
CLAIM_TRIES = 3
"""A deadlock or a busy lock before anything was sent is simply tried again; then the lease brings the calls back."""
MOST_WAIT = 1.0
"""Seconds a worker thread may wait for a dial's turn. Feed looks as far ahead, so longer waits are rare."""
LONGEST_LEAD = 0.3
"""Seconds a group's first turn may lie ahead of its claim: beyond that a permit's second would not do."""
CLAIMS_REMEMBERED = 8
"""Of how many claims the usual duration is taken, the latest counting most."""
MOST_UNSENT = 50
"""Claimed calls of a process whose request has not left, before it claims more: one claim is sent while the next one is
made. A process that claims faster than it can send would see permits lapse, claim the same calls again, and send still
less; and a crash would leave as many fates more unknown."""
MOST_UNANSWERED = 600
"""Claimed calls of a process without an answer, before it claims more. At a provider that takes 0.3 s to answer that
is 2,000 a second, more than a process can send; at one that hangs, it is what a kill would leave unknown."""
PACE_RETRY = 0.2
"""Seconds until turns are asked for again after the database did not give any: a lock that is held, a fail-over."""
LOOK_LASTS = 1.0
"""Seconds for which account and pace of a campaign are remembered between messages."""
UNJUDGED_WAIT = timedelta(minutes=10)
"""Until a call is tried again whose facts the gate could not read: time for an engineer to see the log."""
CONSUMPTION_INTERVAL = PROOF_INTERVAL.total_seconds()
"""Seconds between proofs of life to the feed; it looks for one in ten seconds."""

NOTHING_LEFT = frozenset({NotDialedKind.PERMIT_LAPSED, NotDialedKind.NO_CONNECTION})
"""Not dialed for want of a request; all others are what the provider answered to one."""

RunAsync = Callable[[Coroutine[Any, Any, Any]], Future[Any]]
"""Submits to the process's one event loop, where the warmed clients live."""


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """How a group went: calls dialed, refused by the gate, sent back without a decision."""

    dialed: int = 0
    refused: int = 0
    returned: int = 0


class Dispatch:
    """Dial groups of released calls."""

    def __init__(
        self,
        engine: Engine,
        claim: Claim,
        pace: Pace,
        providers: Mapping[str, VoiceProvider],
        results: ResultWriter,
        *,
        simulators: frozenset[str],
        run_async: RunAsync,
        public_url: str | None,
        clock: Monotonic = monotonic,
    ) -> None:
        self._engine = engine
        self._claim = claim
        self._pace = pace
        self._providers = providers
        # Accounts that this process's own settings point at a simulator. The gate asks the database; if the two differ,
        # real people could be dialed by the rules of a rehearsal.
        self._simulators = simulators
        self._results = results
        self._run_async = run_async
        self._public_url = public_url
        self._clock = clock
        self._stopping = threading.Event()
        self._consumed: dict[str, float] = {}
        self._looks: dict[int, tuple[float, CampaignFacts]] = {}
        self._late = Latecomers(pace)
        self._under_way = UnderWay(most_unsent=MOST_UNSENT, most_unanswered=MOST_UNANSWERED)
        self._groups = set[Future[list[Future[None]]]]()  # the event loop itself holds its tasks weakly
        self._claim_takes = LONGEST_LEAD / 3
        self._turnstile = threading.Semaphore(CLAIMS_AT_ONCE)

    def stop(self) -> None:
        """Claim nothing more; what is claimed is still sent and recorded."""
        self._stopping.set()

    def drain(self) -> None:
        """Wait until nothing is under way any more; every request has its time-out. Call `stop` first."""
        with self._turnstile:
            pass  # what a claim brings that is being made now is under way once it is over; none begins after it
        self._under_way.wait_for_none()

    def run(self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str) -> DispatchResult:
        """Dial these calls of one campaign, and return when all that came of it is on record."""
        total, groups = self._begin(refs, campaign_id=campaign_id, task_id=task_id)
        for group in groups:
            for written in group.result():
                written.result()
        return total

    def begin(self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str) -> DispatchResult:
        """Claim these calls of one campaign and put them on their way. A repeated or stale message claims nothing."""
        return self._begin(refs, campaign_id=campaign_id, task_id=task_id)[0]

    def _begin(
        self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str
    ) -> tuple[DispatchResult, list[Future[list[Future[None]]]]]:
        campaign = self._look(campaign_id)
        if campaign is None:
            log.error("dispatch_unknown_campaign campaign_id=%s", campaign_id)
            return DispatchResult(), []
        if not self._knows(campaign):
            # Nothing is claimed: the lease brings the calls to a worker whose settings know the account.
            log.error("dispatch_unknown_account campaign_id=%s account=%s", campaign_id, campaign.account)
            return DispatchResult(), []
        self._prove_consumption(campaign.limit_group)
        total, groups = DispatchResult(), list[Future[list[Future[None]]]]()
        spacings, left = spacings_of(campaign), list(refs)
        while left and not self._stopping.is_set():
            with self._turnstile:
                # Looked for here and not before: threads that queue up would all find the same room.
                if self._stopping.is_set() or not self._under_way.wait_for_room(MOST_WAIT):
                    continue
                reserved = self._reserve(spacings, most=min(len(left), CLAIM_SIZE))
                turns = deque(reserved.turns)
                now, left = left[: len(turns)], left[len(turns) :]
                for claimed in self._claims(now, campaign_id=campaign_id, task_id=task_id):
                    total = _plus(total, claimed)
                    spacings = spacings_of(claimed.campaign)
                    groups += self._start(claimed, turns, spacings)
                self._pace.give_back(spacings, turns)
            if reserved.wait > MOST_WAIT:
                # A thread that slept so long would be missing elsewhere; the calls come back when their turn is near.
                self._put_off(left, campaign_id=campaign_id, wait=timedelta(seconds=reserved.wait), why="pace")
                break
            self._stopping.wait(reserved.wait)
        if left and self._stopping.is_set():
            self._put_off(left, campaign_id=campaign_id, wait=timedelta(0), why="worker_stops")
        return total, groups

    def _reserve(self, spacings: Mapping[str, float], *, most: int) -> Reserved:
        """Take turns; with the database busy or away there are none for a moment, and the calls stay as they are."""
        try:
            return self._pace.reserve(spacings, most=most, lead=self._lead())
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("no_turns calls=%d cause=%s", most, type(error).__name__)
            return Reserved((), PACE_RETRY)

    def _put_off(self, refs: Sequence[CallRef], *, campaign_id: int, wait: timedelta, why: str) -> None:
        """Let unclaimed calls wait in the database; where that fails, their lease brings them back."""
        try:
            self._claim.give_back(refs, campaign_id=campaign_id, wait=wait, why=why)
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("not_given_back calls=%d cause=%s", len(refs), type(error).__name__)

    def _knows(self, campaign: CampaignFacts) -> bool:
        """Whether this process would dial the account that the database means: same name, same kind."""
        return campaign.account in self._providers and campaign.simulator == (campaign.account in self._simulators)

    def _look(self, campaign_id: int) -> CampaignFacts | None:
        """Which account and pace, as read within the last second; whether it may dial at all the claim reads afresh."""
        now = self._clock()
        read_at, known = self._looks.get(campaign_id, (-math.inf, None))
        if known is not None and now - read_at < LOOK_LASTS:
            return known
        with self._engine.begin() as connection:
            found = campaign_facts(connection, campaign_id)
        if found is not None:
            self._looks[campaign_id] = (now, found)
        return found

    def _lead(self) -> float:
        """Seconds from now until the first turn of a group that is claimed now, going by how long claims took."""
        return min(LONGEST_LEAD, 1.5 * self._claim_takes)

    def _prove_consumption(self, limit_group: str) -> None:
        now = self._clock()
        if now - self._consumed.get(limit_group, -CONSUMPTION_INTERVAL) >= CONSUMPTION_INTERVAL:
            self._consumed[limit_group] = now
            with self._engine.begin() as connection:
                note_consumption(connection, limit_group)

    def _claims(self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str) -> Iterator[Claimed]:
        """Claim; on a lock or a lost connection again, for it was rolled back whole: nothing claimed, nothing sent.

        One call that cannot be judged must not hold up its group: then each is claimed by itself, and that one waits.
        Nothing is dialed that could not be judged.
        """
        for attempt in range(1, CLAIM_TRIES + 1) if refs else ():
            began = self._clock()
            try:
                claimed = self._claim.run(refs, campaign_id=campaign_id, task_id=task_id)
            except Exception as error:
                if passes(error):
                    log.warning("claim_repeated try=%d cause=%s", attempt, type(error).__name__)
                    continue
                if len(refs) > 1:
                    for ref in refs:  # each is sent before the next is judged: their permits are short
                        yield from self._claims([ref], campaign_id=campaign_id, task_id=task_id)
                    return
                log.exception("call_not_judged call_id=%s", refs[0].call_id)
                self._put_off(refs, campaign_id=campaign_id, wait=UNJUDGED_WAIT, why="not_judged")
                return
            self._claim_takes += (self._clock() - began - self._claim_takes) / CLAIMS_REMEMBERED
            if claimed is not None:
                yield claimed
            return

    def _start(
        self, claimed: Claimed, turns: deque[Turn], spacings: Mapping[str, float]
    ) -> list[Future[list[Future[None]]]]:
        """Give each call a turn that is still to come and put the group on the loop; returns at once."""
        if not claimed.calls:
            return []
        # None has a turn: claimed, and surely nothing sent; said so, rather than leave fates to be reconciled.
        given: Sequence[Turn | None] = [None] * len(claimed.calls)
        if self._knows(claimed.campaign):
            given = self._turns_for(claimed.calls, turns, spacings)
        self._under_way.add(len(claimed.calls))
        group = self._run_async(self._send_group(claimed, given, spacings))
        self._groups.add(group)
        group.add_done_callback(self._groups.discard)
        return [group]

    def _turns_for(
        self, calls: Sequence[ClaimedCall], turns: deque[Turn], spacings: Mapping[str, float]
    ) -> list[Turn | None]:
        """A turn that is still to come for each call, and None for those whose permits are too short for one."""
        now, missed = self._clock(), list[Turn]()
        # A turn under a key that was changed meanwhile could come beside those of the new one.
        while turns and (turns[0].until < now or not turns[0].is_of(spacings)):
            missed.append(turns.popleft())
        given = [turns.popleft() for _ in range(min(len(calls), len(turns)))]
        if missing := calls[len(given) :]:
            try:
                until = max(call.permit.lapses_at for call in missing)
                given += self._pace.take(spacings, len(missing), until=until, missed=missed)
            except SQLAlchemyError as error:
                log.warning("pace_failed calls=%d cause=%s", len(missing), type(error).__name__)
        return [*given, *[None] * (len(calls) - len(given))]

    async def _send_group(
        self, claimed: Claimed, turns: Sequence[Turn | None], spacings: Mapping[str, float]
    ) -> list[Future[None]]:
        """Send every call at its turn; returns the writes to wait for. One that breaks off is raised after the rest."""
        sent = await asyncio.gather(
            *(
                self._send(call, self._paced(call.permit, turn, spacings), claimed=claimed)
                for call, turn in zip(claimed.calls, turns, strict=True)
            ),
            return_exceptions=True,
        )
        written = list[Future[None]]()
        for each in sent:
            if isinstance(each, BaseException):
                raise each
            written.append(each)
        return written

    def _paced(self, permit: MachinePermit, turn: Turn | None, spacings: Mapping[str, float]) -> PacedPermit:
        return PacedPermit(permit, turn, self._late, spacings, on_leave=self._under_way.leave)

    async def _send(self, call: ClaimedCall, permit: PacedPermit, *, claimed: Claimed) -> Future[None]:
        try:
            result = await self._dial(call, permit, claimed)
            return self._results.put(Fact(call.attempt_id, result, requested_at(permit, result, claimed)))
        except Exception:
            # If it had left, its attempt is in the books, and rescue looks for it.
            log.exception("dial_broke_off attempt_id=%s", call.attempt_id)
            raise
        finally:
            permit.leave()
            self._under_way.answered()

    async def _dial(self, call: ClaimedCall, permit: PacedPermit, claimed: Claimed) -> DialResult:
        if await permit.is_near():
            return await self._providers[claimed.campaign.account].dial(self._request(call, permit, claimed))
        return NotDialed(NotDialedKind.PERMIT_LAPSED, "the permit's second was over before its turn came")

    def _request(self, call: ClaimedCall, permit: PacedPermit, claimed: Claimed) -> DialRequest:
        provider = self._providers[claimed.campaign.account]
        return request_of(call, permit, claimed, webhook=webhook_of(claimed.campaign, provider, self._public_url))


def request_of(
    call: ClaimedCall, permit: PacedPermit, claimed: Claimed, *, webhook: WebhookTarget | None
) -> DialRequest:
    """What the provider is told of a claimed call."""
    voicemail = claimed.definitions[call.call.run_id].voicemail
    return DialRequest(
        attempt_id=call.attempt_id,
        number=call.call.number,
        line=call.call.line,
        assistant=call.assistant,
        customer_name=call.call.name,
        external_id=call.call.external_id,
        voicemail_action=voicemail.action if voicemail else "none",
        webhook=webhook,
        permit=permit,
        voicemail_message=voicemail.message if voicemail else None,
    )


def requested_at(permit: PacedPermit, result: DialResult, claimed: Claimed) -> datetime | None:
    """When the request left, by the database's clock; None: nothing did, although its turn may have come."""
    if permit.left_at is None or (isinstance(result, NotDialed) and result.kind in NOTHING_LEFT):
        return None
    return claimed.campaign.read_at + timedelta(seconds=permit.left_at - claimed.started_at)


def webhook_of(campaign: CampaignFacts, provider: VoiceProvider, public_url: str | None) -> WebhookTarget | None:
    """Where the provider reports to; None: outcomes come by polling."""
    if public_url is None or not campaign.webhooks:
        return None
    return target_of(campaign, public_url=public_url, token_in_url=not provider.capabilities.webhook_headers)


def _plus(total: DispatchResult, claimed: Claimed) -> DispatchResult:
    return DispatchResult(
        dialed=total.dialed + len(claimed.calls),
        refused=total.refused + claimed.refused,
        returned=total.returned + claimed.returned,
    )


def spacings_of(campaign: CampaignFacts) -> dict[str, float]:
    return scope_spacings(
        limit_group=campaign.limit_group,
        account_cps=campaign.account_cps,
        campaign_id=campaign.campaign_id,
        campaign_cps=campaign.campaign_cps,
    )
