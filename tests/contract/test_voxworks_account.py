"""What is peculiar to Voxworks: words and fields that may be any, no list, automations, a limit of its own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from campaigns.calls.outcomes import Outcome
from campaigns.customers.phone import normalize
from campaigns.providers.contract import (
    CallReport,
    FateUnknown,
    NotDialed,
    NotDialedKind,
    Phase,
    Placed,
    ProviderUnavailableError,
    Receipt,
)
from campaigns.providers.voxworks.client import CREATE

AUSTRALIAN = "+61429069971"


def in_a_house(
    kit: Any,
    scene: Callable[[Any], Awaitable[Any]],
    *,
    voxworks: dict[str, Any] | None = None,
    access: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Play one scene at a simulated team; `voxworks`: its own switches."""

    async def run() -> Any:
        async with kit.a_house("voxworks", voxworks=voxworks or {}, access=access or {}, **settings) as house:
            return await scene(house)

    return asyncio.run(run())


def a_dial(kit: Any, **values: Any) -> Any:
    return kit.a_dial(kind="voxworks", **values)


async def reported(house: Any, kit: Any, call_id: str) -> CallReport:
    async def look() -> CallReport | None:
        report = await house.provider.fetch(call_id)
        assert report is not None
        return report if report.phase is Phase.REPORTED else None

    report: CallReport = await kit.wait_until(look)
    return report


# --- what a call is called by ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["documented", "title", "snake", "upper", "kebab"])
@pytest.mark.parametrize(
    ("scripted", "outcome"),
    [
        ("answered", Outcome.ANSWERED),
        ("voicemail", Outcome.VOICEMAIL),
        ("no_answer", Outcome.NO_ANSWER),
        ("rejected", Outcome.REJECTED),
        ("provider_error", Outcome.PROVIDER_ERROR),
    ],
)
def test_outcomes_are_the_same_in_every_spelling(kit: Any, spelling: str, scripted: str, outcome: Outcome) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))
        report = await reported(house, kit, placed.provider_call_id)
        assert report.verdict is not None
        assert report.verdict.outcome is outcome

    in_a_house(kit, scene, voxworks={"spelling": spelling}, scripted={kit.number: [scripted]})


@pytest.mark.parametrize("style", ["snake", "camel", "automation"])
@pytest.mark.parametrize("place", ["call", "call.result"])
@pytest.mark.parametrize("early", ["empty", "missing"])
def test_details_are_found_whatever_their_fields_are_called_and_waited_for_until_they_are_there(
    kit: Any, style: str, place: str, early: str
) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))

        async def over() -> CallReport | None:
            report: CallReport = await house.provider.fetch(placed.provider_call_id)
            return report if report.phase.rank >= Phase.ENDED.rank else None

        first = await kit.wait_until(over)
        assert first.phase is Phase.ENDED
        assert first.artifacts.is_empty
        house.simulator.simulation.change({"speed": 100_000.0})
        report = await reported(house, kit, placed.provider_call_id)
        assert report.artifacts.summary
        assert report.artifacts.transcript
        assert report.artifacts.recording_url
        assert report.conversation.disposition == "opt_out"
        assert report.duration is not None

    voxworks = {
        "field_style": style,
        "result_place": place,
        "early_result": early,
        "hang_up_share": 0.0,
        "dispositions": {"opt_out": 1.0},
    }
    spans = {"queued": (0, 0), "ring": (0.01, 0.01), "talk": (0.01, 0.01), "report_delay": (0.5, 0.5)}
    in_a_house(kit, scene, voxworks=voxworks, scripted={kit.number: ["answered"]}, speed=1.0, **spans)


@pytest.mark.parametrize("progress", ["scheduled", "detailed"])
def test_a_call_under_way_is_not_over_however_it_is_told(kit: Any, progress: str) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))
        report = await house.provider.fetch(placed.provider_call_id)
        assert report.phase.rank < Phase.ENDED.rank
        assert report.verdict is None

    in_a_house(kit, scene, voxworks={"progress": progress}, speed=0.001)


