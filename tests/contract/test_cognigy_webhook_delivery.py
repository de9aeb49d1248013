"""The gateway's webhooks as they come: two for one call, in either order, twice, signed."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from gateway_scenes import a_dial

from campaigns.calls.outcomes import Outcome
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import Phase, Receipt, WebhookForgedError, WebhookRequest, WebhookTarget
from campaigns.services.settle import AttemptView, settle_report

SECRET = "a-webhook-secret"
TALKED = ("answered", "voicemail")


class Receiver:
    """A web server that keeps what it is sent, with its headers."""

    def __init__(self) -> None:
        self.arrived: list[WebhookRequest] = []
        self.paths: list[str] = []
        application = web.Application()
        application.add_routes([web.post("/{path:.*}", self._take)])
        self._runner = web.AppRunner(application, access_log=None)

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.arrived.append(WebhookRequest(await request.read(), headers, datetime.now(UTC)))
        self.paths.append(request.path)
        return web.Response()

    async def __aenter__(self) -> WebhookTarget:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return WebhookTarget(f"http://127.0.0.1:{self._runner.addresses[0][1]}/webhooks/cognigy/main/7/token", {})

    async def __aexit__(self, *_error: object) -> None:
        await self._runner.cleanup()


async def heard(
    kit: Any, receiver: Receiver, *, outcome: str = "answered", more: dict[str, Any] | None = None, **settings: Any
) -> tuple[Any, list[Receipt]]:
    """The attempt, and all that its call sent, in the order of arrival."""
    scripted = {kit.number: [outcome]}
    async with receiver as webhook, kit.a_house("cognigy", scripted=scripted, **settings) as house:
        dial = a_dial(kit, webhook=webhook, more=more)
        await house.provider.dial(dial)
        simulation = house.simulator.simulation

        async def is_over() -> bool:
            return bool(house.stats["dials"]) and simulation.sender.waiting == 0 and _has_ended(receiver)

        def _has_ended(receiver: Receiver) -> bool:
            bodies = b"".join(each.body for each in receiver.arrived)
            ended = any(word in bodies for word in (b'"completed"', b'"busy"', b'"no-answer"', b'"failed"'))
            return ended and (b"amd_stopped" in bodies or not (more and "amd" in more) or outcome not in TALKED)

        await kit.wait_until(is_over)
        return dial, [house.provider.parse_webhook(each.body) for each in receiver.arrived]


def folded(dial: Any, receipts: list[Receipt]) -> AttemptView:
    attempt = AttemptView(dial.attempt_id, AttemptState.DIALING, None, connected=False)
    for receipt in receipts:
        if receipt.report is not None:
            attempt = settle_report(attempt, receipt.report).attempt
    return attempt


def test_webhooks_tell_the_whole_life_of_a_call_and_name_the_attempt(kit: Any) -> None:
    receiver = Receiver()
    dial, receipts = asyncio.run(heard(kit, receiver, webhooks={"concurrency": 1}))

    reports = [receipt.report for receipt in receipts]
    assert [report.phase for report in reports if report] == [
        Phase.QUEUED,
        Phase.RINGING,
        Phase.CONNECTED,
        Phase.REPORTED,
    ]
    assert {report.attempt_id for report in reports if report} == {dial.attempt_id}
    assert set(receiver.paths) == {"/webhooks/cognigy/main/7/token"}


@pytest.mark.parametrize(("outcome", "expected"), [("answered", Outcome.ANSWERED), ("voicemail", Outcome.VOICEMAIL)])
@pytest.mark.parametrize("late", [0.0, 1.0])
@pytest.mark.parametrize("tagged", [False, True])
def test_who_answered_is_joined_whether_the_word_comes_before_the_end_or_after_it(
    kit: Any, outcome: str, expected: Outcome, late: float, *, tagged: bool
) -> None:
    jambonz = {"amd_after_completed": late, "amd_customer_data": tagged}
    dial, receipts = asyncio.run(heard(kit, Receiver(), outcome=outcome, more={"amd": {}}, jambonz=jambonz))

    attempt = folded(dial, receipts)
    assert (attempt.state, attempt.outcome) == (AttemptState.CLOSED, expected)


@pytest.mark.parametrize("outcome", ["busy", "no_answer", "rejected", "invalid_number"])
def test_a_call_that_nobody_answered_waits_for_no_word(kit: Any, outcome: str) -> None:
    dial, receipts = asyncio.run(heard(kit, Receiver(), outcome=outcome, more={"amd": {}}))

    attempt = folded(dial, receipts)
    assert (attempt.state, attempt.outcome) == (AttemptState.CLOSED, Outcome(outcome))


def test_an_undecided_detection_leaves_the_call_to_the_poll(kit: Any) -> None:
    dial, receipts = asyncio.run(heard(kit, Receiver(), more={"amd": {}}, jambonz={"amd_undecided": 1.0}))

    assert folded(dial, receipts).state is AttemptState.ENDED
    assert "amd_decision_timeout" in {receipt.event_type for receipt in receipts}


def test_events_that_are_sent_twice_have_one_key(kit: Any) -> None:
    settings = {"webhooks": {"duplicated": 1.0}, "jambonz": {"repeated_ringing": 1.0}}
    _, receipts = asyncio.run(heard(kit, Receiver(), **settings))

    assert len(receipts) > len({receipt.dedupe_key for receipt in receipts})
    assert len({receipt.dedupe_key for receipt in receipts}) == 4


def verified(kit: Any, *, secrets: list[str], age: float = 0.0) -> None:
    receiver = Receiver()
    jambonz = {"webhook_secrets": secrets, "signature_age": age}
    asyncio.run(heard(kit, receiver, jambonz=jambonz))

    async def verify() -> None:
        async with kit.a_provider("http://127.0.0.1:1", kind="cognigy") as provider:
            for request in receiver.arrived:
                provider.verify_webhook(request, secret=SECRET)

    asyncio.run(verify())


@pytest.mark.parametrize("secrets", [[SECRET], ["old", SECRET]])
@pytest.mark.parametrize("age", [0.0, 250.0, -250.0])
def test_the_gateways_own_signature_is_believed(kit: Any, secrets: list[str], age: float) -> None:
    verified(kit, secrets=secrets, age=age)


@pytest.mark.parametrize(("secrets", "age"), [([], 0.0), (["old"], 0.0), ([SECRET], 400.0), ([SECRET], -400.0)])
def test_another_signature_is_not(kit: Any, secrets: list[str], age: float) -> None:
    with pytest.raises(WebhookForgedError):
        verified(kit, secrets=secrets, age=age)
