"""The simulated Voxworks: strict as far as its description goes, and switchable beyond."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

ANN, BOB = "+61429069971", "+61429069972"
GOOD: dict[str, Any] = {"from_number": "+61291234567", "script_id": "script-1", "contact": {"phone_number": ANN}}
CREATE = "/api/v1/create-phone-call"
QUICK = 100_000.0
LATER = {"scheduled_time": "2100-01-01T09:00:00Z"}


def to(number: str, **names: str) -> dict[str, Any]:
    return {"contact": {"phone_number": number, **names}}


async def create(stage: Any, body: dict[str, Any] | None = None) -> dict[str, Any]:
    status, answer = await stage.ask("POST", CREATE, GOOD | (body or {}))
    assert status == 201, answer
    found: dict[str, Any] = answer
    return found


async def until(kit: Any, stage: Any, call_id: str, *, path: str = "get-call-result", holds: str = "summary") -> Any:
    """The call once it has this field."""

    async def look() -> Any:
        _, answer = await stage.ask("GET", f"/api/v1/{path}/{call_id}")
        return answer["call"] if holds in json.dumps(answer.get("call")) else None

    return await kit.wait_until(look)


def test_a_create_makes_the_call_and_its_contact(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        answer = await create(stage, to(ANN, first_name="Ann", last_name="Example"))
        assert (answer["success"], answer["status"]) == (True, "scheduled")
        assert set(answer) == {"success", "call_id", "contact_id", "status"}
        _, shown = await stage.ask("GET", f"/api/v1/get-call/{answer['call_id']}")
        assert (shown["success"], shown["call"]["contact_name"]) == (True, "Ann Example")
        assert shown["call"]["contact_id"] == answer["contact_id"]

    kit.on_stage(scene)


def test_the_contact_is_found_by_its_number_and_overwritten(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        first = await create(stage, to(ANN, first_name="Ann", last_name="Old"))
        second = await create(stage, to("0429 069 971", last_name="New"))
        assert first["contact_id"] == second["contact_id"]
        _, shown = await stage.ask("GET", f"/api/v1/get-call/{first['call_id']}")
        assert shown["call"]["contact_name"] == "Ann New"
        assert stage.simulator.simulation.ledger.by_number[ANN] == 2, "the local number is the same person's"

    kit.on_stage(scene)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"from_number": None}, "from_number is required"),
        ({"script_id": 7}, "script_id is required"),
        ({"contact": None}, "contact must be an object"),
        ({"contact": {}}, "contact.phone_number is required"),
        (to("12"), "contact.phone_number is not a valid phone number"),
        (to(ANN, first_name=3), "contact.first_name must be a string"),
        (to(ANN, nickname="A"), "contact.nickname is not a known property"),
        ({"tag": "x"}, "tag is not a known property"),
        ({"objects": []}, "objects must be an object"),
        ({"objects": {"order": "x"}}, "objects.order must be an object"),
        ({"objects": {"invoice": {}}}, "objects.invoice is not an object type of your team"),
        ({"objects": {"order": {"colour": 1}}}, "objects.order.colour is not a field"),
        ({"scheduled_time": "tomorrow"}, "scheduled_time must be an ISO 8601 timestamp"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_dialed(kit: Any, change: dict[str, Any], said: str) -> None:
    async def scene(stage: Any) -> None:
        status, answer = await stage.ask("POST", CREATE, GOOD | change)
        assert (status, answer["success"]) == (400, False)
        assert said in answer["message"]
        assert stage.stats["dials"] == 0

    kit.on_stage(scene, voxworks={"objects": {"order": ["id"]}})


def test_what_is_not_known_may_be_dropped_in_silence(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        await create(stage, {"tag": "x", "objects": {"invoice": {"a": 1}, "order": {"id": 1, "colour": 2}}})
        assert stage.simulator.simulation.book.all(offset=0, limit=1)[0].request["objects"] == {"order": {"id": 1}}

    switches = {"unknown_properties": "ignore", "undeclared_objects": "ignore"}
    kit.on_stage(scene, voxworks={"objects": {"order": ["id"]}, **switches})


@pytest.mark.parametrize("status", [400, 404])
def test_numbers_and_scripts_must_be_the_teams(kit: Any, status: int) -> None:
    async def scene(stage: Any) -> None:
        assert (await stage.ask("POST", CREATE, GOOD | {"from_number": BOB}))[0] == status
        assert (await stage.ask("POST", CREATE, GOOD | {"script_id": "other"}))[0] == status
        await create(stage)

    own = {"numbers": [GOOD["from_number"]], "scripts": ["script-1"]}
    kit.on_stage(scene, voxworks={**own, "foreign_status": status})


def test_a_key_must_be_there_and_the_right_one(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        for header in ("", "Bearer wrong", "Basic x"):
            status, answer = await stage.ask("POST", CREATE, GOOD, headers={"Authorization": header})
            assert (status, answer["success"]) == (401, False)

    kit.on_stage(scene)


@pytest.mark.parametrize("written", ["seconds", "date"])
def test_over_the_limit_the_answer_says_how_long_to_wait(kit: Any, written: str) -> None:
    async def scene(stage: Any) -> None:
        async with stage.client.post(CREATE, json=GOOD) as answer:
            assert (answer.status, answer.headers["X-RateLimit-Limit"]) == (201, "1")
            assert answer.headers["X-RateLimit-Remaining"] == "0"
        async with stage.client.post(CREATE, json=GOOD | to(BOB)) as answer:
            assert (answer.status, (await answer.json())["message"]) == (429, "Rate limit exceeded")
            wait = answer.headers["Retry-After"]
            if written == "seconds":
                assert 0 < int(wait) <= 30
            else:
                assert parsedate_to_datetime(wait).tzinfo is not None
        assert stage.stats["dials"] == 1

    kit.on_stage(scene, voxworks={"rate_limit": 1, "rate_window": 30, "retry_after_as": written})


def test_a_scheduled_call_can_be_moved_and_cancelled_and_another_cannot(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        waiting = (await create(stage, LATER))["call_id"]
        moved = {"scheduled_time": "2101-01-01T09:00:00Z"}
        status, answer = await stage.ask("PATCH", f"/api/v1/reschedule-call/{waiting}", moved)
        assert (status, answer["scheduled_time"], answer["status"]) == (200, moved["scheduled_time"], "scheduled")
        assert (await stage.ask("PATCH", f"/api/v1/reschedule-call/{waiting}", {"scheduled_time": "x"}))[0] == 400
        status, answer = await stage.ask("POST", f"/api/v1/cancel-call/{waiting}")
        assert (status, answer["status"]) == (200, "cancelled")
        assert (await stage.ask("POST", f"/api/v1/cancel-call/{waiting}"))[0] == 400
        assert (await stage.ask("PATCH", f"/api/v1/reschedule-call/{waiting}", moved))[0] == 400
        assert (await stage.ask("POST", "/api/v1/cancel-call/none"))[0] == 404
        assert stage.stats["dials"] == 0

    kit.on_stage(scene)


def test_a_call_that_rings_can_no_longer_be_cancelled(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        call_id = (await create(stage))["call_id"]

        async def look() -> bool:
            return bool((await stage.ask("GET", f"/api/v1/get-call/{call_id}"))[1]["call"]["status"] == "ringing")

        await kit.wait_until(look)
        assert (await stage.ask("POST", f"/api/v1/cancel-call/{call_id}"))[0] == 400

    kit.on_stage(scene, speed=1, queued=[0, 0], ring=[60, 60], ring_timeout=60, voxworks={"progress": "detailed"})


def test_a_call_put_off_does_not_start_at_its_old_time(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        soon = (datetime.now(UTC) + timedelta(seconds=0.05)).isoformat()
        call_id = (await create(stage, {"scheduled_time": soon}))["call_id"]
        await stage.ask("PATCH", f"/api/v1/reschedule-call/{call_id}", LATER)
        other = (await create(stage, to(BOB) | {"scheduled_time": soon}))["call_id"]
        await until(kit, stage, other, path="get-call", holds="in-progress")
        _, shown = await stage.ask("GET", f"/api/v1/get-call/{call_id}")
        assert (shown["call"]["status"], stage.stats["dials"]) == ("scheduled", 1)

    pace = {"speed": 1, "queued": [0, 0], "ring": [0, 0], "talk": [60, 60]}
    kit.on_stage(scene, **pace, scripted={BOB: ["answered"]}, voxworks={"progress": "detailed"})


def test_a_call_moved_nearer_starts_then_and_only_once(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        soon = (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat()
        call_id = (await create(stage, {"scheduled_time": soon}))["call_id"]
        nearer = (datetime.now(UTC) + timedelta(seconds=0.05)).isoformat()
        await stage.ask("PATCH", f"/api/v1/reschedule-call/{call_id}", {"scheduled_time": nearer})

        async def look() -> bool:
            return bool(datetime.now(UTC).isoformat() > soon and stage.stats["dials"])

        await kit.wait_until(look)
        assert stage.stats["dials"] == 1

    kit.on_stage(scene)


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        ("answered", {"completed", "hang-up"}),
        ("voicemail", {"voicemail"}),
        ("no_answer", {"rang-out", "User unavailable"}),
        ("busy", {"User unavailable"}),
        ("rejected", {"User rejected"}),
        ("invalid_number", {"failed"}),
        ("provider_error", {"failed"}),
        ("pipeline_error", {"dropout"}),
        ("config_error", {"failed"}),
    ],
)
def test_each_outcome_has_a_status_of_the_documented_ones(kit: Any, outcome: str, statuses: set[str]) -> None:
    async def scene(stage: Any) -> None:
        call_id = (await create(stage))["call_id"]
        call = await until(kit, stage, call_id, path="get-call", holds="ended_at")
        assert call["status"] in statuses

    kit.on_stage(scene, speed=QUICK, scripted={ANN: [outcome]})


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("documented", "User unavailable"),
        ("title", "User Unavailable"),
        ("snake", "user_unavailable"),
        ("upper", "USER_UNAVAILABLE"),
        ("kebab", "user-unavailable"),
    ],
)
def test_statuses_are_spelled_as_asked_for(kit: Any, spelling: str, expected: str) -> None:
    async def scene(stage: Any) -> None:
        call_id = (await create(stage))["call_id"]
        assert (await until(kit, stage, call_id, path="get-call", holds="ended_at"))["status"] == expected

    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["busy"]}, voxworks={"spelling": spelling})


@pytest.mark.parametrize(
    ("style", "names"),
    [
        ("snake", {"status", "summary", "recording_url", "duration_seconds"}),
        ("camel", {"status", "summary", "recordingUrl", "durationSeconds"}),
        ("automation", {"call_status", "call_summary", "phone_user", "actual_time"}),
    ],
)
def test_the_fields_of_a_call_are_named_as_asked_for(kit: Any, style: str, names: set[str]) -> None:
    async def scene(stage: Any) -> None:
        call_id = (await create(stage))["call_id"]
        call = await until(kit, stage, call_id, holds="ummary")
        assert names <= set(call)

    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["answered"]}, voxworks={"field_style": style})


def test_results_may_stand_deeper_and_come_later(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        call_id = (await create(stage))["call_id"]
        call = await until(kit, stage, call_id, holds="transcript")
        assert set(call["result"]) >= {"summary", "transcript", "recording_url", "rating", "objectives"}
        assert call["result"]["structured_data"] == {"disposition": "booked"}
        async with stage.client.get(call["result"]["recording_url"]) as answer:
            assert (answer.status, (await answer.read())[:4]) == (200, b"RIFF")

    switches = {"result_place": "call.result", "dispositions": {"booked": 1}}
    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["answered"]}, voxworks=switches)


@pytest.mark.parametrize(("early", "status"), [("empty", 200), ("missing", 404)])
def test_before_there_are_results_the_answer_is_empty_or_missing(kit: Any, early: str, status: int) -> None:
    async def scene(stage: Any) -> None:
        call_id = (await create(stage))["call_id"]
        found, answer = await stage.ask("GET", f"/api/v1/get-call-result/{call_id}")
        assert (found, "summary" in json.dumps(answer)) == (status, False)

    kit.on_stage(scene, voxworks={"early_result": early})


def test_a_contact_can_be_made_once(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        ann = {"phone_number": "0429069971", "first_name": "Ann"}
        status, answer = await stage.ask("POST", "/api/v1/create-contact", ann)
        assert (status, answer["success"]) == (201, True)
        assert (await stage.ask("POST", "/api/v1/create-contact", {"phone_number": ANN}))[0] == 409
        assert (await stage.ask("POST", "/api/v1/create-contact", {}))[0] == 400
        assert (await create(stage))["contact_id"] == answer["contact_id"]

    kit.on_stage(scene)


@pytest.mark.parametrize(("when_full", "status"), [("queue", 201), ("end", 201), ("refuse", 429)])
def test_a_full_account_queues_ends_or_refuses(kit: Any, when_full: str, status: int) -> None:
    async def scene(stage: Any) -> None:
        await create(stage)
        found, answer = await stage.ask("POST", CREATE, GOOD | to(BOB))
        assert (found, stage.stats["dials"]) == (status, 1)
        if when_full != "refuse":
            _, shown = await stage.ask("GET", f"/api/v1/get-call/{answer['call_id']}")
            assert shown["call"]["status"] == {"queue": "scheduled", "end": "failed"}[when_full]

    kit.on_stage(scene, concurrency_limit=1, voxworks={"when_full": when_full})


@pytest.mark.parametrize(
    ("fault", "status", "dials"),
    [("error_before_accept", 500, 0), ("error_after_accept", 502, 1), ("rate_limited", 429, 0), ("missing_id", 201, 1)],
)
def test_faults_befall_voxworks_creates_too(kit: Any, fault: str, status: int, dials: int) -> None:
    async def scene(stage: Any) -> None:
        async with stage.client.post(CREATE, json=GOOD) as answer:
            body = await answer.json()
            assert (answer.status, stage.stats["dials"], "call_id" in body) == (status, dials, False)
            assert ("Retry-After" in answer.headers) is (status == 429)

    kit.on_stage(scene, faults={fault: 1.0})


def test_two_calls_for_one_attempt_are_counted_by_the_field_that_carries_it(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        body = {"objects": {"dial": {"attempt": "attempt-1"}}}
        await create(stage, body)
        await create(stage, body | to(BOB))
        assert (stage.stats["by_attempt_max"], stage.stats["double_dials_same_attempt"]) == (2, 1)

    kit.on_stage(scene, voxworks={"attempt_object": "dial.attempt"})


def test_calls_of_other_providers_are_not_shown(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        call = {"assistantId": "a", "phoneNumberId": "p", "customer": {"number": ANN}}
        _, vapi = await stage.ask("POST", "/call", call)
        voxworks = await create(stage, to(BOB))
        assert (await stage.ask("GET", f"/api/v1/get-call/{vapi['id']}"))[0] == 404
        assert (await stage.ask("GET", f"/call/{voxworks['call_id']}"))[0] == 404
        assert [each["id"] for each in (await stage.ask("GET", "/call"))[1]] == [vapi["id"]]

    kit.on_stage(scene)
