"""What is peculiar to Vapi: four ways of being full, pages without a cursor, webhooks."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind, Phase, Placed, Receipt, WebhookTarget

SECRET = "a-campaign-token"


@pytest.mark.parametrize(
    ("when_full", "expected"), [("refuse", NotDialed), ("block", FateUnknown), ("queue", Placed), ("end", Placed)]
)
def test_all_four_answers_of_a_full_account_are_understood(kit: Any, when_full: str, expected: type) -> None:
    async def run() -> None:
        async with kit.a_house(concurrency_limit=1, when_full=when_full, speed=0.001) as house:
            await house.provider.dial(kit.a_dial())
            second = await house.provider.dial(kit.a_dial("+12125550124"))
            assert isinstance(second, expected)
            assert house.stats["calls_in_flight_max"] == 1
            if isinstance(second, NotDialed):
                assert second.kind is NotDialedKind.CAPACITY

    asyncio.run(run())


def test_a_call_that_ended_over_the_limit_spends_no_attempt(kit: Any) -> None:
    async def run() -> None:
        async with kit.a_house(concurrency_limit=1, when_full="end", faults={"stuck": 1.0}) as house:
            await house.provider.dial(kit.a_dial())
            second = await house.provider.dial(kit.a_dial("+12125550124"))
            report = await house.provider.fetch(second.provider_call_id)
            assert report.verdict.outcome is Outcome.PROVIDER_ERROR
            assert (report.verdict.retryable, report.verdict.counts) == (True, False)

    asyncio.run(run())


def test_a_queued_call_starts_when_a_slot_is_free(kit: Any) -> None:
    async def run() -> None:
        async with kit.a_house(concurrency_limit=1, when_full="queue", speed=0.001) as house:
            first = await house.provider.dial(kit.a_dial())
            await house.provider.dial(kit.a_dial("+12125550124"))
            assert house.stats["dials"] == 1
            await house.provider.end(first.provider_call_id)
            assert house.stats["dials"] == 2

    asyncio.run(run())


def test_a_line_that_is_spent_for_the_day_is_told_apart(kit: Any) -> None:
    async def run() -> None:
        async with kit.a_house(line_daily_limit=1) as house:
            await house.provider.dial(kit.a_dial())
            second = await house.provider.dial(kit.a_dial("+12125550124"))
            assert isinstance(second, NotDialed)
            assert second.kind is NotDialedKind.LINE_LIMIT
            assert isinstance(await house.provider.dial(kit.a_dial("+12125550124", line="pn-2")), Placed)

    asyncio.run(run())


def test_more_creates_than_a_minute_allows_wait_for_the_next_minute(kit: Any) -> None:
    async def run() -> None:
        async with kit.a_house(requests_per_minute=0) as house:
            result = await house.provider.dial(kit.a_dial())
            assert isinstance(result, NotDialed)
            assert result.kind is NotDialedKind.RATE_LIMITED
            assert timedelta() <= result.retry_after <= timedelta(seconds=65)

    asyncio.run(run())


def test_pages_lose_no_call_although_thousands_share_their_millisecond(kit: Any) -> None:
    async def run() -> None:
        async with kit.a_house(rates={"answered": 1.0}, webhooks={"enabled": False}) as house:
            customers = [{"number": f"+12125{n:06}"} for n in range(2500)]
            body = {"assistantId": "a", "phoneNumberId": "pn-1", "customers": customers}
            answer = await house.provider._http.request("POST", "/call", body=json.dumps(body).encode())
            assert len(answer.json()["results"]) == 2500
            now = datetime.now(UTC)
            listing = await house.provider.list_calls(
                created_from=now - timedelta(minutes=5), created_to=now + timedelta(minutes=5)
            )
            assert listing.complete
            assert len({report.provider_call_id for report in listing.reports}) == len(listing.reports) == 2500

    asyncio.run(run())


class Receiver:
    """A web server that keeps what it is sent."""

    def __init__(self, *, statuses: list[int] | None = None) -> None:
        self.bodies: list[bytes] = []
        self.secrets: list[str | None] = []
        self._statuses = statuses or []
        self._runner = web.AppRunner(self._application(), access_log=None)

    def _application(self) -> web.Application:
        application = web.Application()
        application.add_routes([web.post("/hook", self._take)])
        return application

    async def _take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.secrets.append(request.headers.get("X-Vapi-Secret"))
        return web.Response(status=self._statuses.pop(0) if self._statuses else 200)

    async def __aenter__(self) -> WebhookTarget:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        return WebhookTarget(f"http://127.0.0.1:{port}/hook", {"X-Vapi-Secret": SECRET})

    async def __aexit__(self, *_error: object) -> None:
        await self._runner.cleanup()


async def heard(kit: Any, receiver: Receiver, **settings: Any) -> tuple[list[Receipt], dict[str, Any]]:
    """All that one answered call sends, in the order of arrival, and what the simulator counted."""
    async with receiver as webhook, kit.a_house(scripted={kit.number: ["answered"]}, **settings) as house:
        simulation = house.simulator.simulation
        await house.provider.dial(kit.a_dial(webhook=webhook))

        async def is_over() -> bool:
            calls = simulation.book.all(offset=0, limit=1)
            return bool(calls) and calls[0].reported and simulation.sender.waiting == 0

        await kit.wait_until(is_over)
        return [house.provider.parse_webhook(body) for body in receiver.bodies], house.stats


def test_webhooks_tell_the_whole_life_of_a_call(kit: Any) -> None:
    receiver = Receiver()
    receipts, _ = asyncio.run(heard(kit, receiver, webhooks={"concurrency": 1}))

    assert [receipt.report.phase for receipt in receipts if receipt.report] == [
        Phase.QUEUED,
        Phase.RINGING,
        Phase.CONNECTED,
        Phase.ENDED,
        Phase.REPORTED,
    ]
    assert {receipt.report.attempt_id for receipt in receipts if receipt.report} == {
        receipts[0].report.attempt_id if receipts[0].report else None
    }
    assert receipts[-1].report is not None
    assert receipts[-1].report.verdict is not None
    assert receipts[-1].report.verdict.outcome is Outcome.ANSWERED
    assert set(receiver.secrets) == {SECRET}


def test_an_event_delivered_twice_has_one_key_and_different_events_have_different_ones(kit: Any) -> None:
    receipts, stats = asyncio.run(heard(kit, Receiver(), webhooks={"duplicated": 1.0}))

    keys = [receipt.dedupe_key for receipt in receipts]
    assert (len(keys), len(set(keys))) == (10, 5)
    assert stats["webhooks"]["duplicated"] == 5


def test_lost_webhooks_never_arrive(kit: Any) -> None:
    receipts, stats = asyncio.run(heard(kit, Receiver(), webhooks={"lost": 1.0}))

    assert receipts == []
    assert stats["webhooks"] == {"lost": 5}


def test_a_failed_delivery_is_repeated_by_its_backoff_plan(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "campaigns.providers.vapi.requests.BACKOFF_PLAN", {"type": "fixed", "maxRetries": 2, "baseDelaySeconds": 0}
    )
    receipts, stats = asyncio.run(heard(kit, Receiver(statuses=[503, 503]), webhooks={"concurrency": 1}))

    assert (len(receipts), len({receipt.dedupe_key for receipt in receipts})) == (7, 5)
    assert stats["webhooks"] == {"failed": 2, "delivered": 5}


def test_a_held_back_webhook_is_overtaken_by_later_ones(kit: Any) -> None:
    settings = {"reordered": 0.5, "reorder_seconds": 0.05}
    receipts, stats = asyncio.run(heard(kit, Receiver(), seed=4, webhooks=settings))

    ranks = [receipt.report.phase.rank for receipt in receipts if receipt.report]
    assert stats["webhooks"]["reordered"] > 0
    assert ranks != sorted(ranks)
