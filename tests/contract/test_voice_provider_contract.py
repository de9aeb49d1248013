"""What every provider must do, tried against its simulator. A new provider adds one word to `PROVIDERS`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import (
    CallReport,
    FateUnknown,
    NotDialed,
    NotDialedKind,
    Phase,
    Placed,
    ProviderUnavailableError,
    Sought,
)

PROVIDERS = ["vapi", "cognigy", "voxworks"]
SPAN = timedelta(minutes=5)

ECHOES_IN_READS = frozenset({"vapi"})
"""Those that show our attempt id with every read; the others bring it back by webhook, and `find` matches."""
LISTS_CALLS = frozenset({"vapi", "cognigy"})
"""Those that have a list; the others say that theirs is not complete, and find nothing."""
ENDS_LIVE = frozenset({"vapi", "cognigy"})
REFUSED_NUMBERS = {"vapi": "2125550123", "voxworks": "2125550123"}
"""What a create refuses as a number; the gateway takes any text, and the carrier refuses it later."""
OTHER_VERDICTS = {
    ("cognigy", "voicemail"): (Outcome.ANSWERED, False, True),
    ("cognigy", "pipeline_error"): (Outcome.ANSWERED, False, True),
    ("voxworks", "busy"): (Outcome.NO_ANSWER, True, True),
    ("voxworks", "pipeline_error"): (Outcome.UNKNOWN, False, True),
    **dict.fromkeys(
        [("voxworks", "invalid_number"), ("voxworks", "provider_error"), ("voxworks", "config_error")],
        (Outcome.PROVIDER_ERROR, True, True),
    ),
}
"""What a provider cannot tell apart without its webhooks (a machine that picks up, an assistant that is silent) or at
all: Voxworks has one word for every call that failed, and none for a busy line."""

pytestmark = pytest.mark.parametrize("kind", PROVIDERS)


@pytest.fixture
def kit(kit: Any, kind: str) -> Any:
    """The kit with requests for this provider."""
    return SimpleNamespace(**{**vars(kit), "a_dial": partial(kit.a_dial, kind=kind)})


@pytest.fixture(autouse=True)
def details_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a call that dropped out Voxworks has none, and two minutes pass until that is believed."""
    monkeypatch.setattr("campaigns.providers.voxworks.client.DETAILS_GRACE", timedelta())


def in_a_house(kit: Any, kind: str, scene: Callable[[Any], Awaitable[Any]], **settings: Any) -> Any:
    """Play one scene at a simulated account."""

    async def run() -> Any:
        async with kit.a_house(kind, **settings) as house:
            return await scene(house)

    return asyncio.run(run())


async def listed(house: Any) -> Any:
    now = datetime.now(UTC)
    return await house.provider.list_calls(created_from=now - SPAN, created_to=now + SPAN)


async def found(house: Any, dial: Any) -> Any:
    """What the provider finds of one attempt, dialed just now."""
    now = datetime.now(UTC)
    sought = Sought(dial.attempt_id, dial.number, dial.line, claimed_at=now - timedelta(seconds=5), send_by=now)
    return await house.provider.find([sought], created_from=now - SPAN, created_to=now + SPAN)


async def reported(house: Any, kit: Any, call_id: str) -> CallReport:
    async def look() -> CallReport | None:
        report = await house.provider.fetch(call_id)
        assert report is not None
        return report if report.phase is Phase.REPORTED else None

    report: CallReport = await kit.wait_until(look)
    return report


