"""Handshakes that fail, each in its own way: no connection was held, so certainly nobody was dialed."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from config.settings_model import ProviderKind

Behaviour = Callable[[Any], Awaitable[None]]
AUTHORITY = trustme.CA()


def client(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def server(certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or AUTHORITY.issue_cert("127.0.0.1")).configure_cert(context)
    return context


async def creates(wire: Any) -> None:
    await wire.read_request()
    await wire.answer("201 Created", b'{"id": "call-1", "sid": "call-1", "call_id": "call-1"}')


@pytest.fixture(params=[kind.value for kind in ProviderKind])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def dialed(
    kit: Any,
    kind: str,
    *,
    tls: ssl.SSLContext | None,
    behaviour: Behaviour = creates,
    left: float = 2.0,
    trusts_us: bool = True,
) -> tuple[DialResult, Any]:
    """One dial over HTTPS, at a server that has `tls` or none at all, by a client that `trusts_us`."""

    async def run() -> tuple[DialResult, Any]:
        async with kit.a_raw_server(behaviour, tls=tls) as seen:
            url = seen.base_url.replace("http://", "https://")
            async with kit.a_provider(url, kind=kind, tls=client() if trusts_us else None) as account:
                dial = kit.a_dial(kind=kind, permit=kit.a_permit(left=timedelta(seconds=left)))
                return await account.dial(dial), seen

    return asyncio.run(run())


def test_with_a_certificate_that_is_trusted_the_call_is_placed(kit: Any, kind: str) -> None:
    result, _ = dialed(kit, kind, tls=server())

    assert result == Placed("call-1")


@pytest.mark.parametrize(
    "certificate",
    [
        lambda: trustme.CA().issue_cert("127.0.0.1"),
        lambda: AUTHORITY.issue_cert("api.example.com"),
        lambda: AUTHORITY.issue_cert("127.0.0.1", not_after=datetime(2001, 1, 1, tzinfo=UTC)),
    ],
    ids=["of an authority we do not know", "of another host", "out of date"],
)
def test_a_wrong_certificate_is_certainly_not_dialed(
    kit: Any, kind: str, certificate: Callable[[], trustme.LeafCert]
) -> None:
    result, seen = dialed(kit, kind, tls=server(certificate()))

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert seen.received == b""


def test_browsers_authorities_are_trusted_by_default_and_no_other(kit: Any, kind: str) -> None:
    result, seen = dialed(kit, kind, tls=server(), trusts_us=False)

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert seen.received == b""


async def resets_at_the_first_byte(wire: Any) -> None:
    await wire.reader.read(1)
    wire.reset()


async def closes_at_the_first_byte(wire: Any) -> None:
    await wire.reader.read(1)


async def speaks_no_tls(wire: Any) -> None:
    await wire.reader.read(1)
    wire.writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await wire.writer.drain()


async def sends_an_alert(wire: Any) -> None:
    """Fatal, handshake failure."""
    await wire.reader.read(1)
    wire.writer.write(bytes([21, 3, 3, 0, 2, 2, 40]))
    await wire.writer.drain()


@pytest.mark.parametrize(
    "behaviour", [resets_at_the_first_byte, closes_at_the_first_byte, speaks_no_tls, sends_an_alert]
)
def test_a_broken_handshake_is_certainly_not_dialed(kit: Any, kind: str, behaviour: Behaviour) -> None:
    result, seen = dialed(kit, kind, behaviour=behaviour, tls=None)

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert seen.requests == 0


async def says_nothing(wire: Any) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("left", [0.05, 0.3])
def test_a_permit_that_lapses_within_a_handshake_that_never_ends_dials_nobody(kit: Any, kind: str, left: float) -> None:
    result, seen = dialed(kit, kind, behaviour=says_nothing, tls=None, left=left)

    assert isinstance(result, NotDialed)
    assert result.kind in (NotDialedKind.NO_CONNECTION, NotDialedKind.PERMIT_LAPSED)
    assert seen.requests == 0


def demanding(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server that wants a certificate of ours, too."""
    context = server()
    AUTHORITY.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    return context


def test_a_server_that_wants_our_certificate_before_the_handshake_ends_was_not_dialed(kit: Any, kind: str) -> None:
    result, seen = dialed(kit, kind, tls=demanding(ssl.TLSVersion.TLSv1_2))

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.NO_CONNECTION
    assert seen.received == b""


def test_where_the_handshake_ended_for_us_before_the_server_refused_nobody_knows(kit: Any, kind: str) -> None:
    """TLS 1.3 tells of a missing certificate when our first bytes may be on their way already."""
    result, seen = dialed(kit, kind, tls=demanding(ssl.TLSVersion.TLSv1_3))

    assert isinstance(result, FateUnknown)
    assert seen.received == b""
