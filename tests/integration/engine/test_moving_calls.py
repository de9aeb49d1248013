"""Moving a call that waits at a provider: never one of ours, however it is named, and never while dialing is off."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from campaigns.providers.contract import CallReport, FateUnknown, Phase
from campaigns.services.control import Control
from campaigns.services.moving_calls import CallRefusedError
from campaigns.services.provider_calls import CallAtProvider, ProviderCalls
from tests.integration.engine.conftest import ScriptedProvider
from tests.integration.engine.holding import ANN

LATER = datetime.now(UTC) + timedelta(days=1)


@dataclass
class MovingProvider(ScriptedProvider):
    """Also moves what waits there."""

    moved: list[str] = field(default_factory=list)

    async def reschedule(self, provider_call_id: str, *, due_at: datetime) -> bool:
        self.moved.append(provider_call_id)
        return True


@pytest.fixture
def provider() -> MovingProvider:
    provider = MovingProvider()
    provider.listed = [CallReport("theirs", None, Phase.QUEUED)]
    return provider


@pytest.fixture
def move(world: Any, provider: MovingProvider, run_async: Any) -> Callable[..., bool]:
    """Move a call that the command found on no attempt of that account."""
    calls = ProviderCalls(world.database, provider, operator="ann", run_async=run_async)
    return lambda call_id="theirs", account="sim": calls.reschedule(CallAtProvider(account, call_id), due_at=LATER)


def test_a_call_of_somebody_else_is_moved(move: Callable[..., bool], provider: MovingProvider) -> None:
    assert move() is True
    assert provider.moved == ["theirs"]


def test_a_call_of_ours_named_by_another_account_of_the_same_organisation_is_not(
    world: Any, move: Callable[..., bool], provider: MovingProvider
) -> None:
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.sql(
        """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second, ring_timeout,
            max_duration, reconcile_after, webhooks)
        SELECT 'twin', provider, limit_group, simulator, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    provider.listed = [CallReport(f"call-{world.newest_attempt(call)}", None, Phase.QUEUED)]
    with pytest.raises(CallRefusedError, match="let the gate judge a new one"):
        move(f"call-{world.newest_attempt(call)}", "twin")
    assert provider.moved == []


def test_a_call_that_carries_a_key_of_ours_is_not_even_if_the_record_forgot_it(
    move: Callable[..., bool], provider: MovingProvider
) -> None:
    provider.listed = [CallReport("theirs", uuid4(), Phase.QUEUED)]
    with pytest.raises(CallRefusedError, match="let the gate judge a new one"):
        move()
    assert provider.moved == []


def test_while_an_attempt_of_ours_is_lost_no_call_is_surely_somebody_elses(
    world: Any, move: Callable[..., bool], provider: MovingProvider
) -> None:
    world.provider.answer = lambda request: FateUnknown("the connection broke")
    world.call(world.campaign(), ANN)
    world.dial_all()
    with pytest.raises(CallRefusedError, match="ringfence attention"):
        move()
    assert provider.moved == []


@pytest.mark.parametrize("switch", ["stop", "account"])
def test_nothing_is_moved_while_dialing_is_switched_off(
    world: Any, move: Callable[..., bool], provider: MovingProvider, switch: str
) -> None:
    if switch == "stop":
        Control(world.database, operator="ann", wait=lambda _: None).stop_all()
    else:
        world.sql("UPDATE accounts SET paused_reason = 'the provider refused 5 calls in a row'")
    with pytest.raises(CallRefusedError, match="no phone is to ring now"):
        move()
    assert provider.moved == []


def test_what_rings_or_is_over_is_too_late_to_be_moved(move: Callable[..., bool], provider: MovingProvider) -> None:
    provider.listed = [CallReport("theirs", None, Phase.RINGING)]
    assert move() is False
    assert provider.moved == []
