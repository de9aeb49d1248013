"""What everybody leans on is gone for a while: Valkey, Postgres, its connections, its disk, every worker."""

from contextlib import ExitStack
from datetime import timedelta
from time import monotonic

import psycopg
from harness.faults import Fault
from harness.scene import Scene, let_pass

from campaigns.runtime.publisher import publisher_at

OUTAGE = timedelta(seconds=10)
"""Long enough for every client to fail several times, short enough for the window of a trial."""
LONG_OUTAGES = {
    Fault.VALKEY_AWAY: timedelta(seconds=60),
    Fault.POSTGRES_AWAY: timedelta(seconds=30),
    Fault.NO_WORKER: timedelta(seconds=60),
}
LONG_ROUND = 1
"""The second round, if there is one, has the long outages; its campaigns have a longer window for them."""
TAKEN = timedelta(seconds=6)
"""How long nobody of ours gets a connection."""
LOOK_AGAIN = timedelta(milliseconds=200)


def outage_of(fault: Fault, *, round_number: int) -> timedelta:
    """How long it is gone."""
    return LONG_OUTAGES.get(fault, OUTAGE) if round_number == LONG_ROUND else OUTAGE


def flush_valkey(scene: Scene) -> None:
    """`FLUSHALL`."""
    scene.stack.flush_valkey()
    scene.strike()


def empty_valkey(scene: Scene) -> None:
    """Dead, and at once back with nothing."""
    scene.stack.restart_valkey_empty()
    scene.strike()


def take_valkey_away(scene: Scene) -> None:
    """And bring it back empty."""
    scene.stack.stop_valkey()
    scene.strike()
    let_pass(outage_of(scene.trial.fault, round_number=scene.round_number))
    scene.stack.start_valkey()


def stop_dispatch(scene: Scene) -> None:
    """Note what waits in Valkey before a worker takes it again."""
    stack = scene.stack
    stack.dispatch.stop()
    scene.strike()
    let_pass(outage_of(scene.trial.fault, round_number=scene.round_number))
    scene.trial.backlog = publisher_at(stack.valkey.url).backlog()
    stack.start(stack.dispatch)


def restart_postgres(scene: Scene) -> None:
    """Every client is cut off."""
    scene.strike()
    scene.stack.postgres.stop()
    scene.stack.start_postgres()


def take_postgres_away(scene: Scene) -> None:
    """And bring it back with all that was committed."""
    scene.strike()
    scene.stack.postgres.stop()
    let_pass(outage_of(scene.trial.fault, round_number=scene.round_number))
    scene.stack.start_postgres()


def take_connections(scene: Scene) -> None:
    """Cut everybody off, and be faster than they are at taking every place that Postgres has."""
    scene.strike()
    over_at = monotonic() + TAKEN.total_seconds()
    with ExitStack() as taken:
        mine = [taken.enter_context(psycopg.connect(scene.stack.postgres.url, autocommit=True))]
        while monotonic() < over_at:
            _cut_product(mine[0])
            _take_all(scene.stack.postgres.url, mine, taken)
            let_pass(LOOK_AGAIN)
    scene.trial.connections_taken = len(mine)


def _cut_product(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ringfence'")


def _take_all(url: str, mine: list[psycopg.Connection[tuple[object, ...]]], taken: ExitStack) -> None:
    while True:
        try:
            mine.append(taken.enter_context(psycopg.connect(url, autocommit=True)))
        except psycopg.OperationalError:  # "sorry, too many clients already"
            return


def fill_disk(scene: Scene) -> None:
    """Postgres may end over it: then the operator makes room, and starts it again."""
    stack, disk = scene.stack, scene.stack.disk
    assert disk is not None
    scene.strike()
    disk.fill()
    let_pass(OUTAGE)
    disk.free()
    if not _can_write(stack.postgres.url):
        stack.postgres.stop()
        stack.start_postgres()


def _can_write(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("CREATE TEMPORARY TABLE room AS SELECT generate_series(1, 10000)")
    except psycopg.Error:
        return False
    return True
