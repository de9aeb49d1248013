"""What goes on for some seconds, or stays: cut connections, crossed locks, repeated messages, doubled processes."""

import time
from collections.abc import Callable
from datetime import timedelta

from harness.scene import Scene, let_pass
from harness.trouble import deadlocks, refuse_commits
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from campaigns.runtime.publisher import publisher_at
from campaigns.services.ports import CallRef

NUISANCE = timedelta(seconds=5)
"""How long what is repeated is repeated."""
NUISANCES_A_SECOND = 5
REFUSED = 0.33
"""Share of the commits that fail."""
CROSSED_CALLS = 20
"""Locked one by one, the last one first, while everybody else locks the first one first."""
DEADLOCK_TIMEOUT = timedelta(milliseconds=50)
"""Shorter than anybody waits for a lock, so that it is Postgres that ends a deadlock, and not a time-out."""


def cut_connections(scene: Scene) -> None:
    """Every one there is, again and again."""
    scene.strike()
    _again_and_again(lambda: _cut(scene.stack.database))


def repeat_messages(scene: Scene) -> None:
    """All of the campaign's, again and again."""
    scene.strike()
    _again_and_again(lambda: _repeat(scene))


def refuse_transactions(scene: Scene) -> None:
    """A third of all commits that move a call."""
    scene.strike()
    refuse_commits(scene.stack.database, share=REFUSED)
    let_pass(NUISANCE)
    refuse_commits(scene.stack.database, share=0)


def cross_locks(scene: Scene) -> None:
    """Lock the campaign's calls in the wrong order: Postgres has to break up deadlocks, some of them at our cost."""
    database = scene.stack.database
    scene.strike()
    before = deadlocks(database)
    _set_deadlock_timeout(database, f"{DEADLOCK_TIMEOUT / timedelta(milliseconds=1):.0f}ms")
    over_at = time.monotonic() + NUISANCE.total_seconds()
    while time.monotonic() < over_at:
        _lock_backwards(database, scene.trial.campaign.id)
    _set_deadlock_timeout(database, None)
    scene.trial.deadlocks = deadlocks(database) - before


def double_processes(scene: Scene) -> None:
    """A second beat and a second control worker, to the end of the round."""
    scene.strike()
    scene.stack.start_another(scene.stack.beat)
    scene.stack.start_another(scene.stack.control)


def _again_and_again(act: Callable[[], None]) -> None:
    for _ in range(round(NUISANCE.total_seconds() * NUISANCES_A_SECOND)):
        act()
        let_pass(timedelta(seconds=1 / NUISANCES_A_SECOND))


def _cut(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(
            text("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            """)
        )


def _repeat(scene: Scene) -> None:
    """For every call under way: its message once more, and those of the epochs before it."""
    campaign_id = scene.trial.campaign.id
    with scene.stack.database.begin() as connection:
        calls = connection.execute(
            text("""
                SELECT id, epoch FROM calls WHERE campaign_id = :id AND state <> 'scheduled' ORDER BY id LIMIT 200
            """),
            {"id": campaign_id},
        ).all()
    refs = [CallRef(call.id, epoch) for call in calls for epoch in range(max(1, call.epoch - 1), call.epoch + 1)]
    publisher = publisher_at(scene.stack.valkey.url)
    for start in range(0, len(refs), 50):
        publisher.dispatch(refs[start : start + 50], campaign_id=campaign_id)


def _lock_backwards(database: Engine, campaign_id: int) -> None:
    try:
        with database.begin() as connection:
            calls = connection.execute(
                text("""
                    SELECT id FROM calls WHERE campaign_id = :id AND state IN ('queued', 'dialing', 'in_progress')
                    ORDER BY random() LIMIT :most
                """),
                {"id": campaign_id, "most": CROSSED_CALLS},
            ).scalars()
            for call_id in sorted(calls, reverse=True):
                connection.execute(text("SELECT FROM calls WHERE id = :id FOR UPDATE"), {"id": call_id})
                connection.execute(text("SELECT pg_sleep(0.005)"))  # for others to lock from the other end
    except OperationalError:  # this time it was we who had to give in
        return


def _set_deadlock_timeout(database: Engine, setting: str | None) -> None:
    """For all connections, those that exist as well; None: as before."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        value = "DEFAULT" if setting is None else f"'{setting}'"
        connection.execute(text(f"ALTER SYSTEM SET deadlock_timeout = {value}"))
        connection.execute(text("SELECT pg_reload_conf()"))
