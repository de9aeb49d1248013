"""What an audit needs of a listing: which way a call went, from which line, to whom, when."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.providers.contract import CallReport, Origin, Placed
from campaigns.providers.vapi.reports import report_of

SPAN = timedelta(minutes=5)
LISTING = ["vapi", "cognigy"]


def in_a_house(kit: Any, kind: str, scene: Callable[[Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with kit.a_house(kind) as house:
            return await scene(house)

    return asyncio.run(run())


@pytest.mark.parametrize("kind", LISTING)
def test_a_listed_call_that_is_over_says_from_where_to_whom_and_when_it_was_made(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        before = datetime.now(UTC)
        line = "+12025550100"
        placed = await house.provider.dial(kit.a_dial(kind=kind, line=line))
        assert isinstance(placed, Placed)

        async def dated() -> Origin | None:
            now = datetime.now(UTC)
            listing = await house.provider.list_calls(created_from=now - SPAN, created_to=now + SPAN)
            origins = [each.origin for each in listing.reports if each.provider_call_id == placed.provider_call_id]
            assert all(each is not None for each in origins)
            return next((each for each in origins if each.created_at is not None), None)

        origin = await kit.wait_until(dated)
        assert (origin.inbound, origin.line, origin.number) == (False, line, kit.number)
        assert abs(origin.created_at - before) < timedelta(seconds=30)

    in_a_house(kit, kind, scene)


@pytest.mark.parametrize("kind", LISTING)
def test_a_fetched_call_says_to_whom_it_was_made(kit: Any, kind: str) -> None:
    """A person who says "it is this call" is told if it went to somebody else."""

    async def scene(house: Any) -> CallReport:
        placed = await house.provider.dial(kit.a_dial(kind=kind))
        report: CallReport = await house.provider.fetch(placed.provider_call_id)
        return report

    report = in_a_house(kit, kind, scene)
    assert report.origin is not None
    assert report.origin.number == kit.number


@pytest.mark.parametrize(
    ("kind", "inbound"),
    [
        ("outboundPhoneCall", False),
        ("inboundPhoneCall", True),
        ("webCall", True),
        ("vapi.websocketCall", True),
        (None, False),
    ],
)
def test_only_an_outbound_call_of_vapi_rings_somebodys_phone(kind: str | None, *, inbound: bool) -> None:
    call = {"id": "1", "status": "queued"} | ({"type": kind} if kind else {})
    report = report_of(call, now=datetime.now(UTC))
    assert report is not None
    assert report.origin == Origin(inbound, line=None, number=None, created_at=None)
