"""Refusals in Vapi's shape."""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from campaigns.simulator.answers import ok

WRONG_KEY = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."
OVER_RATE = "Rate limit exceeded"


def problem(status: int, message: str | list[str], *, headers: Mapping[str, str] | None = None) -> web.Response:
    """`{"message": …, "error": "Bad Request", "statusCode": 400}`."""
    body = {"message": message, "error": HTTPStatus(status).phrase, "statusCode": status}
    return web.json_response(body, status=status, headers=headers)


class VapiFaultAnswers:
    """What Vapi says when a fault was asked for."""

    def rate_limited(self, *, retry_after: int) -> web.Response:
        return problem(429, OVER_RATE, headers={"Retry-After": str(retry_after)})

    def server_error(self, *, status: int) -> web.Response:
        return problem(status, HTTPStatus(status).phrase.capitalize())

    def without_id(self) -> web.Response:
        return ok({"status": "queued"}, status=201)
