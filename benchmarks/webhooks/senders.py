"""The provider's side of the intake benchmark, a process of its own: posts webhooks and times the answers.

    python -m benchmarks.webhooks.senders --port 8080 --path /webhooks/vapi/bench/1 --count 5000 --rate 700

Without `--rate` every connection sends again as soon as it is answered: the ceiling. With it webhooks come in at that
rate whatever the answers do, and a webhook's time counts from when it should have been sent.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.webhooks.bodies import report, request

TICK = 0.001
TIMEOUT = 60.0


@dataclass(slots=True)
class Score:
    """What was answered. `waits`: seconds, of small bodies."""

    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)


class Line(asyncio.Protocol):
    """One kept connection with at most one webhook on its way."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self._answer = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, content: bytes, *, due: float) -> None:
        """Send one webhook; `due`: when it should have been sent."""
        self._due = due
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) >= length:
            status, self._answer = int(head[9:12]), b""
            self._crowd.answered(self, status, time.perf_counter() - self._due)

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost()


class Crowd:
    """All connections, and what is still to be sent."""

    def __init__(self, requests: list[bytes], *, rate: float | None) -> None:
        self._requests = deque(requests)
        self._left = len(requests)
        self._rate = rate
        self._idle: deque[Line] = deque()
        self._late: deque[tuple[bytes, float]] = deque()
        self.score = Score()
        self.over = asyncio.get_running_loop().create_future()

    async def run(self, lines: list[Line]) -> float:
        """Send everything; returns the seconds until the last answer."""
        began = time.perf_counter()
        if self._rate is None:
            for line in lines[: len(self._requests)]:
                line.send(self._requests.popleft(), due=time.perf_counter())
        else:
            self._idle.extend(lines)
            await self._offer(began, self._rate)
        async with asyncio.timeout(TIMEOUT):
            await self.over
        return time.perf_counter() - began

    async def _offer(self, began: float, rate: float) -> None:
        for number, content in enumerate(list(self._requests)):
            due = began + number / rate
            while time.perf_counter() < due:  # noqa: ASYNC110 - there is nothing to wait for but the time
                await asyncio.sleep(TICK)
            if self._idle:
                self._idle.popleft().send(content, due=due)
            else:
                self._late.append((content, due))
        self._requests.clear()

    def answered(self, line: Line, status: int, seconds: float) -> None:
        """One answer came; the line may send again."""
        self.score.statuses[status] += 1
        self.score.waits.append(seconds)
        self._left -= 1
        if self._late:
            content, due = self._late.popleft()
            line.send(content, due=due)
        elif self._rate is None and self._requests:
            line.send(self._requests.popleft(), due=time.perf_counter())
        else:
            self._idle.append(line)
        if not self._left and not self.over.done():
            self.over.set_result(None)

    def lost(self) -> None:
        """A connection that the server closes while webhooks are to be sent spoils the figure."""
        if not self.over.done():
            self.over.set_exception(ConnectionError("the server closed a connection"))


async def _main(options: argparse.Namespace) -> None:
    requests = [
        request(report(number, size=options.size), path=options.path)
        for number in range(options.first, options.first + options.count)
    ]
    crowd = Crowd(requests, rate=options.rate)
    loop = asyncio.get_running_loop()
    lines = [
        (await loop.create_connection(lambda: Line(crowd), options.host, options.port))[1]
        for _ in range(options.connections)
    ]
    gc.freeze()  # the sender's own pauses would be taken for the server's
    seconds = await crowd.run(lines)
    waits = sorted(crowd.score.waits)
    figures = {
        "answers": dict(crowd.score.statuses),
        "seconds": round(seconds, 3),
        "per_second": round(len(waits) / seconds, 1),
        **{f"{name}_ms": round(1000 * wait, 2) for name, wait in _percentiles(waits)},
        "body_bytes": len(report(options.first, size=options.size)),
        "sender_cpu_s": round(time.process_time(), 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _percentiles(waits: list[float]) -> Iterator[tuple[str, float]]:
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("worst", 1.0)):
        yield name, waits[min(len(waits) - 1, int(share * len(waits)))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--first", type=int, default=0, help="the first call's number: other numbers are other events")
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--size", type=int, default=10_000, help="bytes of a body")
    parser.add_argument("--rate", type=float, help="webhooks a second; default: as fast as they are answered")
    asyncio.run(_main(parser.parse_args()))
