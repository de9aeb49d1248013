"""Builders for the provider contract: requests, permits, simulated providers and raw servers."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from campaigns.providers.contract import DialRequest, PermitLapsedError, VoiceProvider, WebhookTarget
from campaigns.providers.http import Timeouts
from campaigns.providers.registry import AccountAccess, build_provider
from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.server import Simulator

NUMBER = "+12125550123"
API_KEY = "test-key"
PATIENT = Timeouts(connect=timedelta(seconds=5), pool=timedelta(seconds=5), read=timedelta(seconds=20))
"""A busy machine must not look like a silent provider."""
QUICK = Timeouts(write=timedelta(seconds=0.2), read=timedelta(seconds=0.3))
"""For providers that never answer."""

_RESET = struct.pack("ii", 1, 0)


@dataclass
class Permit:
    """Holds for a number of looks, then has lapsed."""

    looks: int = 1_000_000
    left: timedelta = timedelta(seconds=5)

    async def turn(self) -> None:
        self.check()

    def check(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise PermitLapsedError

    def remaining(self) -> timedelta:
        return self.left


ACCOUNT_SID = "0b7f4f16-9c0a-4d70-8f4e-3a9c1f4b8a01"
"""Of the gateway's account; vapi has none."""

ASSISTANTS: Mapping[str, Mapping[str, Any]] = {
    "vapi": {"id": "assistant-1", "variables": {"plan": "gold"}},
    "cognigy": {"applicationSid": "6d1d1c1e-2e3f-4a4b-8c5d-6e7f80910a11", "tag": {"plan": "gold"}},
    "voxworks": {"scriptId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "objects": {"policy": {"plan": "gold"}}},
}
"""A plain assistant block for each provider."""
VOICEMAIL_ACTIONS = {"voxworks": "none"}
"""For the others `hangUp`."""


def a_dial(
    number: str = NUMBER,
    *,
    kind: str = "vapi",
    permit: Permit | None = None,
    webhook: WebhookTarget | None = None,
    assistant: Mapping[str, Any] | None = None,
    customer_name: str | None = "Ann Example",
    external_id: str | None = None,
    line: str = "pn-1",
    voicemail_action: str | None = None,
) -> DialRequest:
    """One attempt, ready to leave."""
    return DialRequest(
        attempt_id=uuid4(),
        number=number,
        line=line,
        assistant=assistant or ASSISTANTS[kind],
        customer_name=customer_name,
        external_id=external_id,
        voicemail_action=voicemail_action or VOICEMAIL_ACTIONS.get(kind, "hangUp"),
        webhook=webhook,
        permit=permit or Permit(),
    )


@dataclass(frozen=True)
class House:
    """A provider and the simulator behind it."""

    provider: VoiceProvider
    simulator: Simulator

    @property
    def stats(self) -> dict[str, Any]:
        return self.simulator.simulation.ledger.snapshot()


@asynccontextmanager
async def a_house(
    kind: str = "vapi",
    *,
    api_key: str = API_KEY,
    timeouts: Timeouts = PATIENT,
    access: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """A simulated account. `access`: more fields of `AccountAccess`; `settings`: fields of `SimulatorConfig`.
    Calls take a millisecond unless told otherwise."""
    config = changed(SimulatorConfig(), {"api_key": API_KEY, "speed": 100_000.0, **settings})
    async with Simulator(config) as simulator:
        told = AccountAccess(
            base_url=simulator.base_url, api_key=api_key, account_sid=ACCOUNT_SID, timeouts=timeouts, **(access or {})
        )
        provider = build_provider(kind, told)
        try:
            yield House(provider, simulator)
        finally:
            await provider.aclose()


@dataclass
class RawServer:
    """What a server that speaks no HTTP library has seen."""

    base_url: str = ""
    connections: int = 0
    requests: int = 0
    received: bytes = b""
    finished: int = 0
    """Connections that are over, with all they had sent read into `received`."""


@dataclass(frozen=True)
class Stage:
    """A simulator, and a client that carries its key."""

    simulator: Simulator
    client: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and decoded body; a body that is no JSON as text."""
        async with self.client.request(method, path, json=body, **options) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())

    @property
    def stats(self) -> dict[str, Any]:
        return self.simulator.simulation.ledger.snapshot()


def on_stage(scene: Callable[[Stage], Awaitable[None]], **settings: Any) -> None:
    """Play one scene. Calls stay where they are for hours unless a `speed` is given."""

    async def run() -> None:
        config = changed(SimulatorConfig(), {"api_key": API_KEY, "speed": 0.001, **settings})
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with Simulator(config) as simulator, aiohttp.ClientSession(simulator.base_url, headers=headers) as client:
            await scene(Stage(simulator, client))

    asyncio.run(run())


Behaviour = Callable[["Wire"], Awaitable[None]]


@dataclass
class Wire:
    """One connection as a raw server sees it."""

    server: RawServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read_headers(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.server.received += head
        return head

    async def read_request(self) -> None:
        head = await self.read_headers()
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        self.server.received += await self.reader.readexactly(length)
        self.server.requests += 1

    async def answer(self, status: str, body: bytes, *, headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.writer.write(head.encode() + body)
        await self.writer.drain()

    def reset(self) -> None:
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.writer.transport.abort()


@asynccontextmanager
async def a_raw_server(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Runs `behaviour` on every connection; with `tls` once its handshake is done."""
    seen = RawServer()

    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        open_writers.add(writer)
        try:
            await behaviour(Wire(seen, reader, writer))
        except asyncio.IncompleteReadError as early:
            seen.received += early.partial
        except ConnectionError:
            writer.transport.abort()
        finally:
            writer.close()
            open_writers.discard(writer)
            seen.finished += 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    seen.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        for writer in open_writers:
            writer.transport.abort()


@asynccontextmanager
async def a_provider(base_url: str, **options: Any) -> AsyncIterator[VoiceProvider]:
    """An account behind any URL, of `kind` (vapi). `options`: fields of `AccountAccess`."""
    kind, timeouts = options.pop("kind", "vapi"), options.pop("timeouts", PATIENT)
    access = AccountAccess(base_url=base_url, api_key=API_KEY, account_sid=ACCOUNT_SID, timeouts=timeouts, **options)
    provider = build_provider(kind, access)
    try:
        yield provider
    finally:
        await provider.aclose()


async def wait_until(look: Callable[[], Awaitable[Any]], *, within: float = 5.0) -> Any:
    """The first true thing that `look` sees."""
    async with asyncio.timeout(within):
        while True:
            if seen := await look():
                return seen
            await asyncio.sleep(0.001)


@pytest.fixture
def kit() -> SimpleNamespace:
    """What contract tests are built from."""
    return SimpleNamespace(
        a_dial=a_dial,
        a_house=a_house,
        a_permit=Permit,
        a_provider=a_provider,
        a_raw_server=a_raw_server,
        on_stage=on_stage,
        wait_until=wait_until,
        account_sid=ACCOUNT_SID,
        number=NUMBER,
        quick=QUICK,
    )
