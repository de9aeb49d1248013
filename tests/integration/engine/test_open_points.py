"""What no document settles is a switch of the simulator; a small campaign comes to the same end under every setting.

Nobody is dialed twice, no customer is spent on a refusal, and what was dialed is told by its true outcome. Where a
setting leaves a create's fate unknown, it waits for a person.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from campaigns.providers.http import Timeouts
from campaigns.providers.registry import AccountAccess, build_provider
from campaigns.services.poll import Poll
from campaigns.services.reconcile import Reconcile
from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.server import Simulator

ASSISTANTS: dict[str, dict[str, Any]] = {
    "vapi": {"id": "assistant-1", "variables": {"firstName": "{name}"}},
    "cognigy": {"applicationSid": "6d1d1c1e-2e3f-4a4b-8c5d-6e7f80910a11", "tag": {"who": "{name}"}},
    "voxworks": {"scriptId": "script-1", "objects": {"policy": {"plan": "{name}"}}},
}
SCRIPT = {
    "+12125550100": "answered",
    "+12125550101": "no_answer",
    "+12125550102": "rejected",
    "+12125550103": "answered",
    "+12125550104": "no_answer",
    "+12125550105": "rejected",
}
"""More customers than refusals in a row pause anything."""
Setting = tuple[str, dict[str, Any]]
Play = Callable[..., Simulator]


@pytest.fixture
def play(world: Any, run_async: Any) -> Iterator[Play]:
    """Dials a small campaign at a simulated account."""
    opened: list[tuple[Simulator, Any]] = []

    async def started(kind: str, access: dict[str, Any], config: SimulatorConfig) -> tuple[Simulator, Any]:
        simulator = Simulator(config)
        await simulator.start()
        told = AccountAccess(
            base_url=simulator.base_url,
            api_key="k",
            account_sid="account-1",
            timeouts=Timeouts(read=timedelta(seconds=1)),
            **access,
        )
        return simulator, build_provider(kind, told)

    def play(kind: str, settings: dict[str, Any], *, access: dict[str, Any] | None = None) -> Simulator:
        scripted = {number: [outcome] for number, outcome in SCRIPT.items()}
        told = {"speed": 100_000.0, "webhooks": {"enabled": False}, "scripted": scripted, **settings}
        simulator, provider = run_async(started(kind, access or {}, changed(SimulatorConfig(), told))).result()
        opened.append((simulator, provider))
        world.dispatch._providers = {"sim": provider}
        parts = (world.database, world.recorder, {"sim": provider}, world.publisher)
        world.poll = Poll(*parts, simulators=frozenset({"sim"}), run_async=run_async)
        world.reconcile = Reconcile(*parts, simulators=frozenset({"sim"}), run_async=run_async)
        world.sql("UPDATE accounts SET provider = :kind, webhooks = :webhooks", kind=kind, webhooks=kind != "voxworks")
        campaign = world.campaign()
        world.sql(
            "UPDATE campaign_versions SET definition = jsonb_set(definition, '{assistant}', CAST(:block AS jsonb))",
            block=json.dumps(ASSISTANTS[kind]),
        )
        for number in SCRIPT:
            world.call(campaign, number)
        world.dial_all()
        return simulator

    yield play
    for simulator, provider in opened:
        run_async(provider.aclose()).result()
        run_async(simulator.stop()).result()


async def all_over(simulator: Simulator) -> None:
    """Until the simulated calls have ended: on a busy machine a millisecond of theirs takes longer than our looks."""
    async with asyncio.timeout(30):
        while True:
            if simulator.simulation.ledger.in_flight == 0:
                return
            await asyncio.sleep(0.001)


def look_after(world: Any, *, looks: int, apart: timedelta) -> None:
    """What polling and reconciliation do meanwhile."""
    for _ in range(looks):
        world.pass_time(apart)
        world.poll.run()
        world.reconcile.run()


def told(world: Any) -> dict[str, str | None]:
    """Number → the outcome of its attempt."""
    return {row.number: row.outcome for row in world.sql("SELECT number, outcome FROM attempts")}


def nobody_was_burned(world: Any, simulator: Simulator) -> None:
    """Nobody was rung, no call came to an end without ringing, and nothing was paused."""
    assert simulator.simulation.ledger.snapshot()["dials"] == 0
    states = {row.state for row in world.sql("SELECT state FROM calls")}
    assert states <= {"scheduled", "queued", "in_progress", "fate_unknown"}
    assert world.one("SELECT count(*) FROM accounts WHERE paused_reason IS NOT NULL") == 0
    assert world.one("SELECT count(*) FROM campaigns WHERE state <> 'active'") == 0


VOXWORKS = [
    {"spelling": "documented", "progress": "detailed"},
    {"spelling": "title", "field_style": "camel"},
    {"spelling": "snake", "field_style": "automation"},
    {"spelling": "upper", "result_place": "call.result"},
    {"spelling": "kebab", "early_result": "missing", "cancelled_word": "canceled"},
]
JAMBONZ = [
    {"cdr_times": "iso", "refuse_unknown": False},
    {"cdr_times": "milliseconds", "live_hours": 0.0, "final_hours": 0.0},
    {"cdr_times": "seconds", "call_id_name": "callid", "first_status": "queued", "busy_status": "no-answer"},
]
SETTLED: list[Setting] = [
    ("vapi", {"vapi": {"list_lag": 3600.0, "control_url": False, "analysis": 0.0}}),
    *(("cognigy", {"jambonz": each}) for each in JAMBONZ),
    *(("voxworks", {"voxworks": each}) for each in VOXWORKS),
]


@pytest.mark.parametrize(("kind", "settings"), SETTLED, ids=str)
def test_every_call_is_told_by_its_true_outcome(
    world: Any, play: Play, run_async: Any, kind: str, settings: dict[str, Any]
) -> None:
    simulator = play(kind, settings)
    run_async(all_over(simulator)).result()
    look_after(world, looks=8, apart=timedelta(minutes=2))
    assert told(world) == SCRIPT
    stats = simulator.simulation.ledger.snapshot()
    assert (stats["creates"], stats["dials"], stats["double_dials"]) == (len(SCRIPT), len(SCRIPT), 0)


def test_a_gateway_without_cognigys_parameters_is_told_so_in_the_settings(world: Any, play: Play) -> None:
    play("cognigy", {"jambonz": {"cognigy_properties": False}}, access={"notify_url": False})
    look_after(world, looks=8, apart=timedelta(minutes=2))
    assert told(world) == SCRIPT


FULL: list[Setting] = [
    ("vapi", {"vapi": {"full_status": 400, "error_shape": "plain"}}),
    ("vapi", {"vapi": {"full_status": 400, "error_shape": "text"}}),
    *(("vapi", {"vapi": {"full_status": status}}) for status in (402, 403, 404, 409, 422, 429)),
    *(("vapi", {"when_full": answer}) for answer in ("queue", "block", "end")),
    *(("cognigy", {"jambonz": {"when_full": answer}}) for answer in ("end", "refuse")),
    *(("voxworks", {"voxworks": {"when_full": answer}}) for answer in ("queue", "refuse")),
]


@pytest.mark.parametrize(("kind", "settings"), FULL, ids=str)
def test_a_full_account_costs_nobody_a_call(world: Any, play: Play, kind: str, settings: dict[str, Any]) -> None:
    simulator = play(kind, {"concurrency_limit": 0, **settings})
    for _ in range(3):
        look_after(world, looks=1, apart=timedelta(seconds=20))
        world.dial_all()
    nobody_was_burned(world, simulator)


def test_a_team_that_ends_calls_for_want_of_room_does_not_say_why_and_nobody_is_rung_again(
    world: Any, play: Play
) -> None:
    simulator = play("voxworks", {"concurrency_limit": 0, "voxworks": {"when_full": "end"}})
    look_after(world, looks=1, apart=timedelta(seconds=20))
    world.dial_all()
    stats = simulator.simulation.ledger.snapshot()
    assert (stats["creates"], stats["double_dials"]) == (len(SCRIPT), 0)
    assert sorted(filter(None, told(world).values())) == ["provider_error"] * len(SCRIPT)


UNKNOWN: list[tuple[str, dict[str, Any], int]] = [
    ("vapi", {"faults": {"reset_after_accept": 1.0}, "vapi": {"list_lag": 3600.0}}, len(SCRIPT)),
    ("cognigy", {"jambonz": {"cognigy_properties": False}}, 0),
    ("voxworks", {"faults": {"missing_id": 1.0}}, len(SCRIPT)),
]


@pytest.mark.parametrize(("kind", "settings", "dialed"), UNKNOWN, ids=str)
def test_what_stays_unknown_waits_and_is_asked_for_once(
    world: Any, play: Play, kind: str, settings: dict[str, Any], dialed: int
) -> None:
    """A list that lags, a gateway that refuses with an answer that proves nothing, an answer without an id."""
    simulator = play(kind, settings)
    for _ in range(3):
        look_after(world, looks=1, apart=timedelta(minutes=1))
        world.dial_all()
    stats = simulator.simulation.ledger.snapshot()
    assert (stats["creates"], stats["dials"]) == (len(SCRIPT), dialed)
    assert {row.state for row in world.sql("SELECT state FROM calls")} == {"fate_unknown"}
