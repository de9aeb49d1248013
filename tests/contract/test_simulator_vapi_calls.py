"""Calls of the simulated Vapi: batches, limits, reports, every switch of what could not be settled."""

from typing import Any

import pytest

ANN, BOB, CAT = "+12125550123", "+12125550124", "+12125550125"
GOOD = {"assistantId": "a", "phoneNumberId": "pn-1"}
TO_ANN = GOOD | {"customer": {"number": ANN}}
QUICK = 100_000.0


def batch(*customers: Any, **more: Any) -> dict[str, Any]:
    return GOOD | {"customers": list(customers)} | more


def overrides(**settings: Any) -> dict[str, Any]:
    return {"assistantOverrides": settings}


async def ended(kit: Any, stage: Any, call_id: str) -> dict[str, Any]:
    """The call once its report is there."""

    async def look() -> Any:
        _, call = await stage.ask("GET", f"/call/{call_id}")
        return call if "analysis" in call else None

    found: dict[str, Any] = await kit.wait_until(look)
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"assistantId": None, "assistant": {"modell": {}}}, "assistant.property modell should not exist"),
        ({"assistantOverrides": {"maxDurationSeconds": 5}}, "maxDurationSeconds must not be less than 10"),
        ({"assistantOverrides": {"model": {"model": "gpt-4o"}}}, "assistantOverrides.model.provider must be a string"),
        ({"assistantOverrides": {"server": {"backoffPlan": {"type": "linear"}}}}, "backoffPlan.type must be one of"),
        ({"assistantOverrides": {"server": {"timeoutSeconds": 301}}}, "timeoutSeconds must not be greater than 300"),
        ({"workflowOverrides": {"firstMessage": "x"}}, "workflowOverrides.property firstMessage should not exist"),
        ({"phoneNumber": {"twilioPhoneNumber": ANN}}, "phoneNumber.twilioAccountSid must be a string"),
        ({"customer": {"number": ANN, "extension": "x" * 11}}, "customer.extension must be shorter"),
        ({"customer": {"number": ANN, "assistantOverrides": {"x": 1}}}, "customer.assistantOverrides.property x"),
        ({"customer": {"number": "12", "numberE164CheckEnabled": True}}, "E.164"),
        ({"schedulePlan": {"earliestAt": "tomorrow"}}, "schedulePlan.earliestAt must be a valid ISO 8601"),
    ],
)
def test_what_vapi_refuses_deeper_in_the_body_is_refused_too(kit: Any, change: dict[str, Any], said: str) -> None:
    async def scene(stage: Any) -> None:
        body = {key: value for key, value in (TO_ANN | change).items() if value is not None}
        status, answer = await stage.ask("POST", "/call", body)
        assert (status, said in str(answer["message"])) == (400, True), answer

    kit.on_stage(scene)


@pytest.mark.parametrize(
    "change",
    [
        {"assistant": {"name": "Quick", "model": {"provider": "openai", "model": "gpt-4.1"}, "firstMessage": "Hello"}},
        {"squad": {"members": []}},
        {"workflowId": "w", "workflowOverrides": {"variableValues": {"x": 1}}},
    ],
)
def test_a_transient_assistant_a_squad_or_a_workflow_can_be_called_with(kit: Any, change: dict[str, Any]) -> None:
    async def scene(stage: Any) -> None:
        body = {"phoneNumberId": "pn-1", "customer": {"number": ANN}} | change
        status, call = await stage.ask("POST", "/call", body)
        assert (status, {key: call[key] for key in change}) == (201, change)

    kit.on_stage(scene)


