"""The points of the way of a call, in the dispatch worker."""

import asyncio
import functools
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any

import aiohttp
from harness.faults import Fault
from harness.reaper import Reaper
from harness.wrapping import replace

from campaigns.providers import http
from campaigns.providers.connections import new_session
from campaigns.providers.contract import DialRequest, DialResult, Placed
from campaigns.providers.vapi.client import VapiProvider
from campaigns.services.claim import Claim, Claimed
from campaigns.services.record import Fact, Recorder

ON_THE_WIRE = 0.03
"""Seconds between the write to the socket and the death: long enough to arrive, shorter than the simulator takes."""

_sent: ContextVar[asyncio.Event | None] = ContextVar("sent", default=None)


def wrap(reaper: Reaper) -> None:
    """All five."""
    _wrap_claim(reaper)
    _wrap_dial(reaper)
    _wrap_session()
    _wrap_record(reaper)


def _wrap_claim(reaper: Reaper) -> None:
    """Before the claim begins, and after it has committed."""
    claim = Claim.run

    @functools.wraps(claim)
    def run(self: Claim, refs: Any, *, campaign_id: int, task_id: str) -> Claimed | None:
        if reaper.is_due(Fault.BEFORE_CLAIM, [campaign_id] if refs else []):
            reaper.kill()
        claimed = claim(self, refs, campaign_id=campaign_id, task_id=task_id)
        attempts = [call.attempt_id for call in claimed.calls] if claimed else []
        reaper.know(attempts, campaign_id=campaign_id)
        if attempts and reaper.is_due(Fault.AFTER_CLAIM, [campaign_id]):
            reaper.kill(attempts)
        return claimed

    replace(Claim, "run", run)


def _wrap_dial(reaper: Reaper) -> None:
    """While the request is under way, and after its answer was read."""
    dial = VapiProvider.dial

    @functools.wraps(dial)
    async def dial_and_perhaps_die(self: VapiProvider, request: DialRequest) -> DialResult:
        campaign_id = reaper.campaign_of(request.attempt_id)
        exchange: Awaitable[DialResult] = dial(self, request)
        if reaper.is_due(Fault.DURING_POST, [campaign_id]):
            exchange = await _die_once_sent(exchange, reaper, request)
        result = await exchange
        if isinstance(result, Placed) and reaper.is_due(Fault.AFTER_ACCEPT, [campaign_id]):
            reaper.kill([request.attempt_id])
        return result

    replace(VapiProvider, "dial", dial_and_perhaps_die)


async def _die_once_sent(
    exchange: Awaitable[DialResult], reaper: Reaper, request: DialRequest
) -> Awaitable[DialResult]:
    """Begin the exchange, and die when its bytes are with the kernel; who was only frozen goes on to wait for it."""
    sent = asyncio.Event()
    _sent.set(sent)
    task = asyncio.ensure_future(exchange)
    leaves = asyncio.ensure_future(sent.wait())
    await asyncio.wait([task, leaves], return_when=asyncio.FIRST_COMPLETED)
    if sent.is_set():
        await asyncio.wait([task], timeout=ON_THE_WIRE)
        reaper.kill([request.attempt_id])
    else:  # its permit lapsed first: this one never leaves
        leaves.cancel()
        reaper.miss()
    return task


def _wrap_session() -> None:
    """Have every HTTP session say when a request is written."""

    @functools.wraps(new_session)
    def telling_session(**options: Any) -> aiohttp.ClientSession:
        session = new_session(**options)
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(_note_sent)
        trace.freeze()
        session.trace_configs.append(trace)
        return session

    replace(http, "new_session", telling_session)


async def _note_sent(*_: object) -> None:
    if (sent := _sent.get()) is not None:
        sent.set()


def _wrap_record(reaper: Reaper) -> None:
    """Inside the transaction: everything is written, nothing is committed."""
    apply = Recorder.apply

    @functools.wraps(apply)
    def apply_and_perhaps_die(self: Recorder, connection: Any, facts: list[Fact]) -> Any:
        recorded = apply(self, connection, facts)
        attempts = [fact.attempt_id for fact in facts if isinstance(fact.what, Placed)]
        if reaper.is_due(Fault.DURING_RECORD, {reaper.campaign_of(attempt) for attempt in attempts}):
            reaper.kill(attempts)
        return recorded

    replace(Recorder, "apply", apply_and_perhaps_die)
