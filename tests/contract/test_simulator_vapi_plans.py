"""Scheduled calls of the simulated Vapi: plans that are refused, kept late, or outlived."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

ANN, BOB = "+12125550123", "+12125550124"
GOOD = {"assistantId": "a", "phoneNumberId": "pn-1"}
TO_ANN = GOOD | {"customer": {"number": ANN}}


def plan(earliest: timedelta, latest: timedelta | None = None) -> dict[str, Any]:
    """A plan counted from now."""
    now = datetime.now(UTC)
    instants = {"earliestAt": (now + earliest).isoformat()}
    return {"schedulePlan": instants | ({"latestAt": (now + latest).isoformat()} if latest is not None else {})}


def test_a_plan_that_cannot_be_kept_is_refused(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        hour, minute = timedelta(hours=1), timedelta(minutes=1)
        for wrong in (plan(hour, minute), plan(-hour, -minute), plan(timedelta(days=3))):
            assert (await stage.ask("POST", "/call", TO_ANN | wrong))[0] == 400
        assert (await stage.ask("POST", "/call", TO_ANN | plan(-hour, hour)))[0] == 201, "late, and still in time"

    kit.on_stage(scene, vapi={"schedule_horizon": 86_400})


def test_a_plan_in_the_past_can_be_refused(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        assert (await stage.ask("POST", "/call", TO_ANN | plan(timedelta(hours=-1))))[0] == 400

    kit.on_stage(scene, vapi={"schedule_past": "refuse"})


def test_a_call_whose_time_is_over_expires_and_rings_nobody(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN | plan(timedelta(hours=-2), timedelta(hours=-1)))
        call = (await stage.ask("GET", f"/call/{call['id']}"))[1]
        assert (call["status"], call["endedReason"]) == ("ended", "too-late")
        assert stage.stats["dials"] == 0

    kit.on_stage(scene, vapi={"schedule_order": "expire", "expired_reason": "too-late"})


def test_a_call_that_waits_for_a_slot_beyond_its_latest_instant_expires(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        await stage.ask("POST", "/call", TO_ANN)
        soon = plan(timedelta(), timedelta(seconds=0.2))
        _, waiting = await stage.ask("POST", "/call", GOOD | {"customer": {"number": BOB}} | soon)

        async def look() -> bool:
            return bool((await stage.ask("GET", f"/call/{waiting['id']}"))[1]["status"] == "ended")

        await kit.wait_until(look)
        assert stage.stats["dials"] == 1

    kit.on_stage(scene, concurrency_limit=1, when_full="queue")


def test_a_scheduled_call_starts_as_late_as_told(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN | plan(timedelta(seconds=-1)))
        assert (await stage.ask("GET", f"/call/{call['id']}"))[1]["status"] == "scheduled"
        assert stage.stats["dials"] == 0

    kit.on_stage(scene, vapi={"schedule_delay": [300, 300]})


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/assistant/{assistant}", "call.start.error-get-assistant"),
        ("/phone-number/pn-1", "call.start.error-get-phone-number"),
    ],
)
def test_a_scheduled_call_fails_when_what_it_needs_was_deleted_since(kit: Any, path: str, reason: str) -> None:
    async def scene(stage: Any) -> None:
        _, assistant = await stage.ask("POST", "/assistant", {"name": "A"})
        body = TO_ANN | {"assistantId": assistant["id"]} | plan(timedelta(seconds=0.2))
        _, call = await stage.ask("POST", "/call", body)
        assert call["status"] == "scheduled"
        await stage.ask("DELETE", path.format(assistant=assistant["id"]))

        async def look() -> Any:
            return (await stage.ask("GET", f"/call/{call['id']}"))[1].get("endedReason")

        assert await kit.wait_until(look) == reason
        assert stage.stats["dials"] == 0

    kit.on_stage(scene)
