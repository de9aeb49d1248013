"""A dispatch worker that dies where it is told: `python -m harness.victim -A workers.app worker …`.

It is the production worker, started by the production command line; only the four functions between which it may die
are wrapped, here and nowhere in the product. Without an order it behaves as any other.
"""

import asyncio
import functools
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
from celery.__main__ import main as celery_main
from harness.faults import Fault
from harness.orders import ORDERS_VARIABLE, Order, Orders

from campaigns.providers import http
from campaigns.providers.connections import new_session
from campaigns.providers.contract import DialRequest, DialResult, Placed
from campaigns.providers.vapi.client import VapiProvider
from campaigns.services.claim import Claim, Claimed
from campaigns.services.record import Fact, Recorder

ON_THE_WIRE = 0.03
"""Seconds between the write to the socket and the death: long enough to arrive, shorter than the simulator takes."""

_sent: ContextVar[asyncio.Event | None] = ContextVar("sent", default=None)


class Reaper:
    """Counts passages of the point named in the order, and kills this process at the right one."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._lock = threading.Lock()
        self._passages: Counter[Order] = Counter()
        self._campaigns: dict[UUID, int] = {}

    def know(self, attempts: Iterable[UUID], *, campaign_id: int) -> None:
        """Whose attempts these are: further down the way nobody says it any more."""
        with self._lock:
            self._campaigns.update(dict.fromkeys(attempts, campaign_id))

    def campaign_of(self, attempt_id: UUID) -> int | None:
        return self._campaigns.get(attempt_id)

    def is_due(self, point: Fault, campaigns: Iterable[int | None]) -> bool:
        """One passage; true if it is the one at which to die."""
        order = self._orders.standing()
        if order is None or order.point is not point or order.campaign_id not in campaigns:
            return False
        with self._lock:
            self._passages[order] += 1
            return self._passages[order] == order.passage

    def kill(self, attempts: Iterable[UUID] = ()) -> None:
        """As `kill -9` from outside: nothing is flushed, nobody is told."""
        order = self._orders.standing()
        self._orders.leave_last_words([str(attempt) for attempt in attempts])
        os.kill(os.getpid(), signal.SIGSTOP if order is not None and order.freeze else signal.SIGKILL)


def wrap_claim(reaper: Reaper) -> None:
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


def wrap_dial(reaper: Reaper) -> None:
    """While the request is under way, and after its answer was read."""
    dial = VapiProvider.dial

    @functools.wraps(dial)
    async def dial_and_perhaps_die(self: VapiProvider, request: DialRequest) -> DialResult:
        campaign_id = reaper.campaign_of(request.attempt_id)
        if reaper.is_due(Fault.DURING_POST, [campaign_id]):
            await die_once_sent(dial(self, request), lambda: reaper.kill([request.attempt_id]))
        result = await dial(self, request)
        if isinstance(result, Placed) and reaper.is_due(Fault.AFTER_ACCEPT, [campaign_id]):
            reaper.kill([request.attempt_id])
        return result

    replace(VapiProvider, "dial", dial_and_perhaps_die)


async def die_once_sent(exchange: Awaitable[DialResult], die: Callable[[], None]) -> None:
    """Begin the exchange, and die when its bytes are with the kernel."""
    sent = asyncio.Event()
    _sent.set(sent)
    task = asyncio.ensure_future(exchange)
    await sent.wait()
    await asyncio.wait([task], timeout=ON_THE_WIRE)
    die()


def wrap_session() -> None:
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


def wrap_record(reaper: Reaper) -> None:
    """Inside the transaction: everything is written, nothing is committed."""
    apply = Recorder.apply

    @functools.wraps(apply)
    def apply_and_perhaps_die(self: Recorder, connection: Any, facts: list[Fact]) -> Any:
        recorded = apply(self, connection, facts)
        attempts = [fact.attempt_id for fact in facts]
        if reaper.is_due(Fault.DURING_RECORD, {reaper.campaign_of(attempt) for attempt in attempts}):
            reaper.kill(attempts)
        return recorded

    replace(Recorder, "apply", apply_and_perhaps_die)


def replace(owner: object, name: str, value: object) -> None:
    """Put a wrapper in a function's place."""
    assert hasattr(owner, name), f"there is no {name} to wrap any more"
    setattr(owner, name, value)


def main() -> None:
    """Wrap, then be Celery."""
    reaper = Reaper(Orders(Path(os.environ[ORDERS_VARIABLE])))
    wrap_claim(reaper)
    wrap_dial(reaper)
    wrap_session()
    wrap_record(reaper)
    sys.argv[0] = "celery"
    celery_main()


if __name__ == "__main__":
    main()
