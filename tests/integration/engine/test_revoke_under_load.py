"""Revoking while hundreds of dials run: when `revoke` has returned, nothing reaches the provider for that number."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Lock
from typing import Any

import pytest
from sqlalchemy import Engine

from campaigns.cli.session import wait
from campaigns.providers.contract import (
    Capabilities,
    DialRequest,
    DialResult,
    NotDialed,
    NotDialedKind,
    PermitLapsedError,
    Placed,
)
from campaigns.services.machine_clock import monotonic
from campaigns.services.revoke import Revoke
from campaigns.store.engine import open_engine

CALLS = 1_200
WORKERS = 8
REVOKERS, REVOCATIONS_EACH = 6, 8

ON_THEIR_WAY = """
    SELECT f.number FROM (SELECT number FROM attempts WHERE state = 'dialing' ORDER BY claimed_at DESC LIMIT 40) f
    ORDER BY md5(f.number || :salt) LIMIT 1
"""
"""The youngest permits: most of their requests have yet to leave."""
WAITING = """
    SELECT number FROM calls WHERE state IN ('scheduled', 'queued') ORDER BY md5(number || :salt) LIMIT 1
"""


class SlowPool:
    """A provider whose connections take up to 1.1 s to come by, so that requests leave all through a permit's life."""

    capabilities = Capabilities(lists_calls=True, cancels_waiting=True, ends_live=True, signs_webhooks=False)

    def __init__(self) -> None:
        self.received = defaultdict[str, list[float]](list)
        self._chance = random.Random(7)

    async def dial(self, request: DialRequest) -> DialResult:
        await asyncio.sleep(self._chance.uniform(0, 1.1))
        try:
            request.permit.check()
        except PermitLapsedError:
            return NotDialed(NotDialedKind.PERMIT_LAPSED, "the permit was over before the request could leave")
        self.received[request.number].append(monotonic())
        return Placed(f"call-{request.attempt_id}")


@dataclass
class Revocation:
    """Instants of the machine's clock."""

    number: str
    committed_at: float = 0.0
    returned_at: float = 0.0


@pytest.fixture
def database(database_url: str) -> Any:
    """With connections for all the threads of this test."""
    engine = open_engine(database_url, pool_size=WORKERS + REVOKERS + 6)
    yield engine
    engine.dispose()


def fill(world: Any, calls: int) -> None:
    """One campaign with so many due calls to people who consented."""
    world.sql("UPDATE accounts SET concurrency = 100000, calls_per_second = 5000")
    world.campaign()
    world.sql(
        """WITH n AS (SELECT '+1212' || (2000000 + i) AS number, i FROM generate_series(1, :calls) AS i),
        u AS (INSERT INTO customers (run_id, row_number, number, restriction)
            SELECT r.id, n.i, n.number, 0 FROM n, runs r RETURNING id, run_id, number),
        c AS (INSERT INTO consents (number, level, seller, obtained_at, source, recorded_by)
            SELECT number, 'pewc', 'Example Energy, Inc.', '2026-09-01', 'form', 'test' FROM n)
        INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, due_at, closes_at)
        SELECT u.id, u.run_id, r.campaign_id, g.id, u.number, 'scheduled', r.earliest_at, r.latest_at
        FROM u JOIN zone_groups g ON g.run_id = u.run_id JOIN runs r ON r.id = u.run_id""",
        calls=calls,
    )


def run_until(done: Event, act: Callable[[], object]) -> None:
    """`act` again and again, with a breath in between."""
    while not done.wait(0.01):
        act()


def revoke_some(world: Any, chance: random.Random) -> list[Revocation]:
    """Revoke people whose requests are on their way right now, and people who wait."""
    revoked: list[Revocation] = []
    for turn in range(REVOCATIONS_EACH):
        found = world.sql(ON_THEIR_WAY if turn % 2 else WAITING, salt=str(chance.random()))
        for row in found:
            revocation = Revocation(row.number)

            def really_wait(duration: timedelta, revocation: Revocation = revocation) -> None:
                revocation.committed_at = monotonic()
                wait(duration)

            Revoke(world.database, operator="ann", wait=really_wait).run(row.number)
            revocation.returned_at = monotonic()
            revoked.append(revocation)
    return revoked


@pytest.mark.timeout(150)
def test_nothing_leaves_for_a_number_after_its_revocation_returned(world: Any, database: Engine) -> None:
    fill(world, CALLS)
    pool = SlowPool()
    world.dispatch._providers = {"sim": pool}
    finished, taking = Event(), Lock()

    def work() -> None:
        with taking:
            message = world.publisher.messages.pop(0) if world.publisher.messages else None
        if message is not None:
            world.dispatch.run(message[1], campaign_id=message[0], task_id="task-1")

    with ThreadPoolExecutor(WORKERS + REVOKERS + 1) as threads:
        tasks = [threads.submit(run_until, finished, lambda: world.feed.run("g"))]
        tasks += [threads.submit(run_until, finished, work) for _ in range(WORKERS)]
        try:
            while len(pool.received) < 100:
                assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
                finished.wait(0.02)
            revokers = [threads.submit(revoke_some, world, random.Random(seed)) for seed in range(REVOKERS)]
            revoked = [revocation for task in revokers for revocation in task.result()]
            while world.one("SELECT count(*) FROM calls WHERE state IN ('scheduled', 'queued', 'dialing')"):
                assert not any(task.done() for task in tasks)
                finished.wait(0.1)
        finally:
            finished.set()
        for task in tasks:
            task.result()

    late = [each for each in revoked if any(at > each.returned_at for at in pool.received[each.number])]
    between = [each for each in revoked if any(at > each.committed_at for at in pool.received[each.number])]
    never = [each for each in revoked if not pool.received[each.number]]
    assert late == []
    assert between, "no request left after a commit: then waiting for the permits would prove nothing"
    assert never, "nobody was spared: then the revocations would prove nothing"
    assert len(revoked) > REVOKERS * REVOCATIONS_EACH / 2
    assert max(map(len, pool.received.values())) == 1
    assert sum(map(len, pool.received.values())) > CALLS * 0.9
    states = world.sql(
        "SELECT DISTINCT state, reason FROM calls WHERE number = ANY(:numbers)", numbers=[each.number for each in never]
    )
    assert [tuple(row) for row in states] == [("blocked", "REV-ACTIVE")]
