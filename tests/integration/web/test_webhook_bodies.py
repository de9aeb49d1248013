"""Bodies that are long, slow or broken off, beside webhooks that are none of it."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from campaigns.providers.contract import Receipt
from campaigns.web import body as body_reading
from campaigns.web import services, webhooks
from campaigns.web.app import create_app
from campaigns.web.body import MOST_BODY_BYTES
from campaigns.web.intake_groups import IntakeGroups
from campaigns.web.large_bodies import LARGE_BODY_BYTES

TOKEN = "the-token-of-the-campaign"
Event = Callable[..., bytes]
Inbox = Callable[[], list[str]]
Scenario = Callable[[httpx.AsyncClient], Awaitable[None]]


def run(scenario: Scenario) -> None:
    """Against the application itself, so that bodies can be fed piece by piece."""

    async def main() -> None:
        app = create_app()
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
                await scenario(client)

    asyncio.run(main())


@pytest.fixture
def path(door_campaigns: dict[str, int]) -> str:
    return f"/webhooks/vapi/plain/{door_campaigns['plain']}/{TOKEN}"


def test_others_are_answered_while_a_long_body_is_on_its_way(path: str, event: Event, inbox: Inbox) -> None:
    long = event(call="long", artifact={"transcript": "x" * (MOST_BODY_BYTES - 1_000)})

    async def scenario(client: httpx.AsyncClient) -> None:
        the_rest, begun = asyncio.Event(), asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield long[: len(long) // 2]
            begun.set()
            await the_rest.wait()
            yield long[len(long) // 2 :]

        slow = asyncio.create_task(client.post(path, content=pieces()))
        await begun.wait()
        for number in range(5):
            assert (await client.post(path, content=event(call=f"{number}"))).status_code == 200
        assert not slow.done()
        the_rest.set()
        assert (await slow).status_code == 200

    run(scenario)
    assert len(inbox()) == 6


def test_many_long_bodies_at_once_are_all_taken_in(path: str, inbox: Inbox) -> None:
    turns = [{"role": "bot", "message": "word " * 20}] * 20_000

    def body(number: int) -> bytes:
        message = {"type": "status-update", "status": "ringing", "call": {"id": str(number)}}
        return json.dumps({"message": message | {"artifact": {"messages": turns}}}).encode()

    async def scenario(client: httpx.AsyncClient) -> None:
        replies = await asyncio.gather(*(client.post(path, content=body(number)) for number in range(6)))
        assert [reply.status_code for reply in replies] == [200] * 6

    run(scenario)
    assert len(inbox()) == 6


def test_eleven_megabytes_are_refused_as_soon_as_they_are_too_many(path: str, inbox: Inbox) -> None:
    sent: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(11):
            sent.append(number)
            yield b"x" * 1024 * 1024

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.post(path, content=pieces())).status_code == 413
        declared = {"Content-Length": str(11 * 1024 * 1024)}
        assert (await client.post(path, content=b"x", headers=declared)).status_code == 413

    run(scenario)
    assert len(sent) == 11
    assert inbox() == []


def test_a_body_that_never_ends_is_given_up(
    path: str, event: Event, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_reading, "LONGEST_READ", timedelta(0))

    async def pieces() -> AsyncIterator[bytes]:
        yield event()
        await asyncio.Event().wait()

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.post(path, content=pieces())).status_code == 408

    run(scenario)
    assert inbox() == []


def test_a_body_of_unknown_origin_counts_until_its_signature_has_been_looked_at(
    door_campaigns: dict[str, int],
    event: Event,
    signature: Callable[..., dict[str, str]],
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = event(artifact={"transcript": "x" * LARGE_BODY_BYTES})
    headers = {name.replace("_", "-"): value for name, value in signature(body).items()}
    begun, go_on, look = threading.Event(), threading.Event(), webhooks.require_signature
    monkeypatch.setattr(services, "MOST_UNPROVEN_BYTES", len(body) + len(body) // 2)

    def waiting(*arguments: Any, **named: Any) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait()
        look(*arguments, **named)

    monkeypatch.setattr(webhooks, "require_signature", waiting)

    async def scenario(client: httpx.AsyncClient) -> None:
        first = asyncio.create_task(client.post("/webhooks/vapi/signed", content=body, headers=headers))
        await asyncio.to_thread(begun.wait)
        second = await client.post("/webhooks/vapi/signed", content=body, headers=headers)
        go_on.set()
        assert (second.status_code, (await first).status_code) == (503, 200)
        assert (await client.post("/webhooks/vapi/signed", content=body, headers=headers)).status_code == 200

    run(scenario)
    assert inbox() == ["status-update"]


def test_a_body_is_let_go_before_its_receipt_waits_for_postgres(
    path: str, event: Event, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands may wait, of ten megabytes each; of what was said a receipt keeps one at most."""
    gone: list[str] = []
    gone_by_then: list[int] = []
    add = IntakeGroups.add

    class Body(bytes):
        def __del__(self) -> None:
            gone.append("body")

    async def reading(*arguments: Any, **named: Any) -> bytes:
        return Body(await body_reading.read_body(*arguments, **named))

    async def adding(groups: IntakeGroups, account: str, receipt: Receipt) -> None:
        gone_by_then.append(len(gone))
        await add(groups, account, receipt)

    monkeypatch.setattr(webhooks, "read_body", reading)
    monkeypatch.setattr(IntakeGroups, "add", adding)

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.post(path, content=event())).status_code == 200

    run(scenario)
    assert (gone_by_then, inbox()) == ([1], ["status-update"])


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800"])
def test_a_report_with_names_that_postgres_cannot_hold_is_taken_in_all_the_same(
    path: str, event: Event, inbox: Inbox, database: Engine, escape: str
) -> None:
    named = {"analysis": {"structuredData": {"NAME": "yes", "wants": "yes"}}, "costBreakdown": {"NAME": 1, "total": 2}}
    body = event("end-of-call-report", endedReason="customer-ended-call", **named)

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.post(path, content=body.replace(b"NAME", escape.encode()))).status_code == 200

    run(scenario)
    with database.connect() as connection:
        (report,) = connection.execute(text("SELECT report FROM inbox")).scalars()
    assert report["conversation"]["answers"] == {"wants": "true"}
    assert report["artifacts"]["cost_breakdown"] == {"?": 1, "total": 2}


def test_a_stranger_is_refused_before_a_byte_of_the_body_is_read(path: str, inbox: Inbox) -> None:
    read: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(b"x")
        yield b"x"

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.post(path + "x", content=pieces())).status_code == 401
        assert (await client.post(path.removesuffix(f"/{TOKEN}"), content=pieces())).status_code == 401

    run(scenario)
    assert (read, inbox()) == ([], [])
