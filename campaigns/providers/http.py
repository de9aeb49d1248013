"""The one place that builds HTTP clients, and the only module that imports httpx.

What an error proves is decided here, once, from the connection and never from the exception's class: with
the aiohttp transport a server that reads a POST and then resets shows as `httpx.ConnectTimeout`.

    HttpError
    ├── NoConnectionError    no connection was obtained: certainly not one byte was sent
    └── ExchangeError        a connection was held: the request may have been read and acted upon

A POST leaves once. aiohttp repeats only GET, HEAD, OPTIONS, TRACE, PUT and DELETE, after a kept-alive connection that
the server had closed; nobody else repeats anything, and no redirect is followed.

Requests go to httpx's transport as they are, past `httpx.AsyncClient`: what that adds (cookies, redirects, a URL parsed
and headers merged anew for every request) is either unwanted here or costs more than the exchange itself.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import httpx
from httpx_aiohttp import AiohttpTransport

from campaigns.providers.connections import Exchange, new_session, running
from campaigns.providers.contract import PermitGuard, PermitLapsedError

Clock = Callable[[], datetime]

USER_AGENT = "ringfence/0.1"
"""Vapi's front door answers 403 to a request that has no User-Agent."""

ALWAYS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
JSON_BODY = {"Content-Type": "application/json"}

SHORTEST_CONNECT = timedelta(milliseconds=1)
"""aiohttp reads a time-out of zero as "for ever"."""


class HttpError(Exception):
    """The exchange brought no answer. The message names the cause and holds nothing of the request."""


class NoConnectionError(HttpError):
    """No connection was obtained: certainly nothing was sent."""


class ExchangeError(HttpError):
    """A connection was held, so the request may have been read and acted upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long each part of an exchange may take."""

    connect: timedelta = timedelta(seconds=5)
    """One TCP and TLS handshake."""
    pool: timedelta = timedelta(seconds=5)
    """All of it until a connection is held: waiting for a free one, names, handshakes. A permit shortens it."""
    write: timedelta = timedelta(seconds=5)
    """Bodies are a few kilobytes; a server that takes longer to read one is stuck."""
    read: timedelta = timedelta(seconds=20)
    """From the last byte sent to the last byte of the answer."""

    @property
    def exchange(self) -> timedelta:
        """Every request is over this long after the permit's `send_by`: so long must rescue wait."""
        return self.write + self.read


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    sent_at: datetime
    received_at: datetime

    def json(self) -> Any:
        """The decoded body. Raises `ValueError` when it is no JSON, or nested beyond all sense."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def utc_now() -> datetime:
    """The machine clock."""
    return datetime.now(UTC)


class HttpClient:
    """One pool of connections to one provider. Belongs to the event loop that makes its first request."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        timeouts: Timeouts | None = None,
        max_connections: int = 256,
        tls: ssl.SSLContext | None = None,
        now: Clock = utc_now,
    ) -> None:
        """`tls`: another trust store; by default certificates are verified as browsers do."""
        self.timeouts = timeouts or Timeouts()
        self._base_url = base_url.rstrip("/")
        self._now = now
        public = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        self._headers = {
            (authorized, with_body): httpx.Headers(
                {**ALWAYS, **(headers if authorized else public), **(JSON_BODY if with_body else {})}
            )
            for authorized in (True, False)
            for with_body in (True, False)
        }
        trust = tls or httpx.create_ssl_context()
        self._transport = AiohttpTransport(
            verify=trust, client=lambda: new_session(max_connections=max_connections, tls=trust)
        )

    async def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
        permit: PermitGuard | None = None,
        read: timedelta | None = None,
        authorized: bool = True,
    ) -> HttpAnswer:
        """Send one request and read the whole answer.

        `target`: a path below the base URL, or a whole URL. `body`: JSON, encoded.
        `read`: another read time-out, for long lists.
        `authorized`: False keeps the account's key away from a URL that is not the provider's API.
        Raises `NoConnectionError`, `ExchangeError`, and `PermitLapsedError`: the permit was over, nothing was sent.
        """
        exchange = Exchange(permit)
        budget = self._connect_budget(permit)
        deadline = budget + self.timeouts.write + (read or self.timeouts.read)
        request = httpx.Request(
            method,
            _url(target if "://" in target else self._base_url + target, params),
            headers=self._headers[authorized, body is not None],
            stream=httpx.ByteStream(body or b""),
            extensions={"timeout": self._times(budget, read)},
        )
        request.read()  # a body that is at hand: the transport sends it as a whole, with its length
        with running(exchange), _meaning(exchange):
            async with asyncio.timeout(deadline.total_seconds()):
                return await self._exchange(request)

    def _connect_budget(self, permit: PermitGuard | None) -> timedelta:
        """Connecting must fit in what remains of the permit."""
        if permit is None:
            return self.timeouts.pool
        permit.check()
        return max(SHORTEST_CONNECT, min(self.timeouts.pool, permit.remaining()))

    def _times(self, budget: timedelta, read: timedelta | None) -> dict[str, float]:
        return {
            "connect": min(self.timeouts.connect, budget).total_seconds(),
            "pool": budget.total_seconds(),
            "write": self.timeouts.write.total_seconds(),
            "read": (read or self.timeouts.read).total_seconds(),
        }

    async def _exchange(self, request: httpx.Request) -> HttpAnswer:
        sent_at = self._now()
        answer = await self._transport.handle_async_request(request)
        headers = _plain(answer.headers.raw)
        try:
            body = await _whole_body(answer, is_packed="content-encoding" in headers)
        finally:
            await answer.aclose()
        return HttpAnswer(answer.status_code, headers, body, sent_at, self._now())

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Creates all go to one address; parsing it costs as much as sending to it."""
    return httpx.URL(url)


def _url(url: str, params: Mapping[str, str] | None) -> httpx.URL:
    return httpx.URL(url, params=params) if params else _parsed(url)


async def _whole_body(answer: httpx.Response, *, is_packed: bool) -> bytes:
    """Read to the end, and unpacked."""
    if is_packed:
        return await answer.aread()
    return b"".join([piece async for piece in cast("httpx.AsyncByteStream", answer.stream)])


def _plain(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    plain: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


@contextmanager
def _meaning(exchange: Exchange) -> Iterator[None]:
    """Turn whatever the libraries raise into what it proves; only our own permit speaks for itself."""
    try:
        yield
    except PermitLapsedError:
        raise
    except Exception as error:
        raise exchange.lapsed or _proof(exchange, error) from error


def _proof(exchange: Exchange, error: Exception) -> HttpError:
    cause = type(error.__cause__ or error).__name__
    if exchange.connected:
        return ExchangeError(f"the connection broke before a whole answer was read ({cause})")
    return NoConnectionError(f"no connection to the provider ({cause})")
