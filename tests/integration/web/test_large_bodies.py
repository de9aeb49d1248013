"""Bodies of megabytes, which a process of its own reads: small ones get through meanwhile, and its death loses none."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import psutil
import pytest

from campaigns.providers.registry import AccountAccess
from campaigns.web import large_bodies
from campaigns.web.app import create_app
from campaigns.web.large_bodies import LARGE_BODY_BYTES, LargeBodies, ParserOf, ReaderLostError

TOKEN = "the-token-of-the-campaign"
Event = Callable[..., bytes]
Signature = Callable[..., dict[str, str]]
Inbox = Callable[[], list[str]]
Scenario = Callable[[httpx.AsyncClient, LargeBodies], Awaitable[None]]
LONG = "x" * LARGE_BODY_BYTES
_APPLICATION = """
import asyncio, sys
from campaigns.providers.contract import WebhookRejectedError
from campaigns.providers.registry import AccountAccess
from campaigns.web.large_bodies import LargeBodies, ParserOf
bodies = LargeBodies({"plain": ParserOf("vapi", AccountAccess(api_key=""))})
try:
    asyncio.run(bodies.parse("plain", b"no json"))
except WebhookRejectedError:
    print(bodies.reader_pid, flush=True)
sys.stdin.read()
"""
"""Has a reader, and waits to be killed."""


def run(scenario: Scenario) -> None:
    async def main() -> None:
        app = create_app()
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
                await scenario(client, app.state.services.large_bodies)

    asyncio.run(main())


@pytest.fixture
def path(door_campaigns: dict[str, int]) -> str:
    return f"/webhooks/vapi/plain/{door_campaigns['plain']}/{TOKEN}"


@pytest.fixture
def large(event: Event) -> Callable[[str], bytes]:
    """A status update with megabytes of conversation, of a call."""
    turns = [{"role": "bot", "message": "word " * 20}] * 10_000
    return lambda call: event(call=call, artifact={"messages": turns})


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Awaitable[bool]]:
    """Waits until the next body is on its way to the reader."""
    under_way, tell = threading.Event(), large_bodies._tell

    def told(reader: "subprocess.Popen[bytes]", what: object) -> None:
        under_way.set()
        tell(reader, what)

    monkeypatch.setattr(large_bodies, "_tell", told)

    def wait() -> Awaitable[bool]:
        under_way.clear()
        return asyncio.to_thread(under_way.wait)

    return wait


def test_small_ones_are_answered_while_a_large_one_is_being_read(
    path: str, event: Event, large: Callable[[str], bytes], inbox: Inbox
) -> None:
    async def scenario(client: httpx.AsyncClient, bodies: LargeBodies) -> None:
        assert (await client.post(path, content=large("first"))).status_code == 200
        reader = _reader(bodies)
        os.kill(reader, signal.SIGSTOP)  # from now on reading takes as long as it likes
        slow = asyncio.create_task(client.post(path, content=large("second")))
        for number in range(5):
            assert (await client.post(path, content=event(call=str(number)))).status_code == 200
        assert not slow.done()
        os.kill(reader, signal.SIGCONT)
        assert (await slow).status_code == 200

    run(scenario)
    assert len(inbox()) == 7


def test_a_large_one_whose_reader_dies_is_sent_again_and_then_stored(
    path: str, large: Callable[[str], bytes], inbox: Inbox, handed_over: Callable[[], Awaitable[bool]]
) -> None:
    async def scenario(client: httpx.AsyncClient, bodies: LargeBodies) -> None:
        assert (await client.post(path, content=large("first"))).status_code == 200
        reader, under_way = _reader(bodies), handed_over()
        os.kill(reader, signal.SIGSTOP)
        asked = asyncio.create_task(client.post(path, content=large("second")))
        await under_way
        os.kill(reader, signal.SIGKILL)
        reply = await asked
        assert (reply.status_code, int(reply.headers["retry-after"]) > 0) == (503, True)
        assert (await client.post(path, content=large("second"))).status_code == 200
        assert _reader(bodies) != reader

    run(scenario)
    assert len(inbox()) == 2


def test_a_reader_that_is_stuck_is_ended_and_the_next_large_one_is_read_by_another(
    path: str, large: Callable[[str], bytes], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(client: httpx.AsyncClient, bodies: LargeBodies) -> None:
        assert (await client.post(path, content=large("first"))).status_code == 200
        stuck = _reader(bodies)
        os.kill(stuck, signal.SIGSTOP)
        with monkeypatch.context() as impatient:
            impatient.setattr(large_bodies, "LONGEST_READING", timedelta(0))
            assert (await client.post(path, content=large("second"))).status_code == 503
        assert (await client.post(path, content=large("second"))).status_code == 200
        assert _reader(bodies) != stuck

    run(scenario)
    assert len(inbox()) == 2


def test_what_is_said_of_a_large_one_is_what_would_be_said_of_a_small_one(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    path = door.path("plain", token=TOKEN)
    assert door.post(path, event(artifact={"transcript": LONG})) == 200
    assert door.post(path, event(artifact={"transcript": LONG})) == 200  # known already
    assert door.client.post(path, content=b"[" + b" " * LARGE_BODY_BYTES + b"]").status_code == 400
    signed = event(call="signed", artifact={"transcript": LONG})
    assert door.post("/webhooks/vapi/signed", signed, **signature(signed + b" ")) == 401
    assert door.post("/webhooks/vapi/signed", signed, **signature(signed)) == 200
    assert len(inbox()) == 2


def test_large_ones_of_every_provider_are_read(door: Any, inbox: Inbox, signature: Signature) -> None:
    gateway = json.dumps({"call_sid": "c", "call_status": "completed", "sip_status": 200, "more": LONG}).encode()
    parts = signature(gateway)
    signed = {"jambonz_signature": f"t={parts['x_timestamp']},v1={parts['x_signature']}"}
    assert door.post(door.path("gateway", token=TOKEN), gateway, **signed) == 200
    assert door.post(door.path("unsigned", token=TOKEN), json.dumps({"call_id": "c", "more": LONG}).encode()) == 200
    assert sorted(inbox()) == ["call-completed", "call-status"]


def test_the_reader_ends_with_the_application_even_in_the_middle_of_a_body(
    large: Callable[[str], bytes], handed_over: Callable[[], Awaitable[bool]]
) -> None:
    async def scenario() -> psutil.Process:
        bodies = LargeBodies({"plain": ParserOf("vapi", AccountAccess(api_key=""))})
        await bodies.parse("plain", large("first"))
        reader = psutil.Process(_reader(bodies))
        reader.suspend()
        under_way = handed_over()
        asked = asyncio.create_task(bodies.parse("plain", large("second")))
        await under_way
        bodies.close()
        with pytest.raises(ReaderLostError):
            await asked
        return reader

    assert not asyncio.run(scenario()).is_running()


def test_the_reader_ends_when_the_application_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _APPLICATION], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as killed:
        assert killed.stdout is not None
        reader = psutil.Process(int(killed.stdout.readline()))
        killed.kill()
        gone, _ = psutil.wait_procs([reader], timeout=30)
    assert gone == [reader]


def _reader(bodies: LargeBodies) -> int:
    assert bodies.reader_pid is not None
    return bodies.reader_pid
