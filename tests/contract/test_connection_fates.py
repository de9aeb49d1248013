"""What a broken connection proves: a server breaks it at every point, and we look at what is concluded.

The same for every provider, in the clear and within TLS: the conclusion is drawn from the connection, which is one
place for all of them, and never from the kind of exception.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import trustme

from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from config.settings_model import ProviderKind

CREATED = json.dumps({"id": "call-1", "sid": "call-1", "callId": "sip-1", "call_id": "call-1"}).encode()
"""What each of the providers answers to a create, in one."""

Behaviour = Callable[[Any], Awaitable[None]]


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's, who trust each other."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@dataclass(frozen=True)
class Way:
    """To one provider, in the clear or within TLS."""

    kit: Any
    kind: str
    tls: bool

    def server(self, behaviour: Behaviour) -> AbstractAsyncContextManager[Any]:
        server: AbstractAsyncContextManager[Any] = self.kit.a_raw_server(
            behaviour, tls=contexts()[0] if self.tls else None
        )
        return server

    def account(self, base_url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        account: AbstractAsyncContextManager[Any] = self.kit.a_provider(
            base_url, kind=self.kind, tls=contexts()[1], **options
        )
        return account

    def a_dial(self, **values: Any) -> Any:
        return self.kit.a_dial(kind=self.kind, **values)

    @asynccontextmanager
    async def opened(self, behaviour: Behaviour, **options: Any) -> AsyncIterator[tuple[Any, Any]]:
        """A server that behaves so, and an account at it."""
        async with self.server(behaviour) as server, self.account(server.base_url, **options) as account:
            yield server, account


@pytest.fixture(params=[kind.value for kind in ProviderKind])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[False, True], ids=["clear", "tls"])
def way(request: pytest.FixtureRequest, kit: Any, kind: str) -> Way:
    return Way(kit, kind, request.param)


async def resets_before_reading(wire: Any) -> None:
    wire.reset()


async def closes_before_reading(wire: Any) -> None:
    """Returning closes."""


async def resets_after_the_headers(wire: Any) -> None:
    await wire.read_headers()
    wire.reset()


async def closes_after_the_headers(wire: Any) -> None:
    await wire.read_headers()


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


async def closes_within_the_headers_of_its_answer(wire: Any) -> None:
    await wire.read_request()
    wire.writer.write(b"HTTP/1.1 201 Cre")
    await wire.writer.drain()


async def answers_what_is_no_http(wire: Any) -> None:
    await wire.read_request()
    wire.writer.write(b"220 smtp.example.com ready\r\n\r\n")
    await wire.writer.drain()


async def never_reads(wire: Any) -> None:
    await asyncio.Event().wait()


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


async def creates_once_then_closes(wire: Any) -> None:
    await wire.read_request()
    await wire.answer("201 Created", CREATED)


def dialed_at(way: Way, behaviour: Behaviour) -> tuple[DialResult, Any]:
    """What one dial at such a server comes to, and what the server saw."""

    async def run() -> tuple[DialResult, Any]:
        async with way.opened(behaviour, timeouts=way.kit.quick) as (server, account):
            permit = way.kit.a_permit(left=timedelta(seconds=2))
            return await account.dial(way.a_dial(permit=permit)), server

    return asyncio.run(run())


@pytest.mark.parametrize(
    "behaviour",
    [
        resets_after_the_headers,
        closes_after_the_headers,
        resets_after_the_body,
        closes_after_the_body,
        resets_within_the_answer,
        closes_within_the_answer,
        closes_within_the_headers_of_its_answer,
        answers_what_is_no_http,
        never_reads,
        never_answers,
        drips_its_answer,
    ],
)
def test_once_a_connection_was_held_nobody_knows_whether_it_was_dialed(way: Way, behaviour: Behaviour) -> None:
    result, server = dialed_at(way, behaviour)

    assert isinstance(result, FateUnknown)
    assert server.connections == 1
    assert server.requests <= 1


@pytest.mark.parametrize("behaviour", [resets_before_reading, closes_before_reading])
def test_a_connection_that_ends_at_once_was_either_seen_to_end_before_a_byte_was_written_or_nobody_knows(
    way: Way, behaviour: Behaviour
) -> None:
    result, server = dialed_at(way, behaviour)

    assert isinstance(result, FateUnknown | NotDialed)
    assert isinstance(result, FateUnknown) or (result.kind, server.received) == (NotDialedKind.NO_CONNECTION, b"")
    assert server.connections == 1


@pytest.mark.parametrize("behaviour", [resets_before_reading, closes_before_reading])
def test_a_connection_that_ends_while_the_dial_waits_for_its_turn_is_certainly_not_dialed(
    way: Way, behaviour: Behaviour
) -> None:
    async def run() -> tuple[DialResult, Any]:
        async with way.opened(behaviour) as (server, account):

            class Late(way.kit.a_permit):  # type: ignore[name-defined, misc]
                async def turn(self) -> None:
                    """A loop that looks at its sockets a few times sees an end that lies in them."""
                    await way.kit.wait_until(lambda: _true(server.finished == 1))
                    for _ in range(100):
                        await asyncio.sleep(0)
                    await super().turn()

            return await account.dial(way.a_dial(permit=Late())), server

    result, server = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert (server.connections, server.received) == (1, b"")


def test_a_whole_answer_is_read_however_the_connection_ends_after_it(way: Way) -> None:
    result, server = dialed_at(way, creates_once_then_closes)

    assert result == Placed("call-1")
    assert server.requests == 1


def test_a_refused_connection_is_certainly_not_dialed(way: Way) -> None:
    async def run() -> DialResult:
        async with way.server(creates) as server:
            closed_url = server.base_url
        async with way.account(closed_url) as account:
            result: DialResult = await account.dial(way.a_dial())
            return result

    result = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION


def test_a_name_that_does_not_resolve_is_certainly_not_dialed(way: Way) -> None:
    async def run() -> Any:
        async with way.account(f"{'https' if way.tls else 'http'}://no-such-host.invalid") as account:
            return await account.dial(way.a_dial())

    assert asyncio.run(run()).kind is NotDialedKind.NO_CONNECTION


def test_waiting_for_a_free_connection_ends_with_the_permit_and_nothing_is_dialed(way: Way) -> None:
    async def run() -> tuple[DialResult, Any]:
        async with way.opened(never_answers, max_connections=1, timeouts=way.kit.quick) as (server, account):
            first = asyncio.create_task(account.dial(way.a_dial()))
            await way.kit.wait_until(lambda: _true(server.requests == 1))
            second = await account.dial(way.a_dial(permit=way.kit.a_permit(left=timedelta(milliseconds=30))))
            await first
            return second, server

    result, server = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert server.requests == 1


async def _true(seen: bool) -> bool:
    return seen


@pytest.mark.parametrize("looks", [0, 1, 2], ids=["before connecting", "once connected", "before the first byte"])
def test_a_permit_that_lapses_sends_not_one_byte(way: Way, looks: int) -> None:
    async def run() -> tuple[DialResult, Any]:
        async with way.server(creates) as server:
            async with way.account(server.base_url) as account:
                result = await account.dial(way.a_dial(permit=way.kit.a_permit(looks=looks)))
            await way.kit.wait_until(lambda: _true(server.finished == server.connections))
            return result, server

    result, server = asyncio.run(run())

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.PERMIT_LAPSED
    assert server.connections == min(looks, 1)
    assert server.received == b""


@pytest.mark.parametrize("looks", [1, 2], ids=["once connected", "before the first byte"])
def test_a_permit_that_lapses_on_a_kept_alive_connection_sends_not_one_byte(way: Way, looks: int) -> None:
    async def run() -> tuple[Any, Any]:
        async with way.server(creates) as server:
            async with way.account(server.base_url) as account:
                placed = await account.dial(way.a_dial())
                first_request = len(server.received)
                lapsed = await account.dial(way.a_dial(permit=way.kit.a_permit(looks=looks)))
            await way.kit.wait_until(lambda: _true(server.finished == 1))
            return [placed, lapsed, server.received[first_request:]], server

    (placed, lapsed, later_bytes), server = asyncio.run(run())

    assert isinstance(placed, Placed)
    assert isinstance(lapsed, NotDialed)
    assert lapsed.kind is NotDialedKind.PERMIT_LAPSED
    assert server.connections == 1
    assert later_bytes == b""


def test_a_connection_whose_permit_lapsed_goes_back_to_the_pool(way: Way) -> None:
    async def run() -> Any:
        async with way.opened(creates, max_connections=1) as (server, account):
            for _ in range(3):
                await account.dial(way.a_dial(permit=way.kit.a_permit(looks=1)))
            assert isinstance(await account.dial(way.a_dial()), Placed)
            return server

    assert asyncio.run(run()).connections == 1


def test_a_create_on_a_kept_alive_connection_that_is_read_and_reset_is_not_repeated(way: Way) -> None:
    async def run() -> tuple[DialResult, DialResult, Any]:
        async with way.opened(creates_once_then_resets) as (server, account):
            return await account.dial(way.a_dial()), await account.dial(way.a_dial()), server

    first, second, server = asyncio.run(run())

    assert isinstance(first, Placed)
    assert isinstance(second, FateUnknown)
    assert server.connections == 1
    assert server.requests == 2


def test_a_connection_that_the_server_closed_meanwhile_is_never_taken_for_one_that_could_not_be_had(way: Way) -> None:
    """Either its end was seen and a new one is made, or the dial was written into it: then nobody knows."""

    async def run() -> tuple[DialResult, Any]:
        async with way.opened(creates_once_then_closes) as (server, account):
            assert isinstance(await account.dial(way.a_dial()), Placed)
            await way.kit.wait_until(lambda: _true(server.finished == 1))
            return await account.dial(way.a_dial()), server

    result, server = asyncio.run(run())

    assert isinstance(result, Placed | FateUnknown)
    assert server.requests == (2 if isinstance(result, Placed) else 1)
    assert server.connections == server.requests


def test_an_idle_connection_is_given_up_before_the_server_would_close_it(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.providers.connections.KEEP_ALIVE", timedelta(milliseconds=1))

    async def run() -> Any:
        async with way.opened(creates) as (server, account):
            for _ in range(2):
                assert isinstance(await account.dial(way.a_dial()), Placed)
                await way.kit.wait_until(lambda: _true(server.finished == server.connections))
            return server

    assert asyncio.run(run()).connections == 2


def test_a_redirect_is_not_followed_and_proves_nothing(way: Way) -> None:
    async def redirects(wire: Any) -> None:
        await wire.read_request()
        await wire.answer("307 Temporary Redirect", b"{}", headers=f"Location: {wire.server.base_url}/call\r\n")

    result, server = dialed_at(way, redirects)

    assert isinstance(result, FateUnknown)
    assert server.requests == 1


def test_no_message_holds_the_number_or_the_name(way: Way) -> None:
    for behaviour in (resets_after_the_body, closes_within_the_answer, never_answers):
        result, _ = dialed_at(way, behaviour)
        assert isinstance(result, FateUnknown)
        assert "555" not in result.message
        assert "Ann" not in result.message