def test_an_inline_number_is_taken_and_its_secret_not_shown(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        line = {"twilioPhoneNumber": BOB, "twilioAccountSid": "AC1", "twilioAuthToken": "secret"}
        body = {"assistantId": "a", "customer": {"number": ANN}, "phoneNumber": line}
        status, call = await stage.ask("POST", "/call", body)
        assert (status, call["phoneNumber"]["twilioPhoneNumber"]) == (201, BOB)
        assert "secret" not in str(call)

    kit.on_stage(scene, lines=["pn-1"])


def test_a_sip_address_can_be_called(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        status, _ = await stage.ask("POST", "/call", GOOD | {"customer": {"sipUri": "sip:ann@example.com"}})
        assert (status, stage.stats["dials"]) == (201, 1)

    kit.on_stage(scene, lines=["pn-1"], vapi={"free_lines": ["pn-1"]})


def test_a_batch_over_the_limit_is_made_in_part_and_refused_in_part(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        status, answer = await stage.ask("POST", "/call", batch({"number": ANN}, {"number": BOB}, {"number": CAT}))
        assert (status, len(answer["results"])) == (201, 2)
        assert [(error["customer"], error["error"]) for error in answer["errors"]] == [
            ({"number": CAT}, "Over Concurrency Limit")
        ]

    kit.on_stage(scene, concurrency_limit=2)


def test_in_a_blocked_account_the_rest_of_a_batch_is_left_out_without_a_word(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, answer = await stage.ask("POST", "/call", batch({"number": ANN}, {"number": BOB}))
        assert (len(answer["results"]), answer["errors"]) == (1, [])
        assert answer["subscriptionLimits"]["concurrencyBlocked"] is True

    kit.on_stage(scene, concurrency_limit=1, when_full="block")


def test_a_customers_own_overrides_replace_or_are_merged_over_those_of_the_call(kit: Any) -> None:
    async def seconds(stage: Any) -> float:
        own = {"number": ANN, "assistantOverrides": {"firstMessage": "Hello"}}
        _, answer = await stage.ask("POST", "/call", batch(own, **overrides(maxDurationSeconds=10)))
        call = await ended(kit, stage, answer["results"][0]["id"])
        return float(call["costs"][0]["minutes"] * 60)

    async def replaced(stage: Any) -> None:
        assert await seconds(stage) == pytest.approx(100, abs=0.1)

    async def merged(stage: Any) -> None:
        assert await seconds(stage) == pytest.approx(10, abs=0.1)

    settings: dict[str, Any] = {"speed": QUICK, "talk": [100, 100], "scripted": {ANN: ["answered"]}}
    kit.on_stage(replaced, **settings)
    kit.on_stage(merged, **settings, vapi={"customer_overrides": "merge"})


def test_a_fault_befalls_a_batch_as_a_whole(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        customers = ({"number": ANN, "externalId": "a-1"}, {"number": BOB, "externalId": "a-2"})
        status, _ = await stage.ask("POST", "/call", batch(*customers))
        assert (status, stage.stats["dials"]) == (502, 2), "nobody was told, and both phones ring"
        _, text = await stage.ask("GET", "/simulator/calls")
        assert text.count('"answer": "error_after_accept"') == 2

    kit.on_stage(scene, faults={"error_after_accept": 1.0})


def test_a_batch_can_be_too_large(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        assert (await stage.ask("POST", "/call", batch({"number": ANN}, {"number": BOB})))[0] == 400
        assert stage.stats["dials"] == 0

    kit.on_stage(scene, vapi={"customers_most": 1})


def test_metadata_is_taken_or_refused(kit: Any) -> None:
    async def takes(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN | {"metadata": {"a": 1}})
        assert (await stage.ask("GET", f"/call/{call['id']}"))[1]["metadata"] == {"a": 1}

    async def refuses(stage: Any) -> None:
        status, answer = await stage.ask("POST", "/call", TO_ANN | {"metadata": {"a": 1}})
        assert (status, answer["message"]) == (400, "property metadata should not exist")

    kit.on_stage(takes)
    kit.on_stage(refuses, vapi={"metadata": "refuse"})


def test_a_call_can_be_listed_later_than_it_was_answered(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        assert (await stage.ask("GET", "/call"))[1] == []
        assert (await stage.ask("GET", f"/call/{call['id']}"))[0] == 200
        stage.simulator.simulation.clock.offset = 31
        assert [each["id"] for each in (await stage.ask("GET", "/call"))[1]] == [call["id"]]

    kit.on_stage(scene, vapi={"list_lag": 30})


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("nest", {"message": "Over Concurrency Limit", "error": "Payment Required", "statusCode": 402}),
        ("plain", {"error": "Over Concurrency Limit"}),
        ("text", "Over Concurrency Limit"),
    ],
)
def test_a_refusal_has_the_shape_and_status_that_were_asked_for(kit: Any, shape: str, expected: Any) -> None:
    async def scene(stage: Any) -> None:
        await stage.ask("POST", "/call", TO_ANN)
        assert await stage.ask("POST", "/call", GOOD | {"customer": {"number": BOB}}) == (402, expected)

    kit.on_stage(scene, concurrency_limit=1, vapi={"error_shape": shape, "full_status": 402})


def test_a_rate_limit_may_say_how_long_to_wait(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        async with stage.client.post("/call", json=TO_ANN) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")

    kit.on_stage(scene, requests_per_minute=0, vapi={"rate_limit_retry_after": 7})


def test_without_credits_creates_are_refused_or_their_calls_end(kit: Any) -> None:
    async def refuses(stage: Any) -> None:
        assert (await stage.ask("POST", "/call", TO_ANN))[0] == 402

    async def ends(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        _, call = await stage.ask("GET", f"/call/{call['id']}")
        assert call["endedReason"] == "call.start.error-subscription-insufficient-credits"
        assert stage.stats["dials"] == 0

    kit.on_stage(refuses, vapi={"credits": "refuse"})
    kit.on_stage(ends, vapi={"credits": "end"})


def test_a_long_conversation_is_cut_at_its_longest_duration(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN | overrides(maxDurationSeconds=60))
        call = await ended(kit, stage, call["id"])
        assert (call["endedReason"], call["costs"][0]["minutes"]) == ("exceeded-max-duration", 1.0)

    kit.on_stage(scene, speed=QUICK, talk=[900, 900], scripted={ANN: ["answered"]})


@pytest.mark.parametrize(("detection", "reason"), [("off", "silence-timed-out"), ({"provider": "vapi"}, "voicemail")])
def test_a_machine_that_is_not_looked_for_may_look_like_a_person(kit: Any, detection: Any, reason: str) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN | overrides(voicemailDetection=detection))
        assert (await ended(kit, stage, call["id"]))["endedReason"] == reason

    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["voicemail"]}, vapi={"machine_without_detection": "silence"})


def test_the_same_seed_costs_and_says_the_same_again(kit: Any) -> None:
    told: list[Any] = []

    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        call = await ended(kit, stage, call["id"])
        told.append([call["cost"], call["costBreakdown"], call["analysis"], call["artifact"]["transcript"]])

    settings: dict[str, Any] = {"speed": QUICK, "vapi": {"dispositions": {"booked": 1, "no": 2}}}
    kit.on_stage(scene, **settings, scripted={ANN: ["answered"]}, seed=7)
    kit.on_stage(scene, **settings, scripted={ANN: ["answered"]}, seed=7)
    kit.on_stage(scene, **settings, scripted={ANN: ["answered"]}, seed=8)

    assert told[0] == told[1] != told[2]
    assert told[0][0] > 0


@pytest.mark.parametrize(
    ("rubric", "grades"),
    [
        ("PassFail", {"true", "false"}),
        ("NumericScale", {"9", "3"}),
        ("DescriptiveScale", {"Excellent", "Poor"}),
    ],
)
def test_the_analysis_grades_by_its_rubric_and_names_what_was_achieved(kit: Any, rubric: str, grades: set[str]) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        analysis = (await ended(kit, stage, call["id"]))["analysis"]
        assert analysis["successEvaluation"] in grades
        assert analysis["structuredData"] == {"disposition": "opt_out"}
        assert analysis["summary"]

    settings = {"success_rubric": rubric, "scripted_dispositions": {ANN: "opt_out"}}
    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["answered"]}, vapi=settings)


def test_a_call_that_nobody_answered_costs_nothing_and_says_nothing(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        call = await ended(kit, stage, call["id"])
        assert (call["cost"], call["costs"], call["artifact"]["messages"], call["analysis"]) == (0, [], [], {})
        assert "recordingUrl" not in call["artifact"]

    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["no_answer"]})


def test_a_recording_can_be_listened_to(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        call = await ended(kit, stage, call["id"])
        async with stage.client.get(call["artifact"]["recordingUrl"]) as answer:
            assert (answer.status, answer.content_type, (await answer.read())[:4]) == (200, "audio/wav", b"RIFF")

    kit.on_stage(scene, speed=QUICK, scripted={ANN: ["answered"]})


def test_a_deletion_may_fail_and_then_the_call_is_still_there(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        assert (await stage.ask("DELETE", f"/call/{call['id']}", {}))[0] == 503
        assert (await stage.ask("GET", f"/call/{call['id']}"))[0] == 200
        assert (await stage.ask("DELETE", f"/call/{call['id']}", {"id": "x"}))[0] == 400

    kit.on_stage(scene, vapi={"delete_unavailable": 1.0})


def test_the_control_url_ends_a_live_call_unless_there_is_none(kit: Any) -> None:
    async def with_url(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        path = call["monitor"]["controlUrl"].removeprefix(stage.simulator.base_url)
        assert (await stage.ask("POST", path, {"type": "say"}))[0] == 400
        assert (await stage.ask("POST", path, {"type": "end-call"}))[0] == 200
        assert (await stage.ask("GET", f"/call/{call['id']}"))[1]["endedReason"] == "manually-canceled"
        assert (await stage.ask("POST", path, {"type": "end-call"}))[0] == 404

    async def without(stage: Any) -> None:
        _, call = await stage.ask("POST", "/call", TO_ANN)
        assert "controlUrl" not in call["monitor"]

    kit.on_stage(with_url)
    kit.on_stage(without, vapi={"control_url": False})


def test_a_web_call_needs_the_public_key_and_rings_nobodys_phone(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        body = {"assistantId": "a"}
        status, answer = await stage.ask("POST", "/call/web", body)
        assert (status, "instead of the public key" in answer["message"]) == (401, True)
        public = {"headers": {"Authorization": "Bearer public"}}
        assert (await stage.ask("POST", "/call", TO_ANN, **public))[0] == 401
        assert (await stage.ask("POST", "/call/web", body | {"phoneNumberId": "p"}, **public))[0] == 400
        status, call = await stage.ask("POST", "/call/web", body, **public)
        assert (status, call["type"]) == (201, "webCall")
        assert (await stage.ask("GET", f"/call/{call['id']}"))[1]["status"] == "in-progress"
        assert (stage.stats["dials"], stage.stats["calls_in_flight"]) == (0, 1)
        assert (await stage.ask("POST", "/call/web", body, **public))[0] == 400, "it holds a slot like any other"

    kit.on_stage(scene, concurrency_limit=1, vapi={"public_key": "public"})
