"""Calls at the simulated jambonz: lists, steering, call records, and how each outcome is told."""

from typing import Any
from uuid import uuid4

import pytest
from jambonz_client import ACCOUNT, CALLS, NUMBER, QUICK, RECENT, Answer, Client, nothing_but_answered, play


def test_the_list_is_there_with_and_without_its_slash_and_filters_exactly() -> None:
    async def scene(client: Client) -> None:
        first = await client.create_one()
        second = await client.create_one(to={"type": "phone", "number": "+12125550124"})
        for path in (CALLS, f"{CALLS}/"):
            _, calls = await client.ask("GET", path)
            assert [call["call_sid"] for call in calls] == [second, first]
        for query, found in (
            ({"to": NUMBER}, [first]),
            ({"from": "+12125550000", "callStatus": "trying"}, [second, first]),
            ({"from": "12125550000"}, []),
            ({"direction": "inbound"}, []),
        ):
            _, calls = await client.ask("GET", CALLS, params=query)
            assert [call["call_sid"] for call in calls] == found

    play(scene)


def test_a_listed_call_holds_no_tag_and_no_time() -> None:
    async def scene(client: Client) -> dict[str, Any]:
        await client.create_one()
        return dict((await client.ask("GET", CALLS))[1][0])

    call = play(scene)
    assert {"call_sid", "call_id", "from", "to", "call_status", "sip_status", "direction", "service_url"} <= set(call)
    assert not any("customer" in key.lower() or key.endswith("_at") or isinstance(call[key], dict) for key in call)


def test_a_ringing_call_is_cancelled_and_ends_as_not_answered() -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one()
        await client.until(sid, is_in="ringing")
        assert await client.ask("PUT", f"{CALLS}/{sid}", {"call_status": "completed"}) == (
            422,
            {"msg": f"current call state is incompatible with requested action for call_sid {sid}"},
        )
        assert await client.ask("PUT", f"{CALLS}/{sid}", {"call_status": "no-answer"}) == (202, "Accepted")
        call = (await client.ask("GET", f"{CALLS}/{sid}"))[1]
        assert (call["call_status"], call["sip_status"], call["call_termination_by"]) == ("no-answer", 487, "jambonz")
        assert (await client.ask("POST", f"{CALLS}/{sid}", {"call_status": "no-answer"}))[0] == 422
        assert client.stats()["calls_in_flight"] == 0

    play(scene, speed=1.0, queued=[0.01, 0.01], ring=[60, 60])


def test_a_talking_call_is_hung_up_and_ends_as_completed() -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one()
        await client.until(sid, is_in="in-progress")
        assert (await client.ask("PUT", f"{CALLS}/{sid}", {"call_status": "no-answer"}))[0] == 422
        assert (await client.ask("POST", f"{CALLS}/{sid}", {"call_status": "completed"}))[0] == 202
        call = await client.until(sid, is_in="completed")
        assert (call["sip_status"], call["call_termination_by"], type(call["duration"])) == (200, "jambonz", int)

    play(scene, speed=1.0, queued=[0, 0], ring=[0, 0], talk=[60, 60], rates={"answered": 1, **nothing_but_answered()})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"call_status": "failed"}, 400),
        ({"mute_status": "loud"}, 400),
        ({"call_status": "completed", "mute_status": "mute"}, 400),
        ({"mute_status": "mute"}, 202),
        ({"whisper": {"verb": "say", "text": "hello"}}, 202),
        ({"call_hook": "/a", "child_call_hook": "/b"}, 202),
        ({"sip_request": {"method": "INFO", "content_type": "text/plain", "content": "x"}}, 200),
    ],
)
def test_an_update_takes_one_known_action(body: dict[str, Any], status: int) -> None:
    async def scene(client: Client) -> int:
        return (await client.ask("PUT", f"{CALLS}/{await client.create_one()}", body))[0]

    assert play(scene) == status


def test_an_unknown_call_is_not_found() -> None:
    async def scene(client: Client) -> list[Answer]:
        path = f"{CALLS}/{uuid4()}"
        return [await client.ask("GET", path), await client.ask("DELETE", path),
                await client.ask("PUT", path, {"call_status": "completed"})]  # fmt: skip

    assert play(scene) == [(404, "Not Found")] * 3


def test_deleting_removes_the_record_and_hangs_up_nothing() -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one()
        assert (await client.ask("DELETE", f"{CALLS}/{sid}"))[0] == 204
        assert (await client.ask("GET", f"{CALLS}/{sid}"))[0] == 404
        assert (await client.ask("GET", CALLS))[1] == []
        assert client.stats()["calls_in_flight"] == 1

    play(scene)


def test_live_calls_are_counted() -> None:
    async def scene(client: Client) -> Any:
        await client.create_one()
        return (await client.ask("GET", f"/v1/Accounts/{ACCOUNT}/CallCount"))[1]

    assert play(scene) == {"inbound": 0, "outbound": 1}


def test_over_calls_are_recent_with_their_times_and_no_tag() -> None:
    async def scene(client: Client) -> dict[str, Any]:
        sid = await client.create_one()
        row = dict((await client.until_recent(1))["data"][0])
        assert row["call_sid"] == sid
        return row

    row = play(scene, speed=QUICK, scripted={NUMBER: ["busy"]})
    assert (row["answered"], row["duration"], row["answered_at"]) == (False, 0, None)
    assert row["sip_status"] in {486, 600}
    assert row["attempted_at"] < row["terminated_at"]
    assert "tag" not in row
    assert "customer_data" not in row


