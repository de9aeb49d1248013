"""Who may ask, and how often."""

import math
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from aiohttp import web

from campaigns.simulator.simulation import Simulation
from campaigns.simulator.voxworks.answers import OVER_RATE, failure

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NO_KEY = "Missing or malformed authorization header"
WRONG_KEY = "Invalid API key"


class Gatekeeper:
    """Stands before every handler: first the key, then the limit."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._window_ends = 0.0
        self._requests = 0

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind both. With a limit, every answer tells what is left of it."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if (complaint := self._complaint(request)) is not None:
                return failure(401, complaint)
            limit = self._simulation.config.voxworks.rate_limit
            if limit is None:
                return await handler(request)
            self._count()
            answer = failure(429, OVER_RATE) if self._requests > limit else await handler(request)
            if answer.status == 429:
                answer.headers["Retry-After"] = self._retry_after()
            answer.headers["X-RateLimit-Limit"] = str(limit)
            answer.headers["X-RateLimit-Remaining"] = str(max(0, limit - self._requests))
            return answer

        return guarded

    def _complaint(self, request: web.Request) -> str | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            return NO_KEY
        expected = self._simulation.config.api_key
        return None if expected is None or key == expected else WRONG_KEY

    def _count(self) -> None:
        now = time.monotonic()
        if now >= self._window_ends:
            self._window_ends, self._requests = now + self._simulation.config.voxworks.rate_window, 0
        self._requests += 1

    def _retry_after(self) -> str:
        left = math.ceil(max(0.0, self._window_ends - time.monotonic()))
        if self._simulation.config.voxworks.retry_after_as == "seconds":
            return str(left)
        return formatdate(time.time() + left, usegmt=True)
