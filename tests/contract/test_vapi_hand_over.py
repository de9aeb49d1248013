"""Calls that the simulated Vapi holds until their time: created, found, taken back, and dialed by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import pytest

from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind, Phase, Placed
from campaigns.providers.scheduling import ProviderSpan


def played(scene: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """The scene on an event loop of its own."""

    @wraps(scene)
    def run(**fixtures: Any) -> None:
        asyncio.run(scene(**fixtures))

    return run


def a_span(*, starts_in: timedelta = timedelta(days=2)) -> ProviderSpan:
    due_from = datetime.now(UTC) + starts_in
    return ProviderSpan(due_from, due_from + timedelta(minutes=30))


async def hand_over(house: Any, requests: Any, span: ProviderSpan | None = None) -> list[Any]:
    results = await house.provider.hand_over(requests, span=span or a_span())
    assert set(results) == {request.attempt_id for request in requests}
    return [results[request.attempt_id] for request in requests]


@pytest.mark.parametrize("count", [1, 3, 100])
@played
async def test_every_customer_waits_at_the_provider_and_is_found_by_our_id(kit: Any, count: int) -> None:
    requests = [kit.a_dial(f"+12125550{100 + index}", external_id=f"row-{index}") for index in range(count)]
    async with kit.a_house() as house:
        placed = await hand_over(house, requests)
        assert all(isinstance(each, Placed) for each in placed)
        now = datetime.now(UTC)
        listing = await house.provider.list_calls(created_from=now - timedelta(minutes=1), created_to=now)
        found = {report.attempt_id: report for report in listing.reports}
        assert {request.attempt_id for request in requests} == set(found)
        assert {report.phase for report in found.values()} == {Phase.QUEUED}
        assert house.stats["dials"] == 0


@played
async def test_a_wrong_number_in_a_batch_is_refused_alone(kit: Any) -> None:
    requests = [kit.a_dial(), kit.a_dial("+0123")]
    async with kit.a_house() as house:
        good, bad = await hand_over(house, requests)
    assert isinstance(good, Placed)
    assert isinstance(bad, NotDialed)
    assert bad.kind is NotDialedKind.INVALID_NUMBER
    assert "+0123" not in bad.message


@played
async def test_it_is_taken_back_before_its_time(kit: Any) -> None:
    async with kit.a_house() as house:
        placed = await hand_over(house, [kit.a_dial(), kit.a_dial("+12125550124")])
        assert await house.provider.cancel(placed[0].provider_call_id)
        report = await house.provider.fetch(placed[0].provider_call_id)
        assert report.phase.rank >= Phase.ENDED.rank
        assert (await house.provider.fetch(placed[1].provider_call_id)).phase is Phase.QUEUED


@played
async def test_at_its_time_the_provider_dials_by_itself(kit: Any) -> None:
    request = kit.a_dial()
    async with kit.a_house() as house:
        (placed,) = await hand_over(house, [request], a_span(starts_in=timedelta(seconds=0.2)))

        async def over() -> Any:
            report = await house.provider.fetch(placed.provider_call_id)
            return report if report.phase.rank >= Phase.ENDED.rank else None

        report = await kit.wait_until(over)
    assert report.attempt_id == request.attempt_id


@played
async def test_a_lapsed_permit_sends_nothing(kit: Any) -> None:
    async with kit.a_house() as house:
        results = await hand_over(house, [kit.a_dial(permit=kit.a_permit(looks=0)), kit.a_dial()])
        assert {result.kind for result in results} == {NotDialedKind.PERMIT_LAPSED}
        assert house.stats["creates"] == 0


@played
async def test_a_connection_lost_after_the_body_leaves_every_customer_unknown(kit: Any) -> None:
    async def reads_and_resets(wire: Any) -> None:
        await wire.read_request()
        wire.reset()

    requests = [kit.a_dial(), kit.a_dial("+12125550124")]
    async with kit.a_raw_server(reads_and_resets) as server, kit.a_provider(server.base_url) as provider:
        results = await provider.hand_over(requests, span=a_span())
        assert all(isinstance(result, FateUnknown) for result in results.values())
        assert server.requests == 1


@played
async def test_a_provider_that_is_not_there_created_nobody(kit: Any) -> None:
    async with kit.a_provider("http://127.0.0.1:9") as provider:
        results = await provider.hand_over([kit.a_dial(), kit.a_dial("+12125550124")], span=a_span())
    assert {result.kind for result in results.values()} == {NotDialedKind.NO_CONNECTION}


@played
async def test_a_customer_whose_own_settings_cannot_be_sent_is_left_out_and_told(kit: Any) -> None:
    wrong = kit.a_dial("+12125550124", assistant={"id": "a", "nonsense": 1})
    async with kit.a_house() as house:
        good, bad = await hand_over(house, [kit.a_dial(), wrong])
    assert isinstance(good, Placed)
    assert (bad.kind, isinstance(bad, NotDialed)) == (NotDialedKind.CONFIG_ERROR, True)
