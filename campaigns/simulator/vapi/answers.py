"""Answers in Vapi's shapes, and the ways not to answer."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from aiohttp import web

TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests",
          500: "Internal Server Error", 502: "Bad Gateway"}  # fmt: skip

WRONG_KEY = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."

HOLD_SECONDS = 300.0
"""A create that is never answered lets go after this, so that abandoned connections do not pile up for ever."""

_RESET = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset instead of a goodbye."""


def ok(body: Any, *, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")


def problem(status: int, message: str | list[str], *, headers: Mapping[str, str] | None = None) -> web.Response:
    """`{"message": …, "error": "Bad Request", "statusCode": 400}`."""
    body = {"message": message, "error": TITLES[status], "statusCode": status}
    return web.json_response(body, status=status, headers=headers)


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
