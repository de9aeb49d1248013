"""The simulator as a server: `async with Simulator(config) as simulator: … simulator.base_url`."""

import asyncio
import json
import signal
import sys
from typing import Self

from aiohttp import web

from campaigns.simulator.answers import dated
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.control import ControlEndpoints
from campaigns.simulator.jambonz.endpoints import JambonzEndpoints
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.endpoints import VapiEndpoints
from campaigns.simulator.voxworks.endpoints import VoxworksEndpoints

MAX_BODY = 10 * 1024 * 1024
SHUTDOWN_SECONDS = 0.5
BACKLOG = 1024

ENDPOINTS = (ControlEndpoints, VapiEndpoints, JambonzEndpoints, VoxworksEndpoints)
"""All on one port: their paths do not meet."""


class Simulator:
    """Starts and stops on the running event loop. Its `simulation` holds config, ledger and calls."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        self.simulation = Simulation(self.config)
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, once started."""
        return self.simulation.base_url

    async def start(self) -> str:
        """Listen, and return the base URL. Raises `OSError` when the port is taken."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.config.host, self.config.port, backlog=BACKLOG)
        await site.start()
        port = self._runner.addresses[0][1]
        self.simulation.base_url = f"http://{self.config.host}:{port}"
        return self.base_url

    async def stop(self) -> None:
        """Stop listening, drop undelivered webhooks, close the log."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self.simulation.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY)
        for endpoints in ENDPOINTS:
            application.add_routes(endpoints(self.simulation).routes())
        application.on_response_prepare.append(self._stamp)
        return application

    async def _stamp(self, _request: web.Request, response: web.StreamResponse) -> None:
        if self.simulation.config.clock_offset:
            dated(response, now_ms=self.simulation.clock.now_ms())


async def serve(config: SimulatorConfig) -> None:
    """Run until SIGINT or SIGTERM. Prints one JSON line with the URL as soon as it listens."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Simulator(config) as simulator:
        sys.stdout.write(json.dumps({"event": "simulator_ready", "url": simulator.base_url}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def run_simulator(config: SimulatorConfig) -> None:
    """Block until told to stop."""
    asyncio.run(serve(config))
