"""HTTP as the web process reads it from real connections: what may come before a body is bounded."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from campaigns.runtime.programs import HTTP_PROTOCOL
from campaigns.web.body import MOST_BODY_BYTES
from campaigns.web.http_protocol import MOST_HEAD_BYTES

TOKEN = "the-token-of-the-campaign"
Event = Callable[..., bytes]
PIECE = b"y" * 8_000
FAR_TOO_MUCH = 64_000_000
"""Bytes; the sockets of a machine that is busy hold some ten millions of what is sent before anybody looks."""


@pytest.fixture
def url(web_server: Callable[..., tuple[str, Path]]) -> str:
    return web_server("--http", HTTP_PROTOCOL)[0]


def headers() -> Iterator[bytes]:
    yield b"POST /webhooks/vapi/plain/1 HTTP/1.1\r\nhost: x\r\n"
    while True:
        yield b"x-more: " + PIECE + b"\r\n"


def one_header() -> Iterator[bytes]:
    yield b"POST /webhooks/vapi/plain/1 HTTP/1.1\r\nhost: x\r\nx-more: "
    while True:
        yield PIECE


def one_address() -> Iterator[bytes]:
    yield b"POST /webhooks/"
    while True:
        yield PIECE


def trailers() -> Iterator[bytes]:
    yield b"GET /health HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    while True:
        yield b"x-more: " + PIECE + b"\r\n"


@pytest.mark.parametrize("endless", [headers, one_header, one_address, trailers])
def test_what_never_comes_to_a_body_is_cut_off(url: str, endless: Callable[[], Iterator[bytes]]) -> None:
    address = httpx.URL(url)
    sent = 0
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        try:
            for piece in endless():
                connection.sendall(piece)
                sent += len(piece)
                assert sent < FAR_TOO_MUCH
        except ConnectionError:
            pass
    assert sent > MOST_HEAD_BYTES / 2
    assert httpx.get(f"{url}/health").status_code == 200


def test_long_headers_and_a_body_of_ten_megabytes_are_let_through(
    url: str, door_campaigns: dict[str, int], event: Event, inbox: Callable[[], list[str]]
) -> None:
    body = event(artifact={"transcript": "x" * (MOST_BODY_BYTES - 1_000)})
    hook = f"{url}/webhooks/vapi/plain/{door_campaigns['plain']}/{TOKEN}"
    more = {f"x-{number}": "y" * 4_000 for number in range(10)}
    with httpx.Client(timeout=60) as client:
        for _ in range(3):  # the connection is kept: nothing of an earlier request counts against a later one
            assert client.post(hook, content=body, headers=more).status_code == 200
        assert client.post(f"{url}{httpx.URL(hook).path}/", content=event()).status_code == 307
    assert inbox() == ["status-update"]


@pytest.mark.parametrize("offer", [b"h2c", b"websocket", b"HTTP/2.0"])
@pytest.mark.parametrize("pause", [True, False])
def test_an_offer_of_another_protocol_is_declined_and_the_webhook_taken_in(
    url: str, door_campaigns: dict[str, int], event: Event, inbox: Callable[[], list[str]], offer: bytes, pause: bool
) -> None:
    """Java's client, for one, offers h2c with everything that it sends without TLS."""
    hook = f"/webhooks/vapi/plain/{door_campaigns['plain']}/{TOKEN}".encode()

    def head(body: bytes, *more: bytes) -> bytes:
        return b"\r\n".join(
            [b"POST %b HTTP/1.1" % hook, b"Host: x", b"Content-Length: %d" % len(body), *more, b"", b""]
        )

    offering = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + offer, b"HTTP2-Settings: AAMAAABkAAQ")
    first, second, last = (event(call=str(number)) for number in range(3))
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0), timeout=60) as connection:
        connection.sendall(head(first, *offering))
        if pause:
            assert httpx.get(f"{url}/health").status_code == 200  # the head is read before its body is sent
        connection.sendall(first + head(second, *offering) + second + head(last, b"Connection: close") + last)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"] * 3
    assert inbox() == ["status-update"] * 3


def test_a_tunnel_is_refused(url: str) -> None:
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0), timeout=60) as connection:
        connection.sendall(b"CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere\r\n\r\n")
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers.startswith(b"HTTP/1.1 400")
