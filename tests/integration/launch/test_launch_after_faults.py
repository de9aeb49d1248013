"""Launch and expansion: a crash at the wrong moment, and a campaign that cannot be launched."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from campaigns.services.control import Control
from campaigns.services.launch_due import LaunchDue
from campaigns.services.plans import Definitions
from campaigns.services.record import Recorder
from campaigns.services.rescue import Rescue

HOURLY = {"cron": "0 * * * *", "timezone": "America/New_York", "runFor": "3h"}
CANCEL_ON_INSERT = """
    CREATE FUNCTION cancel_now() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE campaigns SET state = 'cancelled'; RETURN NULL; END $$;
    CREATE TRIGGER cancel_now AFTER INSERT ON customers EXECUTE FUNCTION cancel_now();
"""


def test_an_expansion_that_is_killed_after_a_cancel_leaves_no_call_behind(world: Any, monkeypatch: Any) -> None:
    run_id = world.submit(*(f"+1212555010{digit}" for digit in range(4))).run_id
    world.execute(CANCEL_ON_INSERT)
    with monkeypatch.context() as killed, suppress(KeyboardInterrupt):
        killed.setattr("campaigns.services.expand._activate", _die)
        world.expand(run_id, chunk_rows=2)
    for waiting in LaunchDue(world.engine).run():
        world.expand(waiting)
    rescue = Rescue(world.engine, Recorder(world.engine, world.gatekeeper, Definitions()), Silent())
    rescue.run()
    rescue.run()
    assert world.query("SELECT DISTINCT state FROM calls") == ["cancelled"]
    assert world.query("SELECT state FROM runs") == ["finished"]


class Silent:
    """A publisher whom nobody hears."""

    def dispatch(self, group: Any, *, campaign_id: int) -> None: ...

    def request_feed(self, limit_group: str) -> None: ...

    def backlog(self) -> int:
        return 0


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_campaign_that_cannot_be_launched_holds_up_no_other(world: Any) -> None:
    world.submit("+12125550100", schedule=HOURLY)
    world.submit("+12125550100", schedule=HOURLY, campaign="summer")
    world.execute(
        """UPDATE campaign_versions SET definition = jsonb_set(definition, '{schedule,timezone}', '"Mars/Olympus"')
        WHERE campaign_id = (SELECT id FROM campaigns WHERE name = 'spring')"""
    )
    at = datetime(2026, 12, 2, 19, 30, tzinfo=UTC)
    for name in ("spring", "summer"):
        world.set_campaign_time(at, campaign=name)
    for _ in range(3):
        with suppress(Exception):
            LaunchDue(world.engine).run()
    assert world.query(
        "SELECT count(*) FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE c.name = 'summer' "
        "AND r.state = 'expanding'"
    ) == [1]


def test_a_list_that_cannot_be_taken_over_is_not_read_again_at_every_tick(world: Any, monkeypatch: Any) -> None:
    run_id = world.submit(*(f"+1212555010{digit}" for digit in range(4))).run_id
    with monkeypatch.context() as faulty, suppress(Exception):
        faulty.setattr("campaigns.services.row_reader.read_row", _stumble)
        world.expand(run_id, chunk_rows=2)
    assert LaunchDue(world.engine).run() == []
    ((state, reason),) = world.query("SELECT state, state_reason FROM runs")
    assert state == "expanding"
    assert "ZeroDivisionError" in reason
    Control(world.engine, operator="ann", wait=lambda _: None).resume("spring")
    assert LaunchDue(world.engine).run() == [run_id]
    world.expand(run_id)
    assert world.query("SELECT count(*) FROM calls") == [4]


def test_an_expansion_whose_database_was_away_for_a_moment_goes_on_at_the_next_tick(
    world: Any, monkeypatch: Any
) -> None:
    run_id = world.submit(*(f"+1212555010{digit}" for digit in range(4))).run_id
    with monkeypatch.context() as away, suppress(OperationalError):
        away.setattr("campaigns.services.expand._write", _lose_the_database)
        world.expand(run_id, chunk_rows=2)
    assert LaunchDue(world.engine).run() == [run_id]
    world.expand(run_id)
    assert world.query("SELECT count(*) FROM calls") == [4]


def _stumble(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError


def _lose_the_database(connection: Connection, *_: Any, **__: Any) -> None:
    with connection.begin():
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
