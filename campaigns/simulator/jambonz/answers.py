"""Answers in jambonz's shapes."""

import math
from http import HTTPStatus

from aiohttp import web

from campaigns.simulator.answers import ok

NO_FEATURE_SERVER = "no available feature servers at this time"
LINK_LOST = "fetch failed"
TOO_MANY = "Too many requests, please try again later."


def problem(status: int, message: str) -> web.Response:
    """`{"msg": …}`."""
    return ok({"msg": message}, status=status)


def bare(status: int) -> web.Response:
    """Only the status in words, as text: `Unauthorized`, `Not Found`, `Internal Server Error`, `Accepted`."""
    return web.Response(status=status, text=HTTPStatus(status).phrase)


def over_rate(*, retry_after: float) -> web.Response:
    """429."""
    return web.Response(status=429, text=TOO_MANY, headers={"Retry-After": str(math.ceil(retry_after))})


class JambonzFaultAnswers:
    """What jambonz says when a fault was asked for."""

    def rate_limited(self, *, retry_after: int) -> web.Response:
        return over_rate(retry_after=retry_after)

    def server_error(self, *, status: int) -> web.Response:
        """500: the API server lost the feature server. Others come from what stands before the API server."""
        return problem(status, LINK_LOST) if status == HTTPStatus.INTERNAL_SERVER_ERROR else bare(status)

    def without_id(self) -> web.Response:
        return ok({}, status=201)
