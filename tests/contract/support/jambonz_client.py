"""A client of the simulated jambonz, and a receiver of its webhooks."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.server import Simulator

ACCOUNT = "9351f46a-678c-43f5-b8a6-d4eb58d131af"
APPLICATION = "0e0681b0-d49f-4fb8-b973-b5a3c6758de1"
NUMBER = "+12125550123"
CALLS = f"/v1/Accounts/{ACCOUNT}/Calls"
RECENT = f"/v1/Accounts/{ACCOUNT}/RecentCalls"
GOOD: dict[str, Any] = {
    "application_sid": APPLICATION,
    "from": "+12125550000",
    "to": {"type": "phone", "number": NUMBER},
    "tag": {"attempt_id": "attempt-1"},
}
FROZEN = 0.001
"""So slow that a call stays where it is."""
QUICK = 100.0
"""A minute takes 0.6 s; its hour in `Calls` takes 36 s."""

Answer = tuple[int, Any]
Scene = Callable[["Client"], Awaitable[Any]]


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """The first true thing that `look` sees."""
    async with asyncio.timeout(10):
        while True:
            if seen := await look():
                return seen
            await asyncio.sleep(0.002)


class Client:
    """One user of the API; answers are (status, JSON or text)."""

    def __init__(self, http: aiohttp.ClientSession, simulator: Simulator) -> None:
        self.http = http
        self.simulator = simulator

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        async with self.http.request(method, path, json=body, **options) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()

    async def create(self, **change: Any) -> Answer:
        return await self.ask("POST", CALLS, GOOD | change)

    async def create_one(self, **change: Any) -> str:
        status, body = await self.create(**change)
        assert status == 201
        return str(body["sid"])

    async def until(self, sid: str, *, is_in: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            _, call = await self.ask("GET", f"{CALLS}/{sid}")
            return dict(call) if call["call_status"] == is_in else None

        return await until(look)

    async def recent(self, **query: Any) -> dict[str, Any]:
        status, page = await self.ask("GET", RECENT, params={"page": 1, "count": 25, **query})
        assert status == 200
        return dict(page)

    async def until_recent(self, calls: int) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            page = await self.recent()
            return page if page["total"] >= calls else None

        return await until(look)

    def stats(self) -> dict[str, Any]:
        return self.simulator.simulation.ledger.snapshot()


def play(scene: Scene, *, key: str | None = "k", speed: float = FROZEN, **settings: Any) -> Any:
    async def run() -> Any:
        config = changed(SimulatorConfig(), {"api_key": "k", "speed": speed, **settings})
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with Simulator(config) as simulator, aiohttp.ClientSession(simulator.base_url, headers=headers) as http:
            return await scene(Client(http, simulator))

    return asyncio.run(run())


@dataclass(frozen=True)
class Received:
    """One webhook as it came in."""

    path: str
    raw: bytes
    headers: Mapping[str, str]

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))


@dataclass
class Receiver:
    """Takes webhooks in on any path. `answers`: the statuses of the first ones; then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [each.body for each in self.received if each.path == path]

    async def take(self, request: web.Request) -> web.Response:
        self.received.append(Received(request.path, await request.read(), dict(request.headers)))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def a_receiver(*answers: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(answers=list(answers))
    application = web.Application()
    application.router.add_post("/{name}", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def nothing_but_answered() -> dict[str, float]:
    """All other outcomes, switched off."""
    return dict.fromkeys(("voicemail", "no_answer", "busy", "rejected", "invalid_number", "provider_error",
                          "pipeline_error", "config_error"), 0.0)  # fmt: skip
