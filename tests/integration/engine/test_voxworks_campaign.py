"""A campaign at Voxworks: no webhook, no list, and words that may be spelled in any way."""

import json
from datetime import timedelta

import pytest

from campaigns.providers.registry import AccountAccess, build_provider
from campaigns.services.poll import Poll
from campaigns.services.reconcile import Reconcile
from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.server import Simulator

ASSISTANT = {"scriptId": "script-1", "objects": {"policy": {"plan": "{name}"}}}
OUTCOMES = ["answered", "voicemail", "no_answer", "rejected", "provider_error"]


class Team:
    """A simulated team in the place of the world's provider."""

    def __init__(self, world, run_async, **settings):
        self.world, self.run_async = world, run_async
        self.simulator = Simulator(changed(SimulatorConfig(), {"speed": 100_000.0, **settings}))

    def __enter__(self):
        base_url = self.run_async(self.simulator.start()).result()
        providers = {"sim": self.run_async(self._built(base_url)).result()}
        world = self.world
        world.dispatch._providers = providers
        parts = (world.database, world.recorder, providers, world.publisher)
        world.poll = Poll(*parts, run_async=self.run_async)
        world.reconcile = Reconcile(*parts, run_async=self.run_async)
        world.sql("UPDATE accounts SET provider = 'voxworks', webhooks = false")
        self.provider = providers["sim"]
        return self

    def __exit__(self, *_error):
        self.run_async(self.provider.aclose()).result()
        self.run_async(self.simulator.stop()).result()

    async def _built(self, base_url):
        return build_provider("voxworks", AccountAccess(base_url=base_url, api_key="key"))

    @property
    def stats(self):
        return self.simulator.simulation.ledger.snapshot()


def a_campaign(world):
    campaign = world.campaign()
    world.sql(
        "UPDATE campaign_versions SET definition = jsonb_set(definition, '{assistant}', CAST(:block AS jsonb))",
        block=json.dumps(ASSISTANT),
    )
    return campaign


def poll_to_the_end(world):
    for _ in range(200):
        world.pass_time(timedelta(seconds=30))
        world.poll.run()
        if not world.one("SELECT count(*) FROM attempts WHERE closed_at IS NULL"):
            return
    raise AssertionError("some call never ended")


@pytest.mark.parametrize("progress", ["scheduled", "detailed"])
def test_every_call_is_followed_to_its_end_by_asking(world, run_async, progress):
    numbers = {f"+1212555010{index}": [outcome] for index, outcome in enumerate(OUTCOMES)}
    with Team(world, run_async, scripted=numbers, voxworks={"progress": progress, "spelling": "title"}) as team:
        campaign = a_campaign(world)
        calls = [world.call(campaign, number) for number in numbers]
        world.dial_all()
        poll_to_the_end(world)
        assert [row.outcome for row in world.sql("SELECT outcome FROM attempts ORDER BY number")] == OUTCOMES
        assert (team.stats["dials"], team.stats["double_dials"]) == (len(numbers), 0)
    states = {number: world.state(call) for number, call in zip(numbers, calls, strict=True)}
    assert list(states.values()) == ["completed", "exhausted", "scheduled", "exhausted", "failed"]


@pytest.mark.parametrize("fault", ["reset_after_accept", "error_before_accept", "missing_id"])
def test_a_create_of_unknown_fate_waits_for_a_person_and_nobody_is_dialed_twice(world, run_async, fault):
    with Team(world, run_async, faults={fault: 1.0}) as team:
        call = world.call(a_campaign(world), "+12125550100")
        world.dial_all()
        assert world.state(call) == "fate_unknown"
        for _ in range(3):
            world.pass_time(timedelta(hours=2))
            world.reconcile.run()
            world.dial_all()
        assert world.one("SELECT needs_person FROM attempts") is True
        assert team.stats["creates"] == 1
    assert world.state(call) == "fate_unknown"


def test_a_limit_of_requests_is_kept_and_costs_nobody_anything(world, run_async):
    with Team(world, run_async, voxworks={"rate_limit": 2, "rate_window": 3600.0}) as team:
        campaign = a_campaign(world)
        for index in range(4):
            world.call(campaign, f"+1212555010{index}")
        world.dial_all()
        assert team.stats["dials"] == 2
        assert world.feed.run("g").held_by == "cooling_down"
    assert world.sql("SELECT state, attempts, requests FROM calls ORDER BY attempts") == [
        ("scheduled", 0, 0),
        ("scheduled", 0, 0),
        ("in_progress", 1, 1),
        ("in_progress", 1, 1),
    ]
