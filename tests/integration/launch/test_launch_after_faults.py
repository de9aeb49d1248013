"""Launch and expansion: a crash at the wrong moment, and a campaign that cannot be launched."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

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