@pytest.mark.parametrize(("times", "kind"), [("iso", str), ("milliseconds", int), ("seconds", int)])
def test_the_times_of_recent_calls_come_in_three_ways(times: str, kind: type) -> None:
    async def scene(client: Client) -> Any:
        await client.create_one()
        return (await client.until_recent(1))["data"][0]["attempted_at"]

    at = play(scene, speed=QUICK, scripted={NUMBER: ["busy"]}, jambonz={"cdr_times": times})
    assert type(at) is kind
    if kind is int:
        assert (at > 1_000_000_000_000) is (times == "milliseconds")


def test_recent_calls_come_in_pages() -> None:
    async def scene(client: Client) -> None:
        for each in range(30):
            await client.create_one(to={"type": "phone", "number": f"+121255501{each:02}"}, tag={"n": each})
        first = await client.until_recent(30)
        second = await client.recent(page=2)
        assert (first["page"], first["total"], first["batch"], len(first["data"])) == (1, 30, 25, 25)
        assert (second["page"], second["total"], second["batch"], len(second["data"])) == (2, 30, 5, 5)
        sids = {row["call_sid"] for page in (first, second) for row in page["data"]}
        assert len(sids) == 30

    play(scene, speed=1000.0)


@pytest.mark.parametrize(
    "query",
    [{}, {"page": 1}, {"page": 0, "count": 25}, {"page": 1, "count": 501}, {"page": 1, "count": 24},
     {"page": "x", "count": 25}, {"page": 1, "count": 25, "days": 31}, {"page": 1, "count": 25, "start": "soon"}],
)  # fmt: skip
def test_recent_calls_need_a_page_and_a_count(query: dict[str, Any]) -> None:
    status, body = play(lambda client: client.ask("GET", RECENT, params=query))

    assert status == 400
    assert "query arg" in body["msg"]


def test_recent_calls_are_filtered_by_answer_span_and_number() -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one()
        await client.until_recent(1)
        assert (await client.recent(filter=sid))["total"] == 1
        assert (await client.recent(filter="+1"))["total"] == 0
        assert (await client.recent(answered="false", direction="outbound", days=1))["total"] == 1
        assert (await client.recent(answered="true"))["total"] == 0
        assert (await client.recent(direction="inbound"))["total"] == 0
        assert (await client.recent(start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z"))["total"] == 0

    play(scene, speed=QUICK, scripted={NUMBER: ["busy"]})


def test_calls_forgets_an_hour_after_the_end_and_recent_calls_does_not() -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one()
        await client.until_recent(1)
        assert (await client.ask("GET", f"{CALLS}/{sid}"))[0] == 200
        client.simulator.simulation.change({"jambonz": {"final_hours": 0}})
        assert (await client.ask("GET", f"{CALLS}/{sid}"))[0] == 404
        assert (await client.ask("GET", CALLS))[1] == []
        assert (await client.recent())["total"] == 1

    play(scene, speed=QUICK, scripted={NUMBER: ["busy"]})


@pytest.mark.parametrize(
    ("body", "status", "sip"),
    [({"timeout": 2}, "no-answer", 487), ({"timeout": 20}, "completed", 200)],
)
def test_the_ring_time_of_a_create_is_heeded(body: dict[str, Any], status: str, sip: int) -> None:
    async def scene(client: Client) -> dict[str, Any]:
        return await client.until(await client.create_one(**body), is_in=status)

    call = play(scene, speed=QUICK, scripted={NUMBER: ["answered"]}, ring=[5, 5])
    assert call["sip_status"] == sip


def test_a_conversation_ends_at_its_time_limit() -> None:
    async def scene(client: Client) -> dict[str, Any]:
        return await client.until(await client.create_one(timeLimit=10), is_in="completed")

    call = play(scene, speed=QUICK, scripted={NUMBER: ["answered"]}, ring=[1, 1], talk=[100, 100])
    assert (call["duration"], call["call_termination_by"]) == (10, "jambonz")


def test_a_caller_whom_the_carrier_does_not_know_ends_with_403() -> None:
    async def scene(client: Client) -> dict[str, Any]:
        return await client.until(await client.create_one(), is_in="failed")

    assert play(scene, speed=QUICK, jambonz={"callers": ["+12125550999"]})["sip_status"] == 403


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        ("answered", {"completed"}),
        ("voicemail", {"completed"}),
        ("no_answer", {"no-answer", "failed"}),
        ("busy", {"busy", "failed"}),
        ("rejected", {"busy", "failed"}),
        ("invalid_number", {"failed"}),
        ("provider_error", {"failed"}),
        ("config_error", {"failed"}),
    ],
)
def test_every_outcome_has_jambonzs_word(outcome: str, statuses: set[str]) -> None:
    async def scene(client: Client) -> set[str]:
        for each in range(20):
            await client.create_one(to={"type": "phone", "number": f"+121255501{each:02}"}, tag={"n": each})
        await client.until_recent(20)
        _, calls = await client.ask("GET", CALLS)
        return {call["call_status"] for call in calls}

    rates = {"answered": 0, **nothing_but_answered(), outcome: 1}
    assert play(scene, speed=1000.0, rates=rates) <= statuses


def test_busy_is_told_by_the_code_or_by_cognigys_page() -> None:
    async def scene(client: Client) -> set[tuple[int, str]]:
        for each in range(40):
            await client.create_one(to={"type": "phone", "number": f"+121255501{each:02}"}, tag={"n": each})
        await client.until_recent(40)
        _, calls = await client.ask("GET", CALLS)
        return {(call["sip_status"], call["call_status"]) for call in calls}

    busy = {"answered": 0, **nothing_but_answered(), "busy": 1}
    assert play(scene, speed=1000.0, rates=busy) == {(486, "busy"), (600, "failed")}
    by_page = play(scene, speed=1000.0, rates=busy, jambonz={"busy_status": "no-answer"})
    assert by_page == {(486, "no-answer"), (600, "no-answer")}
