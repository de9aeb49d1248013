"""The simulator as a client sees it, over HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from campaigns.simulator.__main__ import main
from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.server import Simulator

GOOD = {"assistantId": "a", "phoneNumberId": "pn-1", "customer": {"number": "+12125550123"}, "name": "attempt-1"}

Scene = Callable[[aiohttp.ClientSession], Awaitable[Any]]


def play(scene: Scene, *, key: str | None = "k", **settings: Any) -> Any:
    async def run() -> Any:
        config = changed(SimulatorConfig(), {"api_key": "k", "speed": 0.001, **settings})
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with Simulator(config) as simulator, aiohttp.ClientSession(simulator.base_url, headers=headers) as client:
            return await scene(client)

    return asyncio.run(run())


async def create(client: aiohttp.ClientSession, body: Any) -> tuple[int, Any]:
    async with client.post("/call", json=body) as answer:
        return answer.status, await answer.json()


async def get(client: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with client.get(path) as answer:
        return answer.status, await answer.json()


def test_a_created_call_looks_as_vapis_do() -> None:
    status, body = play(lambda client: create(client, GOOD))

    assert status == 201
    assert (body["status"], body["type"], body["cost"]) == ("queued", "outboundPhoneCall", 0)
    assert {"id", "orgId", "createdAt", "updatedAt", "customer", "monitor", "subscriptionLimits"} <= set(body)
    assert body["monitor"]["controlUrl"].endswith(f"/{body['id']}/control")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"server": {"url": "http://x"}}, "property server should not exist"),
        ({"name": "x" * 41}, "name must be shorter than or equal to 40 characters"),
        ({"customer": {"number": "2125550123"}}, "customer.number must be a valid phone number in the E.164 format"),
        ({"customer": {"number": "+12125550123", "phone": 1}}, "customer.property phone should not exist"),
        ({"assistantOverrides": {"x": 1}}, "assistantOverrides.property x should not exist"),
        ({"assistantOverrides": {"server": {"uri": 1}}}, "assistantOverrides.server.property uri should not exist"),
        ({"phoneNumberId": None}, "Couldn't Get Phone Number"),
        ({"assistantId": None, "squadId": "s"}, "Couldn't Get Assistant"),
        ({"schedulePlan": {"latestAt": "2020-01-01T00:00:00Z"}}, "schedulePlan.earliestAt must be"),
        ({"schedulePlan": {"earliestAt": "2020-01-02T00:00:00Z", "latestAt": "2020-01-01T00:00:00Z"}}, "latestAt must"),
        ({"customers": []}, "Couldn't Get Customer"),
    ],
)
def test_what_vapi_refuses_is_refused_in_its_words(change: dict[str, Any], said: str) -> None:
    status, body = play(lambda client: create(client, GOOD | change))

    assert (status, body["statusCode"], body["error"]) == (400, 400, "Bad Request")
    assert said in str(body["message"])


@pytest.mark.parametrize("key", [None, "wrong", ""])
def test_a_missing_or_wrong_key_is_refused(key: str | None) -> None:
    status, body = play(lambda client: create(client, GOOD), key=key)

    assert (status, body["error"]) == (401, "Unauthorized")


def test_a_batch_has_a_result_or_an_error_for_each_customer() -> None:
    batch = {"assistantId": "a", "phoneNumberId": "pn-1", "customers": [{"number": "+12125550123"}, {"number": "x"}]}
    status, body = play(lambda client: create(client, batch))

    assert status == 201
    assert [call["customer"]["number"] for call in body["results"]] == ["+12125550123"]
    assert [error["customer"] for error in body["errors"]] == [{"number": "x"}]


def test_the_list_filters_by_line_and_time_and_refuses_filters_that_vapi_lacks() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        await create(client, GOOD)
        await create(client, GOOD | {"phoneNumberId": "pn-2", "customer": {"number": "+12125550124"}})
        _, calls = await get(client, "/call?phoneNumberId=pn-2")
        assert [call["phoneNumberId"] for call in calls] == ["pn-2"]
        assert len((await get(client, "/call?limit=1"))[1]) == 1
        created_at = calls[0]["createdAt"]
        assert len((await get(client, f"/call?createdAtGe={created_at}&phoneNumberId=pn-2"))[1]) == 1
        assert (await get(client, f"/call?createdAtGt={created_at}&phoneNumberId=pn-2"))[1] == []
        assert (await get(client, "/call?name=attempt-1"))[0] == 400
        assert (await get(client, "/call?limit=1001"))[0] == 400

    play(scene)


def test_a_name_can_be_changed_and_nothing_else() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        _, call = await create(client, GOOD)
        async with client.patch(f"/call/{call['id']}", json={"name": "other"}) as answer:
            assert (answer.status, (await answer.json())["name"]) == (200, "other")
        async with client.patch(f"/call/{call['id']}", json={"status": "ended"}) as answer:
            assert answer.status == 400

    play(scene)


def test_deleting_hides_a_live_call_and_does_not_end_it() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        _, call = await create(client, GOOD)
        async with client.delete(f"/call/{call['id']}") as answer:
            assert answer.status == 200
        assert (await get(client, f"/call/{call['id']}"))[0] == 404
        assert (await get(client, "/simulator/stats"))[1]["calls_in_flight"] == 1

    play(scene)


def test_deleting_a_scheduled_call_cancels_it() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        _, call = await create(client, GOOD | {"schedulePlan": {"earliestAt": "2100-01-01T00:00:00Z"}})
        assert call["status"] == "scheduled"
        async with client.delete(f"/call/{call['id']}") as answer:
            assert (await answer.json())["endedReason"] == "scheduled-call-deleted"
        assert (await get(client, "/simulator/stats"))[1]["dials"] == 0

    play(scene)


def test_rates_and_faults_can_be_changed_while_it_runs() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        async with client.post("/simulator/config", json={"faults": {"rate_limited": 1.0}}) as answer:
            assert answer.status == 200
        assert (await create(client, GOOD))[0] == 429
        async with client.post("/simulator/config", json={"faults": {"rate_limted": 0}}) as answer:
            assert answer.status == 400
            assert "faults.rate_limted" in (await answer.json())["error"]
        async with client.post("/simulator/config", data=b"[]") as answer:
            assert answer.status == 400

    play(scene)


def test_the_witness_lists_every_call_by_attempt_and_number() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        for _ in range(2):
            await create(client, GOOD)
        async with client.get("/simulator/calls") as answer:
            rows = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert [(row["name"], row["number"], row["accepted"]) for row in rows] == [
            ("attempt-1", "+12125550123", True)
        ] * 2
        _, stats = await get(client, "/simulator/stats")
        assert (stats["by_attempt_max"], stats["by_number_max"], stats["double_dials"]) == (2, 2, 1)

    play(scene)


def test_calls_are_counted_by_attempt_customer_and_number() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        ann = {"number": "+12125550123", "externalId": "ann"}
        for customer in (ann, ann, {"number": "+12125550124"}):
            await create(client, GOOD | {"customer": customer})
        assert await get(client, "/simulator/attempts") == (200, {"attempt-1": 3})
        assert await get(client, "/simulator/customers") == (200, {"ann": 2})
        assert await get(client, "/simulator/numbers") == (200, {"+12125550123": 2, "+12125550124": 1})
        assert await get(client, "/simulator/numbers?least=2") == (200, {"+12125550123": 2})
        async with client.get("/simulator/numbers?least=x") as answer:
            assert (answer.status, "whole number" in await answer.text()) == (400, True)

    play(scene)


def test_the_configuration_is_shown_as_it_can_be_given() -> None:
    async def scene(client: aiohttp.ClientSession) -> None:
        _, config = await get(client, "/simulator/config")
        assert (config["speed"], config["when_full"], config["jambonz"]["live_hours"]) == (0.001, "refuse", 12.0)
        async with client.post("/simulator/config", json=config) as answer:
            assert answer.status == 200

    play(scene)


def test_a_log_holds_one_json_line_per_event(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    play(lambda client: create(client, GOOD), log_path=str(path))

    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["event"] for event in events] == ["status", "create"]
    assert (events[1]["attempt"], events[1]["provider"]) == ("attempt-1", "vapi")
    assert all(event["number"] == GOOD["customer"]["number"] for event in events)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "faults.stuck"], "give PATH=VALUE"),
        (["--set", "faults.stuck=2"], "faults.stuck: found 2"),
        (["--speed", "0"], "speed: found 0"),
        (["--config", "no-such-file.json"], "no-such-file.json"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    complaint = capsys.readouterr().err
    assert said in complaint
    assert "Traceback" not in complaint
