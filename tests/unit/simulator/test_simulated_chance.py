"""The simulator's chance repeats, whatever the timing."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from campaigns.simulator.calls import new_call_id
from campaigns.simulator.config import Faults, SimulatorConfig, changed
from campaigns.simulator.draws import Draws
from campaigns.simulator.fates import draw_fate
from campaigns.simulator.fields import ConfigError
from campaigns.simulator.ledger import Ledger
from campaigns.simulator.server import Simulator
from campaigns.simulator.vapi.creating import Creator
from campaigns.simulator.vapi.organisation import Organisation

NUMBERS = [f"+12125550{n:03}" for n in range(200)]


def fates(seed: int) -> list[str]:
    config = SimulatorConfig(seed=seed)
    return [draw_fate(Draws(seed, number, 1), config=config, stuck=False).outcome for number in NUMBERS]


def test_the_same_seed_gives_the_same_fates_and_another_one_others() -> None:
    assert fates(1) == fates(1)
    assert fates(1) != fates(2)


def test_the_next_call_to_a_number_draws_anew() -> None:
    config = SimulatorConfig()
    outcomes = {draw_fate(Draws(1, NUMBERS[0], nth), config=config, stuck=False).outcome for nth in range(1, 100)}

    assert len(outcomes) > 3


def test_outcomes_come_at_their_rates() -> None:
    draws = [Draws(7, f"n{n}", 1).pick("outcome", weights={"a": 3.0, "b": 1.0, "never": 0.0}) for n in range(4000)]

    assert Counter(draws)["a"] == pytest.approx(3000, abs=120)
    assert "never" not in draws


def test_a_script_goes_before_the_rates_and_its_last_word_repeats() -> None:
    config = SimulatorConfig(scripted={"+1": ("busy", "answered")})
    played = [draw_fate(Draws(1, "+1", nth), config=config, stuck=False).outcome for nth in (1, 2, 3)]

    assert played == ["busy", "answered", "answered"]


async def _outcomes(order: list[str]) -> dict[str, tuple[str, str]]:
    """Number → answer and outcome, when the creates come in this order."""
    config = SimulatorConfig(seed=3, faults=Faults(missing_id=0.2, stuck=0.2), speed=100_000)
    async with Simulator(config) as simulator:
        creator = Creator(Organisation(simulator.simulation))
        request: Any = None
        for number in order:
            body = {"assistantId": "a", "phoneNumberId": "p", "customer": {"number": number}}
            await creator.create(request, body)
        calls = simulator.simulation.book.all(offset=0, limit=1000)
        return {call.number: (call.answer, call.fate.outcome) for call in calls}


def test_a_run_repeats_whatever_the_order_of_its_creates() -> None:
    shuffled = random.Random(5).sample(NUMBERS, len(NUMBERS))

    assert asyncio.run(_outcomes(NUMBERS)) == asyncio.run(_outcomes(shuffled))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"sped": 1}, "sped"),
        ({"faults": {"stuk": 0.1}}, "faults.stuk"),
        ({"faults": {"stuck": 0.6, "missing_id": 0.6}}, "at most 1 in all"),
        ({"talk": [9, 1]}, "shortest, longest"),
        ({"speed": 0}, "speed"),
        ({"rates": dict.fromkeys(("answered", "voicemail", "no_answer", "busy", "rejected", "invalid_number",
                                  "provider_error", "pipeline_error", "config_error"), 0)}, "above 0"),
        ({"scripted": {"+1": []}}, "scripted"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_clear_sentence(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        changed(SimulatorConfig(), document)

    assert "\n" not in str(error.value)


def test_a_changed_part_leaves_the_rest_as_it_was() -> None:
    config = changed(SimulatorConfig(seed=9), {"faults": {"stuck": 0.5}, "webhooks": {"enabled": False}})

    assert (config.seed, config.faults.stuck, config.faults.missing_id) == (9, 0.5, 0.0)
    assert not config.webhooks.enabled
    assert config.webhooks.concurrency == 64


def test_the_same_attempt_created_twice_is_a_double_dial() -> None:
    ledger = Ledger()
    ledger.count_created("+1", attempt="attempt-1")
    ledger.count_created("+2", attempt="attempt-1")

    assert ledger.snapshot()["double_dials"] == 1
    assert ledger.snapshot()["by_attempt_max"] == 2


def test_a_number_called_while_it_is_live_is_a_double_dial_and_afterwards_is_not() -> None:
    ledger = Ledger()
    ledger.count_created("+1", attempt="attempt-1")
    ledger.count_over("+1", outcome="busy")
    ledger.count_created("+1", attempt="attempt-2")
    assert ledger.snapshot()["double_dials"] == 0

    ledger.count_created("+1", attempt="attempt-3")
    assert ledger.snapshot()["double_dials"] == 1


def test_a_create_that_is_wrong_twice_over_is_one_double_dial() -> None:
    ledger = Ledger()
    for _ in range(2):
        ledger.count_created("+1", attempt="attempt-1")

    assert (ledger.double_dials, ledger.same_attempt, ledger.live_number) == (1, 1, 1)


def test_a_call_after_an_answered_one_is_counted_apart() -> None:
    ledger = Ledger()
    ledger.count_created("+1", attempt="attempt-1")
    ledger.count_over("+1", outcome="answered")
    ledger.count_created("+1", attempt="attempt-2")

    assert (ledger.redials_after_answer, ledger.double_dials) == (1, 0)


def test_calls_in_flight_are_counted_while_they_hold_a_slot() -> None:
    ledger = Ledger()
    ledger.count_dial("+1", provider="vapi")
    ledger.count_dial("+2", provider="vapi")
    ledger.count_free_slot(provider="vapi")

    assert (ledger.in_flight, ledger.in_flight_max, ledger.dials_in_any_second_max) == (1, 2, 2)


def test_call_ids_are_uuids_of_version_seven_in_the_order_of_time() -> None:
    earlier, later = new_call_id(1_796_133_600_000), new_call_id(1_796_133_600_001)

    assert earlier < later
    assert (len(earlier), earlier[14], earlier[19] in "89ab") == (36, "7", True)