# --- taking back and moving -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_a_waiting_call_is_taken_back_once_and_was_never_dialed(kit: Any, word: str) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))
        assert await house.provider.cancel(placed.provider_call_id) is True
        assert await house.provider.cancel(placed.provider_call_id) is False
        report = await reported(house, kit, placed.provider_call_id)
        assert report.verdict is not None
        assert (report.verdict.outcome, report.verdict.counts) == (Outcome.CANCELLED, False)
        assert house.stats["dials"] == 0

    in_a_house(kit, scene, voxworks={"cancelled_word": word}, concurrency_limit=0, speed=0.001)


def test_a_call_that_rings_is_not_taken_back_and_no_longer_said_to_wait(kit: Any) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))
        call_id = placed.provider_call_id

        async def rings() -> bool:
            return house.simulator.simulation.book.all(offset=0, limit=1)[0].status == "ringing"

        await kit.wait_until(rings)
        assert (await house.provider.fetch(call_id)).phase is Phase.QUEUED, "all that the provider says"
        assert await house.provider.cancel(call_id) is False
        assert (await house.provider.fetch(call_id)).phase is Phase.RINGING
        with pytest.raises(ProviderUnavailableError, match="hangs no call up"):
            await house.provider.end(call_id)

    in_a_house(kit, scene, speed=1.0, queued=(0, 0), ring=(3600, 3600), scripted={kit.number: ["answered"]})


def test_a_waiting_call_can_be_moved_and_a_finished_one_cannot(kit: Any) -> None:
    async def scene(house: Any) -> None:
        due_at = datetime.now(UTC) + timedelta(hours=1)
        call_id = await scheduled(house, due_at)
        assert await house.provider.reschedule(call_id, due_at=due_at + timedelta(hours=1)) is True
        assert await house.provider.cancel(call_id) is True
        assert await house.provider.reschedule(call_id, due_at=due_at) is False
        assert await house.provider.reschedule("no-such-call", due_at=due_at) is False

    in_a_house(kit, scene)


async def scheduled(house: Any, due_at: datetime) -> str:
    """A call that somebody else scheduled at the team: campaigns never do."""
    contact = {"phone_number": AUSTRALIAN}
    order = {"from_number": "pn-1", "script_id": "s", "contact": contact, "scheduled_time": due_at.isoformat()}
    answer = await house.provider._http.request("POST", CREATE, body=json.dumps(order).encode())
    call_id: str = answer.json()["call_id"]
    return call_id


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_every_body_is_taken_by_a_team_that_refuses_what_it_does_not_know(kit: Any) -> None:
    async def scene(house: Any) -> None:
        objects = {"policy": {"plan": "gold", "premium": 12.5}}
        full = a_dial(kit, assistant={"scriptId": "script-1", "objects": objects, "variables": {}})
        bare = a_dial(kit, number=AUSTRALIAN, assistant={"scriptId": "script-1"}, customer_name=None)
        assert isinstance(await house.provider.dial(full), Placed)
        assert isinstance(await house.provider.dial(bare), Placed)

    voxworks = {"scripts": ("script-1",), "numbers": ("pn-1",), "objects": {"policy": ("plan", "premium")}}
    in_a_house(kit, scene, voxworks=voxworks)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("foreign", ["numbers", "scripts"])
def test_a_line_or_script_of_another_team_is_the_campaigns_trouble(kit: Any, status: int, foreign: str) -> None:
    async def scene(house: Any) -> None:
        result = await house.provider.dial(a_dial(kit))
        assert isinstance(result, NotDialed)
        assert result.kind is NotDialedKind.CONFIG_ERROR
        assert "your team" in result.message
        assert house.stats["dials"] == 0

    in_a_house(kit, scene, voxworks={"foreign_status": status, foreign: ("another",)})


def test_a_local_number_of_a_list_is_what_the_provider_calls(kit: Any) -> None:
    """A campaign's `defaultRegion: AU` reads it; what we send is E.164, and it is the same contact."""
    number = normalize("0429 069 971", default_region="AU")
    assert number == AUSTRALIAN

    async def scene(house: Any) -> None:
        assert isinstance(await house.provider.dial(a_dial(kit, number=number)), Placed)
        local = {"from_number": "pn-1", "script_id": "s", "contact": {"phone_number": "0429069971"}}
        body = json.dumps(local).encode()
        await house.provider._http.request("POST", CREATE, body=body)
        calls = house.simulator.simulation.book.all(offset=0, limit=2)
        assert [call.number for call in calls] == [AUSTRALIAN, AUSTRALIAN]

    in_a_house(kit, scene)


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["seconds", "date"])
def test_the_limit_of_requests_is_told_by_the_last_one_and_then_refused_with_a_time(kit: Any, written: str) -> None:
    async def scene(house: Any) -> None:
        first, second, third = [await house.provider.dial(a_dial(kit)) for _ in range(3)]
        assert (first.rate_spent, second.rate_spent) == (False, True)
        assert isinstance(third, NotDialed)
        assert third.kind is NotDialedKind.RATE_LIMITED
        assert timedelta() < third.retry_after <= timedelta(seconds=61)
        assert "limit 2" in third.message

    in_a_house(kit, scene, voxworks={"rate_limit": 2, "retry_after_as": written})


