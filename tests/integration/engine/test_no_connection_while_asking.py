"""While a provider is being asked, whoever asks holds no connection: a slow provider cannot drain the pool."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from campaigns.providers.contract import FateUnknown, Phase
from campaigns.services.ask_back import AskBack
from campaigns.services.daily_audit import DailyAudit
from campaigns.services.late_ring import LateRing
from campaigns.services.provider_audit import ProviderAudit
from campaigns.services.revoke import Revoke
from tests.integration.engine.holding import ANN, Holding, wednesday_noon

QUESTIONS = ("dial", "fetch", "list_calls", "find", "cancel", "end", "hand_over")
LOOKS = 500
"""Of 10 ms each. Another thread may hold a connection for a moment; one held for the answer is held for ever."""


@dataclass
class Watched:
    """Connections out of the pool, and how many were out at each question to the provider."""

    out: int = 0
    asked: dict[str, list[int]] = field(default_factory=dict)

    def watch(self, provider: Any) -> None:
        for name in QUESTIONS:
            if hasattr(provider, name):
                setattr(provider, name, self._seen(name, getattr(provider, name)))

    def _seen(self, name: str, question: Callable[..., Any]) -> Callable[..., Any]:
        async def ask(*arguments: Any, **options: Any) -> Any:
            for _ in range(LOOKS):
                if not self.out:
                    break
                await asyncio.sleep(0.01)
            self.asked.setdefault(name, []).append(self.out)
            return await question(*arguments, **options)

        return ask


@pytest.fixture
def watched(world: Any) -> Iterator[Watched]:
    seen = Watched()

    def taken(*_: Any) -> None:
        seen.out += 1

    def given_back(*_: Any) -> None:
        seen.out -= 1

    event.listen(world.database, "checkout", taken)
    event.listen(world.database, "checkin", given_back)
    yield seen
    event.remove(world.database, "checkout", taken)
    event.remove(world.database, "checkin", given_back)


def asked_without_a_connection(watched: Watched, *names: str) -> bool:
    """Each of these was asked, and no connection was out whenever anything was."""
    return set(names) <= set(watched.asked) and not any(out for outs in watched.asked.values() for out in outs)


def a_call(world: Any) -> int:
    call: int = world.call(world.campaign(), ANN)
    return call


def test_a_dial(world: Any, watched: Watched) -> None:
    watched.watch(world.provider)
    a_call(world)
    world.dial_all()
    assert asked_without_a_connection(watched, "dial")


def test_the_poll_and_its_hang_ups(world: Any, watched: Watched) -> None:
    call = a_call(world)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    watched.watch(world.provider)
    world.pass_time(timedelta(minutes=23))
    world.poll.run()
    assert asked_without_a_connection(watched, "fetch", "end")


def test_a_look_for_an_unknown_fate(world: Any, watched: Watched) -> None:
    world.provider.answer = lambda request: FateUnknown("lost")
    a_call(world)
    world.dial_all()
    watched.watch(world.provider)
    world.reconcile.run()
    assert asked_without_a_connection(watched, "find")


def test_a_call_that_rings_too_late(world: Any, watched: Watched, run_async: Any) -> None:
    call = a_call(world)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.QUEUED)]
    watched.watch(world.provider)
    world.pass_time(timedelta(minutes=2))
    parts = world.database, world.recorder, {"sim": world.provider}, world.publisher
    LateRing(*parts, simulators=frozenset({"sim"}), run_async=run_async).run()
    assert asked_without_a_connection(watched, "fetch", "cancel")


def test_a_call_that_is_asked_back(world: Any, watched: Watched, run_async: Any) -> None:
    call = a_call(world)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.QUEUED)]
    Revoke(world.database, operator="ann", wait=lambda _: None).run(ANN)
    watched.watch(world.provider)
    AskBack(world.database, {"sim": world.provider}, simulators=frozenset({"sim"}), run_async=run_async).run()
    assert asked_without_a_connection(watched, "fetch", "cancel")


def test_calls_that_are_handed_over(holding: Holding, watched: Watched) -> None:
    holding.campaign(ANN, at=wednesday_noon())
    watched.watch(holding.provider)
    holding.schedule.run()
    assert asked_without_a_connection(watched, "hand_over")


def test_the_daily_audit(world: Any, watched: Watched, run_async: Any) -> None:
    a_call(world)
    world.dial_all()
    world.sql("UPDATE accounts SET audit_due_at = clock_timestamp()")
    watched.watch(world.provider)
    simulators, providers = frozenset({"sim"}), {"sim": world.provider}
    audit = ProviderAudit(world.database, world.recorder, providers, simulators=simulators, run_async=run_async)
    DailyAudit(world.database, audit, providers, simulators=simulators).run()
    assert asked_without_a_connection(watched, "list_calls")
