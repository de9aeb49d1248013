"""Phone numbers of the simulated Vapi: what is refused, how they activate, and what free ones may not do."""

from typing import Any

import pytest

ANN, BOB = "+12125550123", "+12125550124"
LONDON = "+442079460123"
TWILIO = {"provider": "twilio", "number": ANN, "twilioAccountSid": "AC1", "twilioAuthToken": "t"}
RINGING = {"on": "call.ringing", "do": [{"type": "say", "exact": "Please hold."}]}


async def call(stage: Any, line: str, number: str = ANN) -> tuple[int, Any]:
    body = {"assistantId": "a", "phoneNumberId": line, "customer": {"number": number}}
    return await stage.ask("POST", "/call", body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "provider must be one of the following values"),
        ({"provider": "sinch"}, "provider must be one of the following values"),
        ({"provider": "vapi", "number": ANN}, "property number should not exist"),
        ({"provider": "vapi", "numberDesiredAreaCode": "12"}, "numberDesiredAreaCode must be"),
        ({"provider": "twilio", "twilioAccountSid": "AC1"}, "number must be a string"),
        ({"provider": "twilio", "number": ANN}, "twilioAccountSid must be a string"),
        (TWILIO | {"number": "12125550123"}, "E.164"),
        (TWILIO | {"credentialId": "c"}, "property credentialId should not exist"),
        (TWILIO | {"twilioApiKey": "k"}, "must be given together"),
        ({"provider": "vonage", "number": ANN}, "credentialId must be a string"),
        ({"provider": "telnyx", "credentialId": "c"}, "number must be a string"),
        ({"provider": "byo-phone-number"}, "credentialId must be a string"),
        (TWILIO | {"name": "x" * 41}, "name must be shorter"),
        (TWILIO | {"server": {"uri": "x"}}, "server.property uri should not exist"),
        (TWILIO | {"hooks": {}}, "hooks must be an array"),
        (TWILIO | {"hooks": [RINGING | {"on": "call.answered"}]}, "hooks.0.on must be one of"),
        (TWILIO | {"hooks": [RINGING | {"do": []}]}, "hooks.0.do must be an array with at least 1 element"),
        (TWILIO | {"hooks": [RINGING | {"do": [{"type": "beep"}]}]}, "hooks.0.do.0.type must be one of"),
        (TWILIO | {"hooks": [RINGING | {"do": [{"type": "say"}]}]}, "hooks.0.do.0.exact must be a string"),
        (TWILIO | {"hooks": [RINGING | {"filters": [{"type": "x"}]}]}, "hooks.0.filters.0.type must be one of"),
        (
            TWILIO | {"hooks": [{"on": "call.ending", "do": {"type": "transfer", "destination": {}}}]},
            "destination.type",
        ),
        (TWILIO | {"fallbackDestination": {"type": "number"}}, "fallbackDestination.number must be a string"),
    ],
)
def test_a_number_that_vapi_would_refuse_is_refused(kit: Any, body: dict[str, Any], said: str) -> None:
    async def scene(stage: Any) -> None:
        status, answer = await stage.ask("POST", "/phone-number", body)
        assert status == 400
        assert said in str(answer["message"])
        assert (await stage.ask("GET", "/phone-number"))[1] == []

    kit.on_stage(scene)


@pytest.mark.parametrize(
    "hook",
    [
        RINGING,
        RINGING | {"filters": [{"type": "startsWith", "key": "number", "startsWith": ["+44"]}]},
        {"on": "call.ringing", "do": [{"type": "transfer", "destination": {"type": "number", "number": BOB}}]},
        {"on": "call.ending", "do": {"type": "say", "exact": "Nobody is there."}},
        {"on": "call.ending", "do": {"type": "transfer", "destination": {"type": "sip", "sipUri": "sip:a@b.c"}},
         "filters": [{"type": "oneOf", "key": "call.endedReason", "oneOf": ["assistant-request-failed"]}]},
    ],
)  # fmt: skip
def test_the_hooks_that_vapi_describes_are_taken(kit: Any, hook: dict[str, Any]) -> None:
    async def scene(stage: Any) -> None:
        status, number = await stage.ask("POST", "/phone-number", TWILIO | {"hooks": [hook]})
        assert (status, number["hooks"]) == (201, [hook])

    kit.on_stage(scene)


