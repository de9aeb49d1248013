"""Creates at the simulated jambonz: what it takes, what it refuses, its limits and its faults."""

from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from jambonz_client import ACCOUNT, APPLICATION, CALLS, GOOD, NUMBER, RECENT, Answer, Client, play


def test_a_create_is_answered_with_a_sid_and_the_sip_call_id() -> None:
    status, body = play(lambda client: client.create())

    assert status == 201
    assert (len(body["sid"]), set(body)) == (36, {"sid", "callId"})


def test_a_later_page_spells_the_sip_call_id_otherwise() -> None:
    _, body = play(lambda client: client.create(), jambonz={"call_id_name": "callid"})

    assert set(body) == {"sid", "callid"}


@pytest.mark.parametrize("key", [None, "", "wrong"])
@pytest.mark.parametrize("path", [CALLS, f"{CALLS}/x", RECENT])
def test_without_the_key_every_url_answers_a_bare_unauthorized(key: str | None, path: str) -> None:
    assert play(lambda client: client.ask("GET", path), key=key) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("to", "called"),
    [
        ({"type": "phone", "number": NUMBER, "trunk": "carrier-1"}, NUMBER),
        ({"type": "user", "name": "ann@example.sip"}, "ann@example.sip"),
        ({"type": "sip", "sipUri": "sip:ann@10.0.0.1", "auth": {"username": "a"}}, "sip:ann@10.0.0.1"),
        ({"type": "teams", "number": NUMBER, "vmail": True}, NUMBER),
    ],
)
def test_phones_users_sip_addresses_and_teams_can_be_called(to: dict[str, Any], called: str) -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one(to=to)
        _, call = await client.ask("GET", f"{CALLS}/{sid}")
        assert call["to"] == called

    play(scene)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"from": None}, "missing from parameter"),
        ({"from": ""}, "missing from parameter"),
        ({"from": "9" * 257}, "missing from parameter"),
        ({"to": None}, "missing or invalid to property: null"),
        ({"to": NUMBER}, "missing or invalid to property"),
        ({"to": {"type": "phone"}}, "missing or invalid to property"),
        ({"to": {"type": "user", "number": NUMBER}}, "missing or invalid to property"),
        ({"to": {"type": "fax", "number": NUMBER}}, "missing or invalid to property"),
        ({"application_sid": "short"}, "application_sid not found short"),
    ],
)
def test_what_the_api_server_refuses_is_a_400_in_its_words(change: dict[str, Any], said: str) -> None:
    status, body = play(lambda client: client.create(**change))

    assert status == 400
    assert said in body["msg"]


def test_only_known_applications_are_found_when_some_are_configured() -> None:
    known = {"jambonz": {"applications": {APPLICATION: ""}}}

    assert play(lambda client: client.create(), **known)[0] == 201
    assert play(lambda client: client.create(application_sid=str(uuid4())), **known)[0] == 400


def test_without_an_application_hook_and_speech_must_be_given() -> None:
    bare = {key: value for key, value in GOOD.items() if key != "application_sid"}
    speech = {
        "speech_synthesis_vendor": "google",
        "speech_synthesis_language": "en-US",
        "speech_synthesis_voice": "en-US-Wavenet-C",
        "speech_recognizer_vendor": "google",
        "speech_recognizer_language": "en-US",
    }

    async def scene(client: Client) -> list[Answer]:
        bodies = [bare, bare | speech, bare | speech | {"call_hook": "/relative"}, bare | speech | {"call_hook": {}}]
        bodies += [bare | speech | {"call_hook": "https://app.example/hook"}]
        return [await client.ask("POST", CALLS, body) for body in bodies]

    answers = play(scene)

    assert [status for status, _ in answers] == [400, 400, 400, 400, 201]
    assert "speech_synthesis_vendor" in answers[0][1]["msg"]
    assert answers[2][1]["msg"] == "call_hook url be an absolute url"


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"to": {"type": "phone", "number": NUMBER, "colour": "red"}},
        {"amd": {"thresholdWordCount": 9}},
        {"amd": {"actionHook": "https://a.example", "colour": "red"}},
        {"amd": {"actionHook": "https://a.example", "timers": {"slow": 1}}},
        {"timeout": "30"},
        {"timeLimit": True},
        {"tag": "attempt-1"},
        {"headers": ["X-A: b"]},
    ],
)
def test_what_the_feature_server_refuses_is_a_500_without_a_word_why(change: dict[str, Any]) -> None:
    assert play(lambda client: client.create(**change)) == (500, "Internal Server Error")


def test_unknown_properties_are_ignored_when_the_switch_says_so() -> None:
    assert play(lambda client: client.create(colour="red"), jambonz={"refuse_unknown": False})[0] == 201


COGNIGYS: dict[str, Any] = {
    "actionHook": "https://a.example/end",
    "confirmHook": "https://a.example/confirm",
    "dtmfCapture": ["*1"],
    "dtmfHook": {"url": "https://a.example/dtmf", "method": "POST"},
    "listen": {"url": "wss://a.example"},
    "transcribe": {"transcriptionHook": "https://a.example/text"},
    "notifyUrl": "https://a.example/status",
    "notifyURL": {"url": "https://a.example/status", "method": "POST"},
}


@pytest.mark.parametrize("name", sorted(COGNIGYS))
def test_cognigys_own_properties_are_taken_by_cognigy_and_refused_by_plain_jambonz(name: str) -> None:
    async def scene(client: Client) -> int:
        return (await client.create(**{name: COGNIGYS[name]}))[0]

    assert play(scene) == 201
    assert play(scene, jambonz={"cognigy_properties": False}) == 500


