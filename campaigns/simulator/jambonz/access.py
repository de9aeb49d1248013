"""Who may ask, and how often: the key, the account and jambonz's rate limit."""

import math
import time
from collections.abc import Awaitable, Callable
from functools import wraps

from aiohttp import web

from campaigns.simulator.jambonz.answers import bare, over_rate, problem
from campaigns.simulator.simulation import Simulation

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gatekeeper:
    """Stands before every handler. Requests are counted for all keys together, as jambonz does by itself."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._window_ends = 0.0
        self._requests = 0

    def guarded(self, handler: Handler) -> Handler:
        """The handler, behind rate limit and key."""

        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            if (refusal := self._over_rate()) is not None:
                return refusal
            return await handler(request) if self._has_key(request) else bare(401)

        return guarded

    def of_account(self, handler: Handler) -> Handler:
        """The same, and the account must be the key's."""

        async def of_account(request: web.Request) -> web.StreamResponse:
            expected = self._simulation.config.jambonz.account_sid
            if expected is not None and request.match_info["account_sid"] != expected:
                return problem(403, "insufficient permissions")
            return await handler(request)

        return self.guarded(of_account)

    def _has_key(self, request: web.Request) -> bool:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        expected = self._simulation.config.api_key
        return scheme.lower() == "bearer" and bool(key) and (expected is None or key == expected)

    def _over_rate(self) -> web.Response | None:
        jambonz, now = self._simulation.config.jambonz, time.monotonic()
        if jambonz.rate_limit is None:
            return None
        if now >= self._window_ends:
            self._window_ends, self._requests = now + jambonz.rate_window, 0
        self._requests += 1
        if self._requests <= jambonz.rate_limit:
            return None
        left = self._window_ends - now
        answer = over_rate(retry_after=left)
        answer.headers["RateLimit-Limit"] = str(jambonz.rate_limit)
        answer.headers["RateLimit-Remaining"] = "0"
        answer.headers["RateLimit-Reset"] = str(math.ceil(left))
        return answer
