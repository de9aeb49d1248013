"""The "Call Completed" automation of the simulated Voxworks: once a call, in a body of its user's making."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

ANN, BOB = "+61429069971", "+61429069972"
CREATE = "/api/v1/create-phone-call"
QUICK = 100_000.0


def a_create(number: str, **more: Any) -> dict[str, Any]:
    contact = {"phone_number": number, "first_name": "Ann"}
    return {"from_number": "+61291234567", "script_id": "script-1", "contact": contact, **more}


@asynccontextmanager
async def a_receiver() -> AsyncIterator[tuple[str, list[tuple[Any, Any]]]]:
    """URL, and what was posted there: headers and body."""
    posts: list[tuple[Any, Any]] = []

    async def take(request: web.Request) -> web.Response:
        posts.append((request.headers.copy(), await request.json()))
        return web.Response()

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", posts
    finally:
        await runner.cleanup()


def automated(kit: Any, outcome: str, **automation: Any) -> list[tuple[Any, Any]]:
    """What the automation posted about one call, and about one that was cancelled."""
    found: list[tuple[Any, Any]] = []

    async def scene(stage: Any) -> None:
        async with a_receiver() as (url, posts):
            await stage.ask("POST", "/simulator/config", {"voxworks": {"automation": {"url": url, **automation}}})
            later = a_create(BOB, scheduled_time="2100-01-01T09:00:00Z")
            _, cancelled = await stage.ask("POST", CREATE, later)
            await stage.ask("POST", f"/api/v1/cancel-call/{cancelled['call_id']}")
            await stage.ask("POST", CREATE, a_create(ANN, objects={"dial": {"attempt": "attempt-1"}}))

            async def look() -> bool:
                calls = stage.simulator.simulation.book.all(offset=0, limit=10)
                return all(call.reported for call in calls) and not stage.simulator.simulation.sender.waiting

            await kit.wait_until(look)
            found.extend(posts)

    settings = {"attempt_object": "dial.attempt", "hang_up_share": 0}
    kit.on_stage(scene, speed=QUICK, scripted={ANN: [outcome]}, voxworks=settings)
    return found


def test_an_automation_posts_each_completed_call_once_with_its_token(kit: Any) -> None:
    [(headers, body)] = automated(kit, "answered", headers={"X-Token": "t"})

    assert headers["X-Token"] == "t"
    assert {"call_id", "call_type", "call_status", "contact_name", "phone_user", "actual_time", "call"} == set(body)
    assert (body["call_status"], body["contact_name"], body["phone_user"]) == ("completed", "Ann", ANN)
    assert set(body["call"]) == {"call_summary", "rating"}


def test_the_body_of_an_automation_is_its_users(kit: Any) -> None:
    [(_, body)] = automated(
        kit, "voicemail", fields={"call_id": "ref.id", "call_status": "ref.end", "attempt_id": "ours"}
    )

    assert (body["ref"]["end"], body["ours"]) == ("voicemail", "attempt-1")


def test_an_automation_may_run_before_there_are_results(kit: Any) -> None:
    [(_, body)] = automated(kit, "answered", runs="end")

    assert (body["call_status"], "call" in body) == ("completed", False)


def test_an_automation_may_leave_statuses_out(kit: Any) -> None:
    assert automated(kit, "voicemail", statuses=["completed"]) == []