def test_a_change_keeps_the_rest_and_works_without_the_provider(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, number = await stage.ask("POST", "/phone-number", TWILIO | {"assistantId": "a", "name": "old"})
        path = f"/phone-number/{number['id']}"
        _, changed_number = await stage.ask("PATCH", path, {"squadId": "s", "assistantId": None})
        assert (changed_number["squadId"], changed_number["name"]) == ("s", "old")
        assert "assistantId" not in changed_number
        assert (await stage.ask("PATCH", path, {"provider": "twilio", "name": "new"}))[1]["name"] == "new"
        assert (await stage.ask("PATCH", path, {"provider": "vonage"}))[0] == 400
        assert (await stage.ask("PATCH", path, {"credentialId": "c"}))[0] == 400
        assert (await stage.ask("PATCH", "/phone-number/none", {}))[0] == 200, "without `lines` every id is a number"

    kit.on_stage(scene)


def test_numbers_of_the_configuration_are_there_from_the_start_and_no_others(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, numbers = await stage.ask("GET", "/phone-number")
        assert {number["id"]: number["provider"] for number in numbers} == {"pn-1": "twilio", "pn-2": "vapi"}
        assert (await stage.ask("GET", "/phone-number/pn-3"))[0] == 404
        assert (await call(stage, "pn-3"))[0] == 400
        await stage.ask("DELETE", "/phone-number/pn-1")
        assert (await call(stage, "pn-1"))[0] == 400

    kit.on_stage(scene, lines=["pn-1", "pn-2"], vapi={"free_lines": ["pn-2"]})


def test_a_bought_number_is_activating_and_its_calls_end_before_they_ring(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, number = await stage.ask("POST", "/phone-number", {"provider": "vapi", "numberDesiredAreaCode": "303"})
        assert number["status"] == "activating"
        assert number["number"].startswith("+1303555")
        _, early = await call(stage, number["id"])
        _, early = await stage.ask("GET", f"/call/{early['id']}")
        assert early["endedReason"] == "call.start.error-get-phone-number"
        stage.simulator.simulation.clock.offset = 3600
        assert (await stage.ask("GET", f"/phone-number/{number['id']}"))[1]["status"] == "active"
        await call(stage, number["id"], BOB)
        assert stage.stats["dials"] == 1

    kit.on_stage(scene, speed=1, vapi={"activating": 1800})


def test_only_so_many_free_numbers_can_be_bought(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        assert [(await stage.ask("POST", "/phone-number", {"provider": "vapi"}))[0] for _ in range(3)] == [
            201,
            201,
            400,
        ]
        assert (await stage.ask("POST", "/phone-number", TWILIO))[0] == 201

    kit.on_stage(scene, vapi={"free_numbers_most": 2})


@pytest.mark.parametrize("told", ["refuse", "end"])
def test_a_free_number_calls_nobody_abroad(kit: Any, told: str) -> None:
    async def scene(stage: Any) -> None:
        status, answer = await call(stage, "free", LONDON)
        if told == "refuse":
            assert status == 400
            assert "International" in answer["message"]
        else:
            _, ended = await stage.ask("GET", f"/call/{answer['id']}")
            assert ended["endedReason"] == "call.start.error-vapi-number-international"
        assert stage.stats["dials"] == 0
        await call(stage, "own", LONDON)
        await call(stage, "free", ANN)
        assert stage.stats["dials"] == 2

    kit.on_stage(scene, lines=["free", "own"], vapi={"free_lines": ["free"], "free_international_told": told})


@pytest.mark.parametrize("told", ["refuse", "end"])
def test_a_free_number_has_a_limit_for_the_day_and_the_next_day_another(kit: Any, told: str) -> None:
    async def scene(stage: Any) -> None:
        await call(stage, "free", ANN)
        status, answer = await call(stage, "free", BOB)
        if told == "refuse":
            assert (status, "Daily Outbound Call Limit" in answer["message"]) == (400, True)
        else:
            _, ended = await stage.ask("GET", f"/call/{answer['id']}")
            assert ended["endedReason"] == "call.start.error-vapi-number-outbound-daily-limit"
        await call(stage, "own", BOB)
        stage.simulator.simulation.clock.offset = 86_400
        await call(stage, "free", BOB)
        assert stage.stats["dials"] == 3

    limits = {"free_daily_limit": 1, "free_daily_limit_told": told}
    kit.on_stage(scene, lines=["free", "own"], vapi={"free_lines": ["free"], **limits})


def test_pages_tell_how_many_there_are(kit: Any) -> None:
    async def scene(stage: Any) -> None:
        _, first = await stage.ask("GET", "/v2/phone-number?limit=2&sortOrder=ASC")
        _, last = await stage.ask("GET", "/v2/phone-number?limit=2&sortOrder=ASC&page=2")
        assert [number["id"] for number in first["results"] + last["results"]] == ["pn-1", "pn-2", "pn-3"]
        assert (last["metadata"]["totalPages"], last["metadata"]["hasNextPage"]) == (2, False)
        assert (await stage.ask("GET", "/v2/phone-number?search=pn-2"))[1]["metadata"]["totalItems"] == 1
        assert (await stage.ask("GET", "/v2/phone-number?sortBy=name"))[0] == 400
        assert (await stage.ask("GET", "/phone-number?name=pn-2"))[0] == 400

    kit.on_stage(scene, lines=["pn-1", "pn-2", "pn-3"])
