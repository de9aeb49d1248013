"""Answers in Voxworks' shapes."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import ok

OVER_RATE = "Rate limit exceeded"


def success(body: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """`{"success": true, …}`."""
    return ok({"success": True, **body}, status=status)


def failure(status: int, message: str, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """`{"success": false, "message": …}`."""
    return ok({"success": False, "message": message}, status=status, headers=headers)


class VoxworksFaultAnswers:
    """What Voxworks says when a fault was asked for."""

    def rate_limited(self, *, retry_after: int) -> web.Response:
        headers = {"Retry-After": str(retry_after), "X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"}
        return failure(429, OVER_RATE, headers=headers)

    def server_error(self, *, status: int) -> web.Response:
        return failure(status, "Internal server error")

    def without_id(self) -> web.Response:
        return ok({"success": True, "status": "scheduled"}, status=201)
