"""Dispatch: take a group of released calls through claim, pace and dial.

    wait until dials fit → claim (one transaction) → take instants (one statement) → send each at its instant

A call waits unclaimed, so that its permit is always young. Whatever comes back is handed to the result writer, and
the task ends only when all of it is committed.
"""

import asyncio
import logging
import math
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from campaigns.calls.pacing import JITTER
from campaigns.providers.contract import (
    DialRequest,
    NotDialed,
    NotDialedKind,
    VoiceProvider,
    WebhookTarget,
)
from campaigns.services.claim import Claim, Claimed, ClaimedCall
from campaigns.services.machine_clock import Monotonic, monotonic
from campaigns.services.pace import Pace, scope_spacings
from campaigns.services.ports import CallRef
from campaigns.services.record import Fact
from campaigns.services.results import ResultWriter
from campaigns.services.webhook_target import target_of
from campaigns.store.claims import CampaignFacts, campaign_facts
from campaigns.store.feed import note_consumption

log = logging.getLogger(__name__)

CLAIM_SIZE = 50
"""Most calls a claim: see `GROUP_SIZE` of the feed."""
CLAIM_TRIES = 3
"""A deadlock or a busy lock before anything was sent is simply tried again; then the lease brings the calls back."""
CONSUMPTION_INTERVAL = 1.0
"""Seconds between proofs of life to the feed; it looks for one in ten seconds."""

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
        run_async: RunAsync,
        public_url: str | None,
        clock: Monotonic = monotonic,
    ) -> None:
        self._engine = engine
        self._claim = claim
        self._pace = pace
        self._providers = providers
        self._results = results
        self._run_async = run_async
        self._public_url = public_url
        self._clock = clock
        self._stopping = threading.Event()
        self._consumed: dict[str, float] = {}
        # From the look at the pace to the taking of instants, one group of this process at a time: eight threads that
        # see the same free half second would claim it eight times over, and most of those permits would lapse.
        self._turn = threading.Lock()

    def stop(self) -> None:
        """Claim nothing more; what is claimed is still sent and recorded."""
        self._stopping.set()

    def run(self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str) -> DispatchResult:
        """Dial these calls of one campaign. A repeated or stale message claims nothing."""
        campaign = self._look(campaign_id)
        if campaign is None:
            log.error("dispatch_unknown_campaign campaign_id=%s", campaign_id)
            return DispatchResult()
        if campaign.account not in self._providers:
            # Nothing is claimed: the lease brings the calls to a worker whose settings know the account.
            log.error("dispatch_unknown_account campaign_id=%s account=%s", campaign_id, campaign.account)
            return DispatchResult()
        self._prove_consumption(campaign.limit_group)
        total, groups = DispatchResult(), list[Future[list[Future[None]]]]()
        spacings, left = _spacings(campaign), list(refs)
        while left and not self._stopping.is_set():
            with self._turn:
                room = self._pace.room(spacings, most=min(len(left), CLAIM_SIZE))
                now, left = left[: room.count], left[room.count :]
                claimed = self._claim_group(now, campaign_id=campaign_id, task_id=task_id) if now else None
                if claimed is not None:
                    total = _plus(total, claimed)
                    spacings = _spacings(claimed.campaign)
                if claimed is not None and claimed.calls:
                    groups.append(self._start(claimed, spacings))
            if room.count == 0:
                self._stopping.wait(room.wait)
        for group in groups:
            for written in group.result():
                written.result()
        return total

    def _look(self, campaign_id: int) -> CampaignFacts | None:
        with self._engine.begin() as connection:
            return campaign_facts(connection, campaign_id)

    def _prove_consumption(self, limit_group: str) -> None:
        now = self._clock()
        if now - self._consumed.get(limit_group, -CONSUMPTION_INTERVAL) >= CONSUMPTION_INTERVAL:
            self._consumed[limit_group] = now
            with self._engine.begin() as connection:
                note_consumption(connection, limit_group)

    def _claim_group(self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str) -> Claimed | None:
        for attempt in range(1, CLAIM_TRIES + 1):
            try:
                return self._claim.run(refs, campaign_id=campaign_id, task_id=task_id)
            except OperationalError as error:
                # Rolled back whole: nothing was claimed, nothing was sent.
                log.warning("claim_repeated try=%d cause=%s", attempt, type(error.orig).__name__)
        return None

    def _start(self, claimed: Claimed, spacings: Mapping[str, float]) -> Future[list[Future[None]]]:
        """Take the instants and put the group on the loop; returns at once."""
        try:
            instants = self._pace.take(spacings, len(claimed.calls))
        except SQLAlchemyError as error:
            # Claimed, and surely nothing sent: say so, rather than leave fates to be reconciled.
            log.warning("pace_failed calls=%d cause=%s", len(claimed.calls), type(error).__name__)
            instants = [math.inf] * len(claimed.calls)
        return self._run_async(self._send_group(claimed, instants, spacings))

    async def _send_group(
        self, claimed: Claimed, instants: Sequence[float], spacings: Mapping[str, float]
    ) -> list[Future[None]]:
        """Send every call at its instant; returns the writes to wait for."""
        return await asyncio.gather(
            *(
                self._send(call, instant, spacings, claimed=claimed)
                for call, instant in zip(claimed.calls, instants, strict=True)
            )
        )

    async def _send(
        self, call: ClaimedCall, instant: float, spacings: Mapping[str, float], *, claimed: Claimed
    ) -> Future[None]:
        missed = await self._await_instant(call, instant, spacings)
        if missed is not None:
            return self._results.put(Fact(call.attempt_id, missed))
        requested_at = claimed.campaign.read_at + timedelta(seconds=self._clock() - claimed.started_at)
        result = await self._providers[claimed.campaign.account].dial(self._request(call, claimed))
        return self._results.put(Fact(call.attempt_id, result, requested_at))

    async def _await_instant(
        self, call: ClaimedCall, instant: float, spacings: Mapping[str, float]
    ) -> NotDialed | None:
        """Wait for the call's instant; one that was missed is given up for a new one, as long as the permit lives."""
        while instant < call.permit.lapses_at:
            await asyncio.sleep(max(0.0, instant - self._clock()))
            if self._clock() - instant <= JITTER:
                return None
            try:
                (instant,) = await asyncio.to_thread(self._pace.take, spacings, 1)
            except SQLAlchemyError as error:
                log.warning("pace_failed calls=1 cause=%s", type(error).__name__)
                break
        return NotDialed(NotDialedKind.PERMIT_LAPSED, "the permit's second was over before its turn came")

    def _request(self, call: ClaimedCall, claimed: Claimed) -> DialRequest:
        voicemail = claimed.definitions[call.call.run_id].voicemail
        return DialRequest(
            attempt_id=call.attempt_id,
            number=call.call.number,
            line=call.call.line,
            assistant=call.assistant,
            customer_name=call.call.name,
            external_id=call.call.external_id,
            voicemail_action=voicemail.action if voicemail else "none",
            webhook=self._webhook(claimed.campaign),
            permit=call.permit,
        )

    def _webhook(self, campaign: CampaignFacts) -> WebhookTarget | None:
        if self._public_url is None or not campaign.webhooks:
            return None
        return target_of(campaign, public_url=self._public_url)


def _plus(total: DispatchResult, claimed: Claimed) -> DispatchResult:
    return DispatchResult(
        dialed=total.dialed + len(claimed.calls),
        refused=total.refused + claimed.refused,
        returned=total.returned + claimed.returned,
    )


def _spacings(campaign: CampaignFacts) -> dict[str, float]:
    return scope_spacings(
        limit_group=campaign.limit_group,
        account_cps=campaign.account_cps,
        campaign_id=campaign.campaign_id,
        campaign_cps=campaign.campaign_cps,
    )
