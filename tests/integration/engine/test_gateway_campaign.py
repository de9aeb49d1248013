"""A campaign over the gateway: dialed, lost and found again by number, line and time, against its simulator."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from campaigns.providers.contract import VoiceProvider
from campaigns.providers.http import Timeouts
from campaigns.providers.registry import AccountAccess, build_provider
from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.server import Simulator

NUMBER, LINE = "+12125550123", "line-1"
APPLICATION = "6d1d1c1e-2e3f-4a4b-8c5d-6e7f80910a11"
QUICK = Timeouts(read=timedelta(seconds=1))

Open = Callable[..., Any]


@pytest.fixture
def gateway(world: Any, run_async: Any) -> Iterator[Open]:
    """Opens a simulated gateway in the world's place of a provider; `settings`: fields of `SimulatorConfig`."""
    opened: list[tuple[Simulator, VoiceProvider]] = []

    async def built(config: SimulatorConfig) -> tuple[Simulator, VoiceProvider]:
        simulator = Simulator(config)
        await simulator.start()
        access = AccountAccess(base_url=simulator.base_url, api_key="k", account_sid="account-1", timeouts=QUICK)
        return simulator, build_provider("cognigy", access)

    def open_gateway(**settings: Any) -> Simulator:
        config = changed(SimulatorConfig(), {"speed": 100_000.0, "webhooks": {"enabled": False}, **settings})
        simulator, provider = run_async(built(config)).result()
        opened.append((simulator, provider))
        for name in ("dial", "list_calls", "find", "fetch", "cancel", "end"):
            setattr(world.provider, name, getattr(provider, name))
        return simulator

    yield open_gateway
    for simulator, provider in opened:
        run_async(provider.aclose()).result()
        run_async(simulator.stop()).result()


def a_call(world: Any) -> int:
    """Of a campaign whose assistant is an application of the gateway."""
    campaign_id = world.campaign()
    world.sql(
        """UPDATE campaign_versions
        SET definition = jsonb_set(definition, '{assistant}', jsonb_build_object('applicationSid', CAST(:sid AS text),
            'tag', jsonb_build_object('who', '{name}')))""",
        sid=APPLICATION,
    )
    world.sql("UPDATE accounts SET provider = 'cognigy'")
    call_id: int = world.call(campaign_id, NUMBER)
    return call_id


def dials(simulator: Simulator) -> tuple[int, int]:
    stats = simulator.simulation.ledger.snapshot()
    return stats["dials"], stats["double_dials"]


def test_a_call_over_the_gateway_comes_to_its_end_by_polling(world: Any, gateway: Open) -> None:
    simulator = gateway(scripted={NUMBER: ["busy"]})
    call_id = a_call(world)
    world.dial_all()
    world.pass_time(timedelta(minutes=15))
    world.poll.run()
    assert world.one("SELECT outcome FROM attempts") == "busy"
    assert world.state(call_id) == "scheduled"
    assert dials(simulator) == (1, 0)


@pytest.mark.parametrize("fault", ["reset_after_accept", "error_after_accept", "missing_id", "timeout_after_accept"])
def test_a_call_whose_answer_was_lost_is_found_and_made_once(world: Any, gateway: Open, fault: str) -> None:
    simulator = gateway(scripted={NUMBER: ["answered"]}, faults={fault: 1.0})
    call_id = a_call(world)
    world.dial_all()
    assert world.state(call_id) == "fate_unknown"
    world.pass_time(timedelta(seconds=1))
    world.reconcile.run()
    assert world.state(call_id) == "completed"
    assert world.one("SELECT provider_call_id IS NOT NULL FROM attempts")
    assert dials(simulator) == (1, 0)


def test_a_call_that_was_never_made_is_not_absent_before_its_phone_would_have_rung_out(
    world: Any, gateway: Open
) -> None:
    gateway(faults={"error_before_accept": 1.0})
    call_id = a_call(world)
    world.dial_all()
    for _ in range(3):
        world.pass_time(timedelta(seconds=20))
        world.reconcile.run()
    assert world.one("SELECT absences FROM attempts") == 0
    world.pass_time(timedelta(minutes=3))
    world.sql("UPDATE attempts SET send_by = send_by - interval '4 min'")
    world.reconcile.run()
    assert world.one("SELECT absences FROM attempts") == 1
    assert world.state(call_id) == "fate_unknown"
