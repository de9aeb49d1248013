"""What each part of a dial costs in processor time, alone and undisturbed by the clock.

    python -m benchmarks.dialing.parts --calls 4000

`product.py` says what a machine can do; on a machine that does other things besides, its figures say more about those.
Here every part works through the same calls one after the other in this process, and only processor time is counted:
of this process, and of Postgres. Microseconds a dial.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psutil
from sqlalchemy import Engine, text

from benchmarks.dialing.product import SETTINGS, expand
from benchmarks.house import House, a_house, show
from campaigns.providers.contract import DialRequest, Placed
from campaigns.providers.http import HttpClient
from campaigns.providers.vapi.client import VapiProvider
from campaigns.providers.vapi.requests import create_body, encoded
from campaigns.runtime.law import gatekeeper
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.services.claim import Claim, Claimed, ClaimedCall
from campaigns.services.dispatch import request_of
from campaigns.services.feed import Feed
from campaigns.services.plans import Definitions
from campaigns.services.ports import CallRef
from campaigns.services.record import Fact, Recorder
from campaigns.services.seal import Seal
from campaigns.store.engine import open_engine

IN_FLIGHT = 64
RECORD_BATCH = 50
PROVIDER = "http://127.0.0.1:{port}"
LIMITS_OUT_OF_THE_WAY = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=4_000)
    options = parser.parse_args()
    with a_house() as house, a_stub() as port:
        engine = prepared(house)
        try:
            measure(house, engine, calls=options.calls, port=port)
        finally:
            engine.dispose()


def measure(house: House, engine: Engine, *, calls: int, port: int) -> None:
    """Feed, claim, dial, record and seal that many calls."""
    expand(house, engine, name="parts", calls=calls)
    meter = _Meter(house.postgres.pid, calls)
    groups = _Groups()
    with engine.begin() as connection:
        (limit_group,) = connection.execute(text("SELECT limit_group FROM accounts")).scalars()
    feed = Feed(engine, groups)
    with meter.part("feed"):
        while feed.run(limit_group).released:
            pass
    claim = Claim(engine, gatekeeper(), Definitions())
    claim.run(groups.taken[0][1][:1], campaign_id=groups.taken[0][0], task_id="warm")
    with meter.part("claim"):
        claimed = [claim.run(refs, campaign_id=campaign_id, task_id="parts") for campaign_id, refs in groups.taken]
    dialed = [each for each in claimed if each is not None]
    attempts = [call.attempt_id for each in dialed for call in each.calls]
    with meter.part("body"):
        for request in requests(dialed):
            encoded(create_body(request))
    asyncio.run(_post_all(meter, list(requests(dialed)), port=port))
    recorder = Recorder(engine, gatekeeper(), Definitions())
    facts = [Fact(attempt, Placed(str(uuid4()), timedelta()), datetime.now(UTC)) for attempt in attempts]
    recorder.run(facts[:1])
    with meter.part("record"):
        for start in range(1, len(facts), RECORD_BATCH):
            recorder.run(facts[start : start + RECORD_BATCH])
    with meter.part("seal"):
        Seal(engine).run()
    ours = ("feed", "claim", "body", "post", "record", "seal")
    show("a dial", dials=len(attempts), microseconds=round(sum(meter.total[part] for part in ours)))


def requests(claimed: Sequence[Claimed]) -> Iterator[DialRequest]:
    """As a worker would send them, under permits that never end."""
    for each in claimed:
        for call in each.calls:
            yield _request(call, each)


def _request(call: ClaimedCall, claimed: Claimed) -> DialRequest:
    permit: Any = _Unending()
    return request_of(call, permit, claimed, webhook=None)


class _Unending:
    async def turn(self) -> None:
        return

    def check(self) -> None:
        return

    def remaining(self) -> timedelta:
        return timedelta(minutes=1)


async def _post_all(meter: "_Meter", dials: Sequence[DialRequest], *, port: int) -> None:
    url = PROVIDER.format(port=port)
    client = HttpClient(url, headers={"Authorization": "Bearer simulator"})
    provider = VapiProvider(client)
    bodies = [encoded(create_body(dial)) for dial in dials]
    await _each(provider.dial, dials[:IN_FLIGHT])
    with meter.part("post"):
        await _each(provider.dial, dials)
    with meter.part("post: the client alone"):
        await _each(lambda body: client.request("POST", "/call", body=body), bodies)
    await provider.aclose()
    async with aiohttp.ClientSession() as session:

        async def bare(body: bytes) -> None:
            async with session.post(url + "/call", data=body, headers={"Content-Type": "application/json"}) as answer:
                await answer.read()

        await _each(bare, bodies[:IN_FLIGHT])
        with meter.part("post: aiohttp alone"):
            await _each(bare, bodies)


async def _each(act: Callable[[Any], Awaitable[Any]], items: Sequence[Any]) -> None:
    """So many at once as an ordinary worker has in flight."""
    left = iter(items)

    async def lane() -> None:
        for item in left:
            await act(item)

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))


@dataclass(slots=True)
class _Groups:
    """A publisher that keeps what it is given."""

    taken: list[tuple[int, Sequence[CallRef]]] = field(default_factory=list)

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        self.taken.append((campaign_id, group))

    def request_feed(self, limit_group: str) -> None:
        """Asked for anyway."""

    def backlog(self) -> int:
        return len(self.taken)


class _Meter:
    """Processor time by part, a dial."""

    def __init__(self, postgres: int, dials: int) -> None:
        self._postgres = psutil.Process(postgres)
        self._dials = dials
        self.total: dict[str, float] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        own, database = time.process_time_ns(), self._database()
        yield
        own, database = time.process_time_ns() - own, self._database() - database
        self.total[name] = (own + database) / 1000 / self._dials
        show(
            name,
            microseconds=round(own / 1000 / self._dials, 1),
            postgres_microseconds=round(database / 1000 / self._dials, 1),
        )

    def _database(self) -> int:
        """Nanoseconds on a processor, of all of Postgres's processes."""
        return sum(_on_cpu(each.pid) for each in (self._postgres, *self._postgres.children()))


def _on_cpu(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])
    return 0


def prepared(house: House) -> Engine:
    """The schema, and one account whose limits are out of the way (further than a setting may go)."""
    settings = SETTINGS.format(url="http://127.0.0.1:9", rate=1000)
    (house.home / "ringfence.toml").write_text(settings, encoding="utf-8")
    prepare_database(house.postgres.url, load_settings(house.programs.beat().environment, cwd=house.home))
    engine = open_engine(house.postgres.url, pool_size=2)
    with engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET calls_per_second = :rate"), {"rate": LIMITS_OUT_OF_THE_WAY})
    return engine


@contextlib.contextmanager
def a_stub() -> Iterator[int]:
    """The cheapest possible provider, in a process of its own; yields its port."""
    stub = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.dialing.stub"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert stub.stdout is not None
    try:
        yield int(stub.stdout.readline())
    finally:
        stub.terminate()
        stub.wait()


if __name__ == "__main__":
    main()
