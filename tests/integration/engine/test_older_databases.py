"""A database that was in use before the engine's migration: what is in it counts afterwards as it did before."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from campaigns.store import migrate
from campaigns.store.engine import open_engine
from campaigns.store.feed import campaign_rooms
from tests.integration.engine.conftest import World

NUMBERS = [f"+121255501{index:02d}" for index in range(6)]


@pytest.fixture
def older(empty_database_url: str) -> Iterator[World]:
    """As the migration before left it."""
    engine = open_engine(empty_database_url)
    with engine.connect() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.commit()
    world = World(engine, lambda work: pytest.fail("nothing is dialed here"))
    world.set_up()
    yield world
    engine.dispose()


def attempt(world: World, call_id: int, *, counts: bool) -> None:
    world.sql(
        """INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
            campaign_at, claimed_at, send_by, counts)
        SELECT :id, q.id, 1, q.run_id, q.campaign_id, 'sim', q.number, 'line-1', 1, 'dialing', t.at, t.at, t.at, :counts
        FROM calls q, (SELECT clock_timestamp() AS at) t WHERE q.id = :call""",
        id=uuid4(),
        call=call_id,
        counts=counts,
    )


@contextmanager
def during(engine: Engine, statement: str, seen: list[Any], look: str) -> Iterator[None]:
    """What `look` shows in the migration's own session, just before this statement of it."""

    def note(_connection: Any, cursor: Any, told: str, *_: Any) -> None:
        if told.startswith(statement):
            seen.append(cursor.connection.execute(look).fetchone()[0])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_dials_of_the_past_have_spent_the_budget(older: World) -> None:
    campaign = older.campaign(dial_budget=10)
    calls = [older.call(campaign, number) for number in NUMBERS]
    for place, call in enumerate(calls[:4]):
        attempt(older, call, counts=place != 0)
    migrate.upgrade(older.database)
    attempt(older, calls[4], counts=True)
    with older.database.begin() as connection:
        (room,) = campaign_rooms(connection, "g")
    assert room.budget_left == 10 - 4


def test_a_large_table_may_take_the_time_it_takes(older: World) -> None:
    seen: list[str] = []
    with during(older.database, "CREATE INDEX calls_due", seen, "SHOW statement_timeout"):
        migrate.upgrade(older.database)
    assert seen == ["0"]
    assert older.one("SHOW statement_timeout") == "30s"


def test_while_a_claim_is_under_way_nothing_is_changed_and_afterwards_all_of_it(older: World) -> None:
    call = older.call(older.campaign(dial_budget=10), NUMBERS[0])
    with older.database.begin() as claim:
        claim.execute(text("SELECT FROM calls WHERE id = :id FOR UPDATE"), {"id": call})
        with pytest.raises(OperationalError):
            migrate.upgrade(older.database)
    with older.database.begin() as connection:
        assert not migrate.is_current(connection)
        assert connection.execute(text("SELECT to_regclass('budget_use')")).scalar_one() is None
    migrate.upgrade(older.database)
    with older.database.begin() as connection:
        assert migrate.is_current(connection)
