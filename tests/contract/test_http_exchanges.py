"""The client below every provider: what travels with a request, and what is made of an answer."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from campaigns.providers.contract import PermitLapsedError
from campaigns.providers.http import HttpAnswer, HttpClient, HttpError, Timeouts

BODY = json.dumps({"id": "call-1"}).encode()


def exchanged(
    kit: Any,
    behaviour: Callable[[Any], Awaitable[None]],
    act: Callable[[HttpClient], Awaitable[Any]],
    *,
    timeouts: Timeouts | None = None,
) -> tuple[Any, bytes]:
    """What `act` brought, and every byte that the server received."""

    async def run() -> tuple[Any, bytes]:
        async with kit.a_raw_server(behaviour) as server:
            client = HttpClient(server.base_url + "/v1/", headers={"Authorization": "Bearer key"}, timeouts=timeouts)
            try:
                return await act(client), server.received
            finally:
                await client.aclose()

    return asyncio.run(run())


def answering(status: str = "200 OK", body: bytes = BODY, headers: str = "") -> Callable[[Any], Awaitable[None]]:
    async def answers(wire: Any) -> None:
        while True:
            await wire.read_request()
            await wire.answer(status, body, headers=headers)

    return answers


async def post(client: HttpClient) -> HttpAnswer:
    return await client.request("POST", "/call", body=BODY)


def test_no_cookie_of_one_answer_travels_with_the_next_request(kit: Any) -> None:
    async def twice(client: HttpClient) -> None:
        await post(client)
        await post(client)

    _, received = exchanged(kit, answering(headers="Set-Cookie: session=of-another-call; Path=/\r\n"), twice)

    assert received.count(b"POST ") == 2
    assert b"cookie" not in received.lower()


def test_a_request_carries_its_key_its_body_and_who_we_are(kit: Any) -> None:
    _, received = exchanged(kit, answering(), post)
    head = received.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")

    assert head[0] == b"post /v1/call http/1.1"
    assert b"authorization: bearer key" in head
    assert b"content-type: application/json" in head
    assert any(line.startswith(b"user-agent: ringfence/") for line in head)
    assert received.endswith(BODY)


def test_the_key_stays_here_when_another_host_is_asked(kit: Any) -> None:
    async def ask(client: HttpClient) -> HttpAnswer:
        await post(client)  # a key that was sent to the provider must not stick to the connection's other requests
        return await client.request("POST", "/elsewhere", body=BODY, authorized=False)

    _, received = exchanged(kit, answering(), ask)

    assert received.lower().count(b"authorization") == 1


def test_the_questions_of_a_request_are_told_in_its_address(kit: Any) -> None:
    async def ask(client: HttpClient) -> HttpAnswer:
        return await client.request("GET", "/call", params={"createdAtGt": "2026-12-01T08:00:00+00:00", "limit": "5"})

    async def answers(wire: Any) -> None:
        await wire.read_headers()
        await wire.answer("200 OK", BODY)

    _, received = exchanged(kit, answers, ask)

    assert received.startswith(b"GET /v1/call?createdAtGt=2026-12-01T08:00:00%2B00:00&limit=5 HTTP/1.1\r\n")


def test_a_compressed_answer_is_read(kit: Any) -> None:
    answer, _ = exchanged(kit, answering(body=gzip.compress(BODY), headers="Content-Encoding: gzip\r\n"), post)

    assert answer.json() == {"id": "call-1"}


def test_an_answer_that_only_says_that_it_is_compressed_is_no_answer(kit: Any) -> None:
    with pytest.raises(HttpError):
        exchanged(kit, answering(headers="Content-Encoding: gzip\r\n"), post)


def test_the_headers_of_an_answer_are_found_in_lower_case_and_joined(kit: Any) -> None:
    answer, _ = exchanged(kit, answering("429 Too Many", headers="Retry-After: 7\r\nX-Two: a\r\nX-Two: b\r\n"), post)

    assert answer.status == 429
    assert (answer.headers["retry-after"], answer.headers["x-two"]) == ("7", "a, b")
    assert "Retry-After" not in answer.headers


def test_an_answer_without_a_body_is_an_answer(kit: Any) -> None:
    answer, _ = exchanged(kit, answering("204 No Content", body=b""), post)

    assert (answer.status, answer.body) == (204, b"")


class NoTurn:
    """A permit whose turn does not come while it lasts."""

    async def turn(self) -> None:
        await asyncio.Event().wait()

    def check(self) -> None:
        return None

    def remaining(self) -> timedelta:
        return timedelta(seconds=0.3)


def test_a_turn_that_does_not_come_in_time_is_no_want_of_a_connection(kit: Any) -> None:
    """One was in hand: else the account is given a rest for it, and the call spends a request."""

    async def dial(client: HttpClient) -> None:
        with pytest.raises(PermitLapsedError):
            await client.request("POST", "/call", body=BODY, permit=NoTurn())

    short = Timeouts(write=timedelta(seconds=0.5), read=timedelta(seconds=0.5))
    _, received = exchanged(kit, answering(), dial, timeouts=short)

    assert received == b""
