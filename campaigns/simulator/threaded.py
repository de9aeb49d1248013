"""The simulator beside code that is not asynchronous, such as a test of a synchronous client.

with running_simulator(SimulatorConfig(speed=100)) as simulator:
    client = Vapi(token="any", base_url=simulator.base_url)
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.server import Simulator


@contextmanager
def running_simulator(config: SimulatorConfig | None = None) -> Iterator[Simulator]:
    """Runs on an event loop in a thread of its own until the block is left. Raises `OSError` when the port is taken."""
    simulator, loop = Simulator(config), asyncio.new_event_loop()
    told: SimpleQueue[Exception | None] = SimpleQueue()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            await simulator.start()
        except OSError as error:
            told.put(error)
            return
        told.put(None)
        await stop.wait()
        await simulator.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="simulator", daemon=True)
    thread.start()
    try:
        if (error := told.get()) is not None:
            raise error
        yield simulator
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
