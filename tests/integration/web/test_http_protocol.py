"""HTTP as the web process reads it from real connections: what may come before a body is bounded."""

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
FAR_TOO_MUCH = 4_000_000
"""Bytes; sockets and the reader hold some of what is sent before anybody looks."""


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