def test_a_placed_call_is_known_by_its_id_and_echoes_the_attempt(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        dial = kit.a_dial()
        placed = await house.provider.dial(dial)
        assert isinstance(placed, Placed)
        report = await house.provider.fetch(placed.provider_call_id)
        assert report.provider_call_id == placed.provider_call_id
        assert report.attempt_id == (dial.attempt_id if kind in ECHOES_IN_READS else None)

    in_a_house(kit, kind, scene)


def test_the_listing_holds_every_call_of_the_span_if_it_says_that_it_is_complete(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        dials = [kit.a_dial(f"+121255501{n:02}") for n in range(5)]
        placed = [await house.provider.dial(dial) for dial in dials]
        listing = await listed(house)
        assert listing.complete is house.provider.capabilities.lists_calls is (kind in LISTS_CALLS)
        known = {each.provider_call_id for each in placed} if kind in LISTS_CALLS else set()
        assert {report.provider_call_id for report in listing.reports} == known

    in_a_house(kit, kind, scene)


def test_a_listing_of_another_span_is_empty(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        await house.provider.dial(kit.a_dial())
        now = datetime.now(UTC)
        listing = await house.provider.list_calls(created_from=now - 2 * SPAN, created_to=now - SPAN)
        assert listing.complete is (kind in LISTS_CALLS)
        assert listing.reports == []

    in_a_house(kit, kind, scene)


def test_an_unknown_call_is_fetched_as_none_and_ended_as_false(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        assert await house.provider.fetch("0199a8c4-0000-7000-8000-000000000000") is None
        assert await house.provider.end("0199a8c4-0000-7000-8000-000000000000") is False

    in_a_house(kit, kind, scene)


@pytest.mark.parametrize(
    ("scripted", "outcome", "retryable", "counts"),
    [
        ("answered", Outcome.ANSWERED, False, True),
        ("voicemail", Outcome.VOICEMAIL, True, True),
        ("no_answer", Outcome.NO_ANSWER, True, True),
        ("busy", Outcome.BUSY, True, True),
        ("rejected", Outcome.REJECTED, False, True),
        ("invalid_number", Outcome.INVALID_NUMBER, False, True),
        ("provider_error", Outcome.PROVIDER_ERROR, True, False),
        ("pipeline_error", Outcome.PROVIDER_ERROR, False, True),
        ("config_error", Outcome.CONFIG_ERROR, False, False),
    ],
)
def test_every_outcome_is_reported_in_our_words(
    kit: Any, kind: str, scripted: str, outcome: Outcome, *, retryable: bool, counts: bool
) -> None:
    async def scene(house: Any) -> CallReport:
        placed = await house.provider.dial(kit.a_dial())
        return await reported(house, kit, placed.provider_call_id)

    report = in_a_house(kit, kind, scene, scripted={kit.number: [scripted]})

    assert report.verdict is not None
    expected = OTHER_VERDICTS.get((kind, scripted), (outcome, retryable, counts))
    assert (report.verdict.outcome, report.verdict.retryable, report.verdict.counts) == expected
    assert report.occurred_at is None or report.occurred_at.tzinfo is UTC


def test_a_live_call_can_be_ended_once_where_calls_can_be_ended(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(kit.a_dial())
        assert house.provider.capabilities.ends_live is (kind in ENDS_LIVE)
        assert await house.provider.end(placed.provider_call_id) is True
        assert await house.provider.end(placed.provider_call_id) is False
        house.simulator.simulation.change({"speed": 100_000.0})

    in_a_house(kit, kind, scene, speed=0.001)


@pytest.mark.parametrize(
    "fault", ["timeout_after_accept", "late_answer", "reset_after_accept", "error_after_accept", "missing_id"]
)
def test_a_call_whose_create_was_not_answered_is_unknown_until_it_is_found(kit: Any, kind: str, fault: str) -> None:
    async def scene(house: Any) -> None:
        dial = kit.a_dial()
        assert isinstance(await house.provider.dial(dial), FateUnknown)
        assert house.stats["creates"] == 1
        finding = await found(house, dial)
        if kind not in LISTS_CALLS:
            assert (finding.reports, finding.complete) == ([], False)
            return
        assert [report.attempt_id for report in finding.reports] == [dial.attempt_id]
        listing = await listed(house)
        assert [report.provider_call_id for report in listing.reports] == [finding.reports[0].provider_call_id]

    in_a_house(kit, kind, scene, faults={fault: 1.0}, timeouts=kit.quick)


@pytest.mark.parametrize("fault", ["reset_before_accept", "error_before_accept"])
def test_a_create_that_failed_ambiguously_is_unknown_and_absent_from_a_complete_listing(
    kit: Any, kind: str, fault: str
) -> None:
    async def scene(house: Any) -> None:
        assert isinstance(await house.provider.dial(kit.a_dial()), FateUnknown)
        listing = await listed(house)
        assert listing.complete is (kind in LISTS_CALLS)
        assert listing.reports == []
        assert house.stats["creates"] == 1

    in_a_house(kit, kind, scene, faults={fault: 1.0})


def test_a_wrong_key_is_a_configuration_error_and_nothing_is_dialed(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        result = await house.provider.dial(kit.a_dial())
        assert isinstance(result, NotDialed)
        assert result.kind is NotDialedKind.CREDENTIALS
        assert house.stats["dials"] == 0
        with pytest.raises(ProviderUnavailableError):
            await house.provider.fetch("0199a8c4-0000-7000-8000-000000000000")

    in_a_house(kit, kind, scene, api_key="another-key")


def test_a_refused_number_is_invalid_and_the_message_does_not_hold_it(kit: Any, kind: str) -> None:
    number = REFUSED_NUMBERS.get(kind)
    if number is None:
        pytest.skip("this provider's create takes any text as a number")

    async def scene(house: Any) -> None:
        result = await house.provider.dial(kit.a_dial(number))
        assert isinstance(result, NotDialed)
        assert result.kind is NotDialedKind.INVALID_NUMBER
        assert number not in result.message

    in_a_house(kit, kind, scene)


def test_a_rate_limit_says_how_long_to_wait(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        result = await house.provider.dial(kit.a_dial())
        assert isinstance(result, NotDialed)
        assert (result.kind, result.retry_after) == (NotDialedKind.RATE_LIMITED, timedelta(seconds=7))

    in_a_house(kit, kind, scene, faults={"rate_limited": 1.0, "retry_after_seconds": 7})


def test_a_lapsed_permit_reaches_no_provider(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        for looks in range(3):
            result = await house.provider.dial(kit.a_dial(permit=kit.a_permit(looks=looks)))
            assert isinstance(result, NotDialed)
            assert result.kind is NotDialedKind.PERMIT_LAPSED
        assert house.stats["creates"] == 0

    in_a_house(kit, kind, scene)


@pytest.mark.parametrize("offset", [-90.0, 0.0, 90.0])
def test_the_providers_clock_is_compared_with_ours(kit: Any, kind: str, offset: float) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(kit.a_dial())
        listing = await listed(house)
        for skew in (placed.clock_skew, listing.clock_skew):
            assert abs(skew - timedelta(seconds=offset)) <= timedelta(seconds=1)

    in_a_house(kit, kind, scene, clock_offset=offset)


def test_reading_from_a_provider_that_is_away_says_so(kit: Any, kind: str) -> None:
    async def run() -> None:
        async with kit.a_house(kind) as house:
            await house.simulator.stop()
            with pytest.raises(ProviderUnavailableError):
                await listed(house)
            with pytest.raises(ProviderUnavailableError):
                await house.provider.fetch("any")
            with pytest.raises(ProviderUnavailableError):
                await house.provider.end("any")

    asyncio.run(run())


def test_a_hundred_dials_at_once_make_a_hundred_calls(kit: Any, kind: str) -> None:
    async def scene(house: Any) -> None:
        dials = [kit.a_dial(f"+12125{550_000 + n}") for n in range(100)]
        results = await asyncio.gather(*(house.provider.dial(dial) for dial in dials))
        assert all(isinstance(result, Placed) for result in results)
        assert (house.stats["dials"], house.stats["double_dials"]) == (100, 0)

    in_a_house(kit, kind, scene)
