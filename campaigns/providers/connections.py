"""Connections to a provider: when one is held, and whether the permit still allows to use it.

The permit is looked at twice. Once when a connection is held, where the dial also waits for its turn: a lapsed permit
then costs nothing, and the connection goes back to the pool. And once more in the call that hands headers and body to
the socket, because on Python 3.11 aiohttp writes from a task of its own, and a busy event loop may take its time to
start that task.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from campaigns.providers.contract import PermitGuard, PermitLapsedError

KEEP_ALIVE = timedelta(seconds=4)
"""Node servers drop idle connections after 5 s. Letting go first avoids writing a dial into a closing connection,
which could not be told from a dial that was read."""


@dataclass(slots=True)
class Exchange:
    """What the connection hooks share with the request they run under."""

    permit: PermitGuard | None
    connected: bool = False
    """A connection was obtained: from here on the request may leave."""
    writing: bool = False
    """The first bytes were allowed to leave; the permit has done its work."""
    lapsed: PermitLapsedError | None = None
    """The permit stopped this exchange before its first byte."""

    async def await_turn(self) -> None:
        """Wait for the dial's instant. Raises `PermitLapsedError`, and remembers it."""
        try:
            if self.permit is not None:
                await self.permit.turn()
        except PermitLapsedError as lapse:
            self.lapsed = lapse
            raise
        except asyncio.CancelledError:
            # The time-out for connecting ran out, which is the permit's: a process that stood still finds both over.
            self.lapsed = PermitLapsedError()
            raise

    def require_permit(self) -> None:
        """Raises `PermitLapsedError`, and remembers it: aiohttp wraps what its writer raises beyond recognition."""
        try:
            if self.permit is not None and not self.writing:
                self.permit.check()
        except PermitLapsedError as lapse:
            self.lapsed = lapse
            raise


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def running(exchange: Exchange) -> Iterator[None]:
    """The hooks below see this exchange while the block runs in this task."""
    token = _exchange.set(exchange)
    try:
        yield
    finally:
        _exchange.reset(token)


async def _note_connection(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: object) -> None:
    if (exchange := _exchange.get()) is not None:
        exchange.connected = True


async def _before_writing(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: object) -> None:
    """aiohttp keeps the headers back until the first piece of the body, and calls this just before writing both."""
    if (exchange := _exchange.get()) is not None:
        exchange.require_permit()
        exchange.writing = True


def _connection_trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_note_connection)
    trace.on_connection_reuseconn.append(_note_connection)
    trace.on_request_headers_sent.append(_note_connection)
    trace.on_request_chunk_sent.append(_before_writing)
    return trace


class GuardedConnector(aiohttp.TCPConnector):
    """Looks at the permit once a connection is held.

    Here and not in a trace callback: aiohttp neither closes nor returns the connection under which a callback raised,
    so every lapsed permit would leak a socket.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        exchange = _exchange.get()
        if exchange is None:
            return connection
        # The request gets its connection only when this returns: until then certainly nothing was sent.
        exchange.connected = False
        try:
            await exchange.await_turn()
            _require_open(connection)
        except BaseException:
            connection.release()
            raise
        exchange.connected = True
        return connection


def _require_open(connection: Connection) -> None:
    """A dial waits for its turn with the connection in hand. One that the server closed meanwhile is none, and that is
    certain; once written to, nobody could tell whether the dial was read."""
    if connection.protocol is None or not connection.protocol.is_connected():
        raise aiohttp.ClientConnectionError("the server closed the connection before the request began")


def new_session(*, max_connections: int, tls: ssl.SSLContext) -> aiohttp.ClientSession:
    """A session on the running event loop. No cookies: nothing of one call may travel with another."""
    connector = GuardedConnector(limit=max_connections, keepalive_timeout=KEEP_ALIVE.total_seconds(), ssl=tls)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[_connection_trace()]
    )
