"""Who may ask: private keys for everything, public ones for calls from a browser."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.answers import WRONG_KEY, Problem, problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Keys:
    """Wraps handlers. A request without `User-Agent` does not even reach Vapi."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def private(self, handler: Handler) -> Handler:
        """Any key that is not the public one, if no `api_key` is configured."""
        return self._guarded(handler, allows=self._is_private)

    def public(self, handler: Handler) -> Handler:
        """The private key is refused."""
        return self._guarded(handler, allows=self._is_public)

    def _guarded(self, handler: Handler, *, allows: Callable[[str], bool]) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not request.headers.get("User-Agent"):
                return web.Response(status=403, text="error code: 1010")
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            allowed = scheme == "Bearer" and bool(key) and allows(key)
            answer = await handler(request) if allowed else problem(401, WRONG_KEY)
            shape = self._simulation.config.vapi.error_shape
            return answer.shaped(shape) if isinstance(answer, Problem) else answer

        return guarded

    def _is_private(self, key: str) -> bool:
        config = self._simulation.config
        return key == config.api_key if config.api_key is not None else key != config.vapi.public_key

    def _is_public(self, key: str) -> bool:
        config = self._simulation.config
        return key == config.vapi.public_key if config.vapi.public_key is not None else key != config.api_key
