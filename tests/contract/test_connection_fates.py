"""What a broken connection proves: a server breaks it at every point, and we look at what is concluded."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed

CREATED = json.dumps({"id": "call-1"}).encode()


async def resets_before_reading(wire: Any) -> None:
    wire.reset()


async def resets_after_the_headers(wire: Any) -> None:
    await wire.read_headers()
    wire.reset()


async def resets_after_the_body(wire: Any) -> None:
    await wire.read_request()
    wire.reset()


async def closes_after_the_body(wire: Any) -> None:
    await wire.read_request()


async def resets_within_the_answer(wire: Any) -> None:
    await wire.read_request()
    wire.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{")
    await wire.writer.drain()
    wire.reset()


async def closes_within_the_answer(wire: Any) -> None:
    await wire.read_request()
    wire.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{")
    await wire.writer.drain()


async def answers_what_is_no_http(wire: Any) -> None:
    await wire.read_request()
    wire.writer.write(b"220 smtp.example.com ready\r\n\r\n")
    await wire.writer.drain()


async def never_answers(wire: Any) -> None:
    await wire.read_request()
    await wire.reader.read()


async def drips_its_answer(wire: Any) -> None:
    """Each byte comes in time; the answer never ends."""
    await wire.read_request()
    wire.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n")
    while not wire.writer.is_closing():
        wire.writer.write(b" ")
        await wire.writer.drain()
        await asyncio.sleep(0.05)


async def creates(wire: Any) -> None:
    while True:
        await wire.read_request()
        await wire.answer("201 Created", CREATED)


async def creates_once_then_resets(wire: Any) -> None:
    await wire.read_request()
    await wire.answer("201 Created", CREATED)
    await wire.read_request()
    wire.reset()


def dialed_at(kit: Any, behaviour: Callable[[Any], Awaitable[None]]) -> tuple[DialResult, Any]:
    """What one dial at such a server comes to, and what the server saw."""

    async def run() -> tuple[DialResult, Any]:
        async with (
            kit.a_raw_server(behaviour) as server,
            kit.a_provider(server.base_url, timeouts=kit.quick) as account,
        ):
            permit = kit.a_permit(left=timedelta(seconds=1))
            return await account.dial(kit.a_dial(permit=permit)), server

    return asyncio.run(run())


@pytest.mark.parametrize(
    "behaviour",
    [
        resets_before_reading,
        resets_after_the_headers,
        resets_after_the_body,
        closes_after_the_body,
        resets_within_the_answer,
        closes_within_the_answer,
        answers_what_is_no_http,
        never_answers,
        drips_its_answer,
    ],
)
def test_once_a_connection_was_held_nobody_knows_whether_it_was_dialed(kit: Any, behaviour: Any) -> None:
    result, server = dialed_at(kit, behaviour)

    assert isinstance(result, FateUnknown)
    assert server.connections == 1
    assert server.requests <= 1


def test_a_refused_connection_is_certainly_not_dialed(kit: Any) -> None:
    async def run() -> DialResult:
        async with kit.a_raw_server(creates) as server:
            closed_url = server.base_url
        async with kit.a_provider(closed_url) as account:
            return await account.dial(kit.a_dial())

    result = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION


def test_a_name_that_does_not_resolve_is_certainly_not_dialed(kit: Any) -> None:
    async def run() -> DialResult:
        async with kit.a_provider("http://no-such-host.invalid") as account:
            return await account.dial(kit.a_dial())

    assert asyncio.run(run()).kind is NotDialedKind.NO_CONNECTION


def test_a_broken_tls_handshake_is_certainly_not_dialed(kit: Any) -> None:
    async def run() -> DialResult:
        async with (
            kit.a_raw_server(resets_after_first_bytes) as server,
            kit.a_provider(server.base_url.replace("http:", "https:")) as account,
        ):
            return await account.dial(kit.a_dial())

    assert asyncio.run(run()).kind is NotDialedKind.NO_CONNECTION


async def resets_after_first_bytes(wire: Any) -> None:
    await wire.reader.read(1)
    wire.reset()


def test_waiting_for_a_free_connection_ends_with_the_permit_and_nothing_is_dialed(kit: Any) -> None:
    async def run() -> tuple[DialResult, Any]:
        async with (
            kit.a_raw_server(never_answers) as server,
            kit.a_provider(server.base_url, max_connections=1, timeouts=kit.quick) as account,
        ):
            first = asyncio.create_task(account.dial(kit.a_dial()))
            await kit.wait_until(lambda: _true(server.requests == 1))
            second = await account.dial(kit.a_dial(permit=kit.a_permit(left=timedelta(milliseconds=30))))
            await first
            return second, server

    result, server = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert server.requests == 1


async def _true(seen: bool) -> bool:
    return seen


@pytest.mark.parametrize("looks", [0, 1, 2], ids=["before connecting", "once connected", "before the first byte"])
def test_a_permit_that_lapses_sends_not_one_byte(kit: Any, looks: int) -> None:
    async def run() -> tuple[DialResult, Any]:
        async with kit.a_raw_server(creates) as server:
            async with kit.a_provider(server.base_url) as account:
                result = await account.dial(kit.a_dial(permit=kit.a_permit(looks=looks)))
            await kit.wait_until(lambda: _true(server.finished == server.connections))
            return result, server

    result, server = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.PERMIT_LAPSED
    assert server.connections == min(looks, 1)
    assert server.received == b""


@pytest.mark.parametrize("looks", [1, 2], ids=["once connected", "before the first byte"])
def test_a_permit_that_lapses_on_a_kept_alive_connection_sends_not_one_byte(kit: Any, looks: int) -> None:
    async def run() -> tuple[Any, Any]:
        async with kit.a_raw_server(creates) as server:
            async with kit.a_provider(server.base_url) as account:
                placed = await account.dial(kit.a_dial())
                first_request = len(server.received)
                lapsed = await account.dial(kit.a_dial(permit=kit.a_permit(looks=looks)))
            await kit.wait_until(lambda: _true(server.finished == 1))
            return [placed, lapsed, server.received[first_request:]], server

    (placed, lapsed, later_bytes), server = asyncio.run(run())

    assert isinstance(placed, Placed)
    assert isinstance(lapsed, NotDialed)
    assert lapsed.kind is NotDialedKind.PERMIT_LAPSED
    assert server.connections == 1
    assert later_bytes == b""


def test_a_connection_whose_permit_lapsed_goes_back_to_the_pool(kit: Any) -> None:
    async def run() -> Any:
        async with kit.a_raw_server(creates) as server, kit.a_provider(server.base_url, max_connections=1) as account:
            for _ in range(3):
                await account.dial(kit.a_dial(permit=kit.a_permit(looks=1)))
            assert isinstance(await account.dial(kit.a_dial()), Placed)
            return server

    assert asyncio.run(run()).connections == 1


def test_a_create_on_a_kept_alive_connection_that_is_read_and_reset_is_not_repeated(kit: Any) -> None:
    async def run() -> tuple[DialResult, DialResult, Any]:
        async with kit.a_raw_server(creates_once_then_resets) as server, kit.a_provider(server.base_url) as account:
            return await account.dial(kit.a_dial()), await account.dial(kit.a_dial()), server

    first, second, server = asyncio.run(run())

    assert isinstance(first, Placed)
    assert isinstance(second, FateUnknown)
    assert server.connections == 1
    assert server.requests == 2


def test_a_redirect_is_not_followed_and_proves_nothing(kit: Any) -> None:
    async def redirects(wire: Any) -> None:
        await wire.read_request()
        await wire.answer("307 Temporary Redirect", b"{}", headers=f"Location: {wire.server.base_url}/call\r\n")

    result, server = dialed_at(kit, redirects)

    assert isinstance(result, FateUnknown)
    assert server.requests == 1


def test_no_message_holds_the_number_or_the_name(kit: Any) -> None:
    for behaviour in (resets_after_the_body, closes_within_the_answer, never_answers):
        result, _ = dialed_at(kit, behaviour)
        assert isinstance(result, FateUnknown)
        assert "555" not in result.message
        assert "Ann" not in result.message
