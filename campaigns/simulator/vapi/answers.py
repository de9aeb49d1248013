"""Refusals in Vapi's shapes and words."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from campaigns.simulator.answers import ok
from campaigns.simulator.vapi.config import ErrorShape

WRONG_KEY = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa."
OVER_RATE = "Rate limit exceeded"
NO_JSON = "Unexpected token in JSON"


class Problem(web.Response):
    """A refusal that can be told in several shapes."""

    def __init__(self, status: int, message: str | list[str], *, headers: Mapping[str, str] | None = None) -> None:
        body: Any = {"message": message, "error": _phrase(status), "statusCode": status}
        encoded = ok(body).body
        super().__init__(body=encoded, status=status, headers=headers, content_type="application/json")
        self.message = message
        self._own_headers = headers

    def shaped(self, shape: ErrorShape) -> web.Response:
        """The same refusal in another shape."""
        text = self.message if isinstance(self.message, str) else "; ".join(self.message)
        match shape:
            case ErrorShape.PLAIN:
                return ok({"error": text}, status=self.status, headers=self._own_headers)
            case ErrorShape.TEXT:
                return web.Response(text=text, status=self.status, headers=self._own_headers)
            case _:
                return self


def _phrase(status: int) -> str:
    """Those of Cloudflare, 520 and above, have no name of their own."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Error"


def problem(status: int, message: str | list[str], *, headers: Mapping[str, str] | None = None) -> Problem:
    """`{"message": …, "error": "Bad Request", "statusCode": 400}`."""
    return Problem(status, message, headers=headers)


def refused(problems: list[str]) -> Problem:
    """400 with one complaint, or the list of them."""
    return problem(400, problems[0] if len(problems) == 1 else problems)


class VapiFaultAnswers:
    """What Vapi says when a fault was asked for."""

    def rate_limited(self, *, retry_after: int) -> web.Response:
        return problem(429, OVER_RATE, headers={"Retry-After": str(retry_after)})

    def server_error(self, *, status: int) -> web.Response:
        return problem(status, _phrase(status).capitalize())

    def without_id(self) -> web.Response:
        return ok({"status": "queued"}, status=201)