@pytest.mark.parametrize("body", ["[]", "{", '"x"', '{"timeout": NaN}'])
def test_a_body_that_is_no_object_is_refused(body: str) -> None:
    async def scene(client: Client) -> int:
        async with client.http.post(CALLS, data=body, headers={"Content-Type": "application/json"}) as answer:
            return answer.status

    assert play(scene) == 400


def test_another_account_is_refused_and_sees_nothing() -> None:
    other = f"/v1/Accounts/{uuid4()}/Calls"

    async def scene(client: Client) -> list[Answer]:
        sid = await client.create_one()
        return [
            await client.ask("POST", other, GOOD),
            await client.ask("GET", other),
            await client.ask("GET", f"{other}/{sid}"),
        ]

    created, listed, shown = play(scene, jambonz={"account_sid": ACCOUNT})
    assert created[0] == 400
    assert "unauthorized createCall request for account" in created[1]["msg"]
    assert listed == shown == (403, {"msg": "insufficient permissions"})
    assert [answer[0] for answer in play(scene)] == [201, 200, 404]


def test_the_account_limit_is_told_by_sip_after_the_201() -> None:
    async def scene(client: Client) -> None:
        await client.create_one()
        second = await client.create_one(to={"type": "phone", "number": "+12125550124"})
        call = (await client.ask("GET", f"{CALLS}/{second}"))[1]
        assert (call["call_status"], call["sip_status"]) == ("failed", 503)
        assert (client.stats()["dials"], client.stats()["by_outcome"]) == (1, {"over_limit": 1})
        assert (await client.ask("GET", f"/v1/Accounts/{ACCOUNT}/Limits"))[1][0]["quantity"] == 1

    play(scene, concurrency_limit=1)


def test_a_full_account_can_be_told_by_480_instead() -> None:
    async def scene(client: Client) -> Answer:
        await client.create_one()
        return await client.create(to={"type": "phone", "number": "+12125550124"})

    answer = play(scene, concurrency_limit=1, jambonz={"when_full": "refuse"})
    assert answer == (480, {"msg": "no available feature servers at this time"})


def test_no_feature_server_is_a_480_and_no_call() -> None:
    async def scene(client: Client) -> tuple[int, int]:
        return (await client.create())[0], client.stats()["dials"]

    assert play(scene, jambonz={"no_feature_server": 1.0}) == (480, 0)


def test_the_rate_limit_counts_every_request_and_says_when_to_come_again() -> None:
    async def scene(client: Client) -> Any:
        assert [(await client.ask("GET", CALLS))[0] for _ in range(2)] == [200, 200]
        async with client.http.get(CALLS) as answer:
            return answer.status, dict(answer.headers)

    status, headers = play(scene, jambonz={"rate_limit": 2})
    assert status == 429
    assert 0 < int(headers["Retry-After"]) <= 300
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("2", "0")
    assert headers["RateLimit-Reset"] == headers["Retry-After"]


@pytest.mark.parametrize(
    ("fault", "answer", "dials"),
    [
        ("rate_limited", (429, "Too many requests, please try again later."), 0),
        ("error_before_accept", (500, {"msg": "fetch failed"}), 0),
        ("error_after_accept", (502, "Bad Gateway"), 1),
        ("missing_id", (201, {}), 1),
    ],
)
def test_faults_are_told_in_jambonzs_shapes(fault: str, answer: Answer, dials: int) -> None:
    async def scene(client: Client) -> tuple[Answer, int]:
        return await client.create(), client.stats()["dials"]

    assert play(scene, faults={fault: 1.0}) == (answer, dials)


@pytest.mark.parametrize(("fault", "dials"), [("reset_before_accept", 0), ("reset_after_accept", 1)])
def test_a_reset_connection_may_or_may_not_have_dialed(fault: str, dials: int) -> None:
    async def scene(client: Client) -> int:
        with pytest.raises(aiohttp.ClientError):
            await client.create()
        return int(client.stats()["dials"])

    assert play(scene, faults={fault: 1.0}) == dials


def test_the_same_attempt_created_twice_is_counted_as_a_double_dial() -> None:
    async def scene(client: Client) -> tuple[Any, Any]:
        await client.create_one()
        await client.create_one(to={"type": "phone", "number": "+12125550124"})
        _, attempts = await client.ask("GET", "/simulator/attempts?least=2")
        return client.stats()["double_dials"], attempts

    assert play(scene) == (1, {"attempt-1": 2})


def test_the_apis_of_two_providers_do_not_show_each_others_calls() -> None:
    async def scene(client: Client) -> None:
        sid = await client.create_one()
        vapi = {"assistantId": "a", "phoneNumberId": "pn-1", "customer": {"number": NUMBER}, "name": "attempt-2"}
        status, call = await client.ask("POST", "/call", vapi)
        assert status == 201
        assert [row["id"] for row in (await client.ask("GET", "/call"))[1]] == [call["id"]]
        assert [row["call_sid"] for row in (await client.ask("GET", CALLS))[1]] == [sid]
        assert (await client.ask("GET", f"{CALLS}/{call['id']}"))[0] == 404
        assert client.stats()["dials_by_provider"] == {"jambonz": 1, "vapi": 1}
        assert client.stats()["double_dials"] == 1

    play(scene)


def test_the_applications_of_the_configuration_are_listed() -> None:
    path = f"/v1/Accounts/{ACCOUNT}/Applications/"
    status, rows = play(lambda client: client.ask("GET", path), jambonz={"applications": {APPLICATION: ""}})

    assert (status, [row["application_sid"] for row in rows]) == (200, [APPLICATION])