@pytest.mark.parametrize(("when_full", "expected"), [("queue", Placed), ("end", Placed), ("refuse", NotDialed)])
def test_every_answer_of_a_full_team_is_understood(kit: Any, when_full: str, expected: type) -> None:
    async def scene(house: Any) -> None:
        result = await house.provider.dial(a_dial(kit))
        assert isinstance(result, expected)
        assert house.stats["dials"] == 0

    in_a_house(kit, scene, voxworks={"when_full": when_full}, concurrency_limit=0, speed=0.001)


# --- unknown fates and automations ----------------------------------------------------------------------------------


class Receiver:
    """A web server that keeps what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.tokens: list[str | None] = []
        application = web.Application()
        application.add_routes([web.post("/hook", self._take)])
        self._runner = web.AppRunner(application, access_log=None)

    async def _take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.tokens.append(request.headers.get("X-Ringfence-Token"))
        return web.Response()

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def __aexit__(self, *_error: object) -> None:
        await self._runner.cleanup()


def told_by_automation(
    kit: Any, *, fields: dict[str, str] | None = None, paths: dict[str, str] | None = None, **settings: Any
) -> tuple[Any, Any, Receipt, Receiver]:
    """One dial, its result, what the automation then told, and the receiver."""

    async def run() -> tuple[Any, Any, Receipt, Receiver]:
        receiver = Receiver()
        async with receiver as url:
            automation: dict[str, Any] = {"url": url, "headers": {"X-Ringfence-Token": "token"}}
            automation |= {"fields": fields} if fields else {}
            voxworks = {"automation": automation, "attempt_object": "ringfence.attempt", "hang_up_share": 0.0}
            access = {"webhook_fields": paths or {}, "attempt_object": "ringfence.attempt"}
            async with kit.a_house("voxworks", voxworks=voxworks, access=access, **settings) as house:
                dial = a_dial(kit)
                result = await house.provider.dial(dial)

                async def told() -> bool:
                    return bool(receiver.bodies)

                await kit.wait_until(told)
                return dial, result, house.provider.parse_webhook(receiver.bodies[0]), receiver

    return asyncio.run(run())


@pytest.mark.parametrize("scripted", ["answered", "no_answer", "rejected"])
def test_an_automation_of_the_screens_own_names_reports_a_call_to_its_end(kit: Any, scripted: str) -> None:
    _, result, receipt, receiver = told_by_automation(kit, scripted={kit.number: [scripted]})

    assert receipt.report is not None
    assert (receipt.report.provider_call_id, receipt.report.phase) == (result.provider_call_id, Phase.REPORTED)
    assert receipt.report.verdict is not None
    assert receipt.report.verdict.outcome.value == scripted
    assert receiver.tokens == ["token"]


@pytest.mark.parametrize("fault", ["timeout_after_accept", "reset_after_accept", "error_after_accept", "missing_id"])
def test_an_unanswered_create_is_found_again_by_the_attempt_that_an_automation_sends_back(kit: Any, fault: str) -> None:
    fields = {"call_id": "ref", "call_status": "how", "attempt_id": "ours.attempt", "summary": "notes"}
    paths = {"callId": "ref", "status": "how", "attemptId": "ours.attempt", "summary": "notes"}
    dial, result, receipt, _ = told_by_automation(
        kit, fields=fields, paths=paths, faults={fault: 1.0}, timeouts=kit.quick, scripted={kit.number: ["answered"]}
    )

    assert isinstance(result, FateUnknown)
    assert receipt.report is not None
    assert receipt.report.attempt_id == dial.attempt_id
    assert receipt.report.phase is Phase.REPORTED
