"""Webhooks of the simulated Vapi: where they go, how they are proven and repeated; and calls that come in."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from campaigns.providers.contract import WebhookForgedError, WebhookRequest
from campaigns.providers.vapi.signature import verify

ANN = "+12125550123"
SECRET = "a-webhook-secret"
GOOD = {"assistantId": "a", "phoneNumberId": "pn-1", "customer": {"number": ANN}}
QUICK = 100_000.0


@dataclass
class Receiver:
    """Remembers what it was sent."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """What stood after the question mark."""
    answer: Callable[[dict[str, Any]], web.Response] = lambda _message: web.Response()

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body)["message"] for _, body in self.requests]

    def kinds(self) -> list[str]:
        return [f"{message['type']} {message.get('status', '')}".strip() for message in self.messages]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.places.append(request.query_string)
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return self.answer(json.loads(body)["message"])


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver, application = Receiver(), web.Application()
    application.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def play(kit: Any, scene: Any, **settings: Any) -> None:
    """The scene gets a receiver besides."""

    async def with_receiver(stage: Any) -> None:
        async with a_receiver() as receiver:
            await scene(stage, receiver)

    kit.on_stage(with_receiver, **{"speed": QUICK, "scripted": {ANN: ["answered"]}, **settings})


async def all_sent(kit: Any, stage: Any) -> None:
    """Everything is delivered or given up."""

    async def look() -> bool:
        over = all(call.reported for call in stage.simulator.simulation.book.all(offset=0, limit=10))
        return over and stage.simulator.simulation.sender.waiting == 0

    await kit.wait_until(look)


def server(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"assistantOverrides": {"server": {"url": receiver.url, **more}}}


def test_each_status_is_told_and_the_report_comes_last(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        await stage.ask("POST", "/call", GOOD | server(receiver, headers={"X-Token": "t"}))
        await all_sent(kit, stage)
        assert sorted(receiver.kinds()) == sorted(
            ["status-update queued", "status-update ringing", "status-update in-progress", "status-update ended",
             "end-of-call-report"]
        )  # fmt: skip
        assert {headers["x-token"] for headers, _ in receiver.requests} == {"t"}

    play(kit, scene)


def test_only_the_messages_that_were_asked_for_are_sent(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        body = GOOD | server(receiver)
        body["assistantOverrides"]["serverMessages"] = ["end-of-call-report"]
        await stage.ask("POST", "/call", body)
        await all_sent(kit, stage)
        assert receiver.kinds() == ["end-of-call-report"]

    play(kit, scene)


def test_the_nearest_server_is_told_assistant_before_number_before_organisation(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        async def told(assistant_id: str) -> str:
            receiver.places.clear()
            await stage.ask("POST", "/call", GOOD | {"assistantId": assistant_id})
            await all_sent(kit, stage)
            return ",".join(receiver.places)

        def at(place: str) -> dict[str, str]:
            return {"url": f"{receiver.url}?{place}"}

        only = {"serverMessages": ["end-of-call-report"]}
        _, plain = await stage.ask("POST", "/assistant", only)
        _, own = await stage.ask("POST", "/assistant", only | {"server": at("assistant")})
        assert await told(plain["id"]) == ""
        await stage.ask("POST", "/simulator/config", {"vapi": {"server_url": at("organisation")["url"]}})
        assert await told(plain["id"]) == "organisation"
        await stage.ask("PATCH", "/phone-number/pn-1", {"server": at("number")})
        assert await told(plain["id"]) == "number"
        assert await told(own["id"]) == "assistant"

    play(kit, scene)


def test_the_shared_secret_is_sent_and_our_own_verifier_takes_it(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        await stage.ask("POST", "/call", GOOD | server(receiver))
        await all_sent(kit, stage)
        headers, body = receiver.requests[-1]
        assert headers["x-vapi-secret"] == SECRET
        verify(WebhookRequest(body, headers, datetime.now(UTC)), secret=SECRET)

    play(kit, scene, vapi={"webhook_secret": SECRET})


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_a_signature_is_over_the_bytes_as_they_were_sent(kit: Any, unit: str) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        await stage.ask("POST", "/call", GOOD | server(receiver))
        await all_sent(kit, stage)
        for headers, body in receiver.requests:
            verify(WebhookRequest(body, headers, datetime.now(UTC)), secret=SECRET)
            with pytest.raises(WebhookForgedError):
                verify(WebhookRequest(body + b" ", headers, datetime.now(UTC)), secret=SECRET)

    play(kit, scene, vapi={"hmac": {"secret": SECRET, "timestamp_unit": unit}})


def test_a_signature_can_be_made_to_look_like_a_replay(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        await stage.ask("POST", "/call", GOOD | server(receiver))
        await all_sent(kit, stage)
        headers, body = receiver.requests[0]
        with pytest.raises(WebhookForgedError):
            verify(WebhookRequest(body, headers, datetime.now(UTC)), secret=SECRET)

    play(kit, scene, vapi={"hmac": {"secret": SECRET, "timestamp_offset": -400}})


def test_a_credential_may_name_other_headers_and_another_digest(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        await stage.ask("POST", "/call", GOOD | server(receiver))
        await all_sent(kit, stage)
        headers, body = receiver.requests[0]
        signed = f"{headers['x-id']}.{headers['x-time']}.".encode() + body
        digest = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha512)).decode()
        assert headers["x-proof"] == f"v1,{digest}"

    names = {"signature_header": "X-Proof", "timestamp_header": "X-Time", "message_id_header": "X-Id"}
    form = {"algorithm": "sha512", "encoding": "base64", "prefix": "v1,", "payload": "{messageId}.{timestamp}.{body}"}
    play(kit, scene, vapi={"hmac": {"secret": SECRET, **names, **form}})


def test_a_failed_delivery_is_repeated_as_the_plan_says_and_with_the_same_id(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        receiver.answer = lambda _message: web.Response(status=503)
        plan = {"type": "fixed", "maxRetries": 2, "baseDelaySeconds": 0}
        body = GOOD | server(receiver, backoffPlan=plan)
        body["assistantOverrides"]["serverMessages"] = ["end-of-call-report"]
        await stage.ask("POST", "/call", body)
        await all_sent(kit, stage)
        assert receiver.kinds() == ["end-of-call-report"] * 3
        assert len({headers["x-id"] for headers, _ in receiver.requests}) == 1

    play(kit, scene, vapi={"hmac": {"secret": SECRET, "message_id_header": "x-id"}})


def test_a_status_that_the_plan_leaves_out_is_not_repeated(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        receiver.answer = lambda _message: web.Response(status=401)
        plan = {"type": "fixed", "maxRetries": 2, "baseDelaySeconds": 0, "excludedStatusCodes": [401]}
        await stage.ask("POST", "/call", GOOD | server(receiver, backoffPlan=plan))
        await all_sent(kit, stage)
        assert len(receiver.requests) == 5

    play(kit, scene)


def test_a_call_that_comes_in_is_taken_by_the_numbers_assistant_and_told_to_its_server(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        await stage.ask("PATCH", "/phone-number/pn-1", {"assistantId": "a", "server": {"url": receiver.url}})
        status, call = await stage.ask("POST", "/simulator/inbound", {"line": "pn-1", "from": ANN})
        await all_sent(kit, stage)
        assert (status, call["type"], call["customer"]) == (201, "inboundPhoneCall", {"number": ANN})
        assert set(receiver.kinds()) == {"status-update ringing", "status-update in-progress", "status-update ended",
                                         "end-of-call-report"}  # fmt: skip
        _, listed = await stage.ask("GET", "/call")
        assert [(each["id"], each["type"], each["assistantId"]) for each in listed] == [
            (call["id"], "inboundPhoneCall", "a")
        ]
        assert (stage.stats["dials"], stage.stats["double_dials"], stage.stats["calls_in_flight"]) == (0, 0, 0)
        assert stage.stats["by_outcome"] == {}, "nobody dialed it"

    play(kit, scene)


def test_a_number_without_an_assistant_asks_its_server_for_one(kit: Any) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        receiver.answer = lambda message: web.json_response(
            {"assistantId": "from-the-server"} if message["type"] == "assistant-request" else {}
        )
        await stage.ask("PATCH", "/phone-number/pn-1", {"server": {"url": receiver.url}})
        _, call = await stage.ask("POST", "/simulator/inbound", {"line": "pn-1", "from": ANN})
        await all_sent(kit, stage)
        assert call["assistantId"] == "from-the-server"
        assert receiver.kinds()[0] == "assistant-request"

    play(kit, scene)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "call-start-error-neither-assistant-nor-server-set"),
        (web.Response(status=500), "assistant-request-failed"),
        (web.json_response({}), "assistant-request-returned-no-assistant"),
        (web.json_response({"error": "closed"}), "assistant-request-returned-error"),
    ],
)
def test_without_an_assistant_the_call_ends_with_the_reason(kit: Any, answer: Any, reason: str) -> None:
    async def scene(stage: Any, receiver: Receiver) -> None:
        if answer is not None:
            text, status = answer.text, answer.status
            receiver.answer = lambda _message: web.Response(text=text, status=status, content_type="application/json")
            await stage.ask("PATCH", "/phone-number/pn-1", {"server": {"url": receiver.url}})
        _, call = await stage.ask("POST", "/simulator/inbound", {"line": "pn-1", "from": ANN})
        assert call["endedReason"] == reason

    play(kit, scene)


@pytest.mark.parametrize(("prefix", "hooked"), [("+1", True), ("+44", False)])
def test_a_hook_of_a_ringing_call_goes_before_the_assistant_if_its_filter_fits(
    kit: Any, prefix: str, hooked: bool
) -> None:
    async def scene(stage: Any, _receiver: Receiver) -> None:
        where = [{"type": "startsWith", "key": "number", "startsWith": [prefix]}]
        hook = {"on": "call.ringing", "filters": where, "do": [{"type": "say", "exact": "We are closed."}]}
        await stage.ask("PATCH", "/phone-number/pn-1", {"assistantId": "a", "hooks": [hook]})
        _, call = await stage.ask("POST", "/simulator/inbound", {"line": "pn-1", "from": ANN})
        assert (call.get("endedReason") == "call.ringing.hook-executed-say") is hooked

    play(kit, scene)


def test_an_ending_hook_helps_out_when_no_assistant_was_found(kit: Any) -> None:
    async def scene(stage: Any, _receiver: Receiver) -> None:
        action = {"type": "transfer", "destination": {"type": "number", "number": ANN}}
        await stage.ask("PATCH", "/phone-number/pn-1", {"hooks": [{"on": "call.ending", "do": action}]})
        _, call = await stage.ask("POST", "/simulator/inbound", {"line": "pn-1", "from": ANN})
        assert call["endedReason"] == "call.ending.hook-executed-transfer"

    play(kit, scene)


def test_an_inbound_call_needs_a_number_of_ours_and_a_caller(kit: Any) -> None:
    async def scene(stage: Any, _receiver: Receiver) -> None:
        assert (await stage.ask("POST", "/simulator/inbound", {"line": "pn-9", "from": ANN}))[0] == 404
        assert (await stage.ask("POST", "/simulator/inbound", {"line": "pn-1", "from": "Ann"}))[0] == 400

    play(kit, scene, lines=["pn-1"])


def test_a_webhook_that_was_never_answered_does_not_hold_up_others(kit: Any) -> None:
    async def never(wire: Any) -> None:
        await wire.reader.read()

    async def scene(stage: Any, receiver: Receiver) -> None:
        async with kit.a_raw_server(never) as silent:
            stuck = {"assistantOverrides": {"server": {"url": silent.base_url, "timeoutSeconds": 300}}}
            await stage.ask("POST", "/call", GOOD | stuck)
            await stage.ask("POST", "/call", GOOD | {"customer": {"number": "+12125550124"}} | server(receiver))

            async def look() -> bool:
                return "end-of-call-report" in receiver.kinds()

            await kit.wait_until(look)

    play(kit, scene)
