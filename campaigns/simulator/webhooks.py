"""Delivers webhooks: some late, twice, in the wrong order or never, as the configuration asks."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.draws import Draws
from campaigns.simulator.ledger import Ledger

Log = Callable[[str, Mapping[str, Any]], None]

DEFAULT_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call reports to, and how often a failed delivery is repeated."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    max_retries: int = 0
    """The provider's default: none."""
    base_delay: float = 0.0
    exponential: bool = False
    never_again: frozenset[int | None] = frozenset()
    """Statuses after which it is not repeated; None: after no answer at all."""
    sign: Callable[[bytes], Mapping[str, str]] | None = None
    """Body as it leaves → further headers, made anew for each try, since they hold the time."""

    def delay(self, failures: int) -> float:
        """Seconds until the next try. Real ones: they must outlast a restart of the receiver."""
        return self.base_delay * 2 ** (failures - 1) if self.exponential else self.base_delay


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way."""

    target: Target
    call_id: str
    kind: str
    body: Callable[[], Mapping[str, Any]]
    """Built when it is sent: a waiting event costs no memory for its body."""
    draws: Draws
    after: float = 0.0
    """Real seconds from now until the event happens."""
    failures: int = 0


class WebhookSender:
    """A queue with a bounded number of deliveries under way, on one shared HTTP session."""

    def __init__(self, *, config: Callable[[], SimulatorConfig], ledger: Ledger, log: Log) -> None:
        self._config = config
        self._ledger = ledger
        self._log = log
        self._ready: deque[Delivery] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._held_back = 0

    @property
    def waiting(self) -> int:
        """Events not yet delivered, given up or lost."""
        return len(self._ready) + len(self._under_way) + self._held_back

    def send(self, delivery: Delivery) -> None:
        """Take an event. Whether it is lost, doubled or held back is drawn by call and event."""
        webhooks = self._config().webhooks
        happens = delivery.draws.happens
        if not webhooks.enabled:
            return
        if happens(f"lost {delivery.kind}", rate=webhooks.lost):
            self._count(delivery, "lost")
            return
        delay = delivery.after + delivery.draws.seconds(f"delay {delivery.kind}", span=webhooks.delay)
        if happens(f"reordered {delivery.kind}", rate=webhooks.reordered):
            self._ledger.webhooks["reordered"] += 1
            delay += webhooks.reorder_seconds
        self._later(delivery, delay=delay)
        if happens(f"duplicated {delivery.kind}", rate=webhooks.duplicated):
            self._ledger.webhooks["duplicated"] += 1
            self._later(delivery, delay=delay)

    async def aclose(self) -> None:
        """Drop what is left."""
        self._ready.clear()
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _later(self, delivery: Delivery, *, delay: float) -> None:
        if delay <= 0:
            self._enqueue(delivery)
            return
        self._held_back += 1
        asyncio.get_running_loop().call_later(delay, self._release, delivery)

    def _release(self, delivery: Delivery) -> None:
        self._held_back -= 1
        self._enqueue(delivery)

    def _enqueue(self, delivery: Delivery) -> None:
        if len(self._ready) >= self._config().webhooks.queue_limit:
            self._count(delivery, "dropped")
            return
        self._ready.append(delivery)
        self._start_more()

    def _start_more(self) -> None:
        while self._ready and len(self._under_way) < self._config().webhooks.concurrency:
            task = asyncio.get_running_loop().create_task(self._deliver(self._ready.popleft()))
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        self._start_more()

    async def _deliver(self, delivery: Delivery) -> None:
        status = await self._post(delivery)
        if status is not None and 200 <= status < 300:
            self._count(delivery, "delivered", status=status)
        elif delivery.failures < delivery.target.max_retries and status not in delivery.target.never_again:
            self._count(delivery, "failed", status=status)
            self._retry(delivery)
        else:
            self._count(delivery, "given_up", status=status)

    def _retry(self, delivery: Delivery) -> None:
        again = replace(delivery, failures=delivery.failures + 1)
        self._later(again, delay=delivery.target.delay(again.failures))

    async def _post(self, delivery: Delivery) -> int | None:
        """The status, or None when there was no answer."""
        answer = await self.ask(delivery.target, delivery.body())
        return None if answer is None else answer[0]

    async def ask(self, target: Target, body: Mapping[str, Any]) -> tuple[int, bytes] | None:
        """Post at once, and wait for what the receiver says: status and body. None: there was no answer."""
        timeout = aiohttp.ClientTimeout(total=target.timeout)
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **target.headers, **(target.sign(data) if target.sign else {})}
        try:
            async with self._open_session().post(target.url, data=data, headers=headers, timeout=timeout) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _count(self, delivery: Delivery, what: str, *, status: int | None = None) -> None:
        self._ledger.webhooks[what] += 1
        self._log("webhook", {"id": delivery.call_id, "kind": delivery.kind, "result": what, "status": status})
