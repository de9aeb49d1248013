"""Answers that all providers give alike, and the ways not to answer."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from aiohttp import web

HOLD_SECONDS = 300.0
"""A create that is never answered lets go after this, so that abandoned connections do not pile up for ever."""

_RESET = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset instead of a goodbye."""


def ok(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    encoded = json.dumps(body).encode()
    return web.Response(body=encoded, status=status, content_type="application/json", headers=headers)


async def json_object(request: web.Request) -> dict[str, Any] | None:
    """The body, or None when it is no JSON object."""
    try:
        body = json.loads(await request.read(), parse_constant=_refuse)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refuse(constant: str) -> None:
    """Python reads `NaN` and `Infinity`; the providers do not, and no timer could be set by them."""
    raise ValueError(f"{constant} is no JSON")


def dated(response: web.StreamResponse, *, now_ms: int) -> None:
    """Stamp an answer with the provider's clock instead of ours."""
    response.headers["Date"] = formatdate(now_ms / 1000, usegmt=True)


def reset(request: web.Request) -> web.Response:
    """Break the connection without an answer."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    return web.Response()


async def never(request: web.Request) -> web.Response:
    """Keep the client waiting for longer than it can want to."""
    await asyncio.sleep(HOLD_SECONDS)
    return reset(request)
