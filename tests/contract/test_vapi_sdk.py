"""Vapi's official SDK, as its users install it, against the simulated Vapi: an independent reading of the API.

The SDK takes any answer and says nothing. So each body is also validated by the SDK's own models, strictly: a missing
or mistaken field fails, and so does one that Vapi's description does not have.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import httpx
import pytest
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError
from vapi import (
    AsyncVapi,
    Call,
    CallBatchResponse,
    CreateCustomerDto,
    CreatePhoneNumbersRequest_ByoPhoneNumber,
    CreatePhoneNumbersRequest_Telnyx,
    CreatePhoneNumbersRequest_Twilio,
    CreatePhoneNumbersRequest_Vapi,
    CreatePhoneNumbersRequest_Vonage,
    SchedulePlan,
    ServerMessageEndOfCallReport,
    ServerMessageStatusUpdate,
    UpdatePhoneNumbersRequestBody_Twilio,
    Vapi,
)
from vapi.core.api_error import ApiError
from vapi.errors import BadRequestError
from vapi.phone_numbers import GetPhoneNumbersResponse
from vapi.types import Assistant, PhoneNumberPaginatedResponse

from campaigns.simulator.config import OUTCOMES, SimulatorConfig, changed
from campaigns.simulator.server import Simulator
from campaigns.simulator.threaded import running_simulator

KEY = "test-key"
ANN, BOB = "+12125550123", "+12125550124"
SOON = datetime(2100, 1, 1, 9, tzinfo=UTC)

Model = TypeVar("Model")


def config(**settings: Any) -> SimulatorConfig:
    return changed(SimulatorConfig(), {"api_key": KEY, "speed": 100_000.0, **settings})


@contextmanager
def an_sdk(**settings: Any) -> Iterator[tuple[Vapi, Simulator]]:
    """The synchronous client, and the simulator that it talks to."""
    with running_simulator(config(**settings)) as simulator, httpx.Client(timeout=20) as http:
        yield Vapi(token=KEY, base_url=simulator.base_url, httpx_client=http), simulator


def seen(simulator: Simulator, path: str) -> Any:
    """A body as it leaves the simulator, before the SDK has read it."""
    request = Request(simulator.base_url + path, headers={"Authorization": f"Bearer {KEY}"})  # noqa: S310 - loopback
    with urlopen(request) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def strictly(model: type[Model] | Any, body: Any, *, beyond: frozenset[str] = frozenset()) -> Model:
    """Raises for what the model does not allow; `beyond`: fields known to be missing from the published description."""
    parsed: Model = TypeAdapter(model).validate_python(body)
    assert set(_undescribed(parsed)) <= beyond
    return parsed


def _undescribed(value: Any, *, path: str = "") -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{path}{key}" for key in value.model_extra or {})
        for key in type(value).model_fields:
            yield from _undescribed(getattr(value, key), path=f"{path}{key}.")
    for each in value if isinstance(value, list) else ():
        yield from _undescribed(each, path=path)


def a_call(vapi: Vapi, number: str = ANN, **fields: Any) -> Any:
    destination = {"assistant_id": "assistant-1", "phone_number_id": "pn-1"}
    return vapi.calls.create(**{**destination, "customer": CreateCustomerDto(number=number), **fields})


def until_reported(vapi: Vapi, call_id: str) -> Call:
    """Asks again and again; the test's time limit ends it."""
    while True:
        call = vapi.calls.get(call_id)
        if call.cost_breakdown is not None:
            return call


def test_a_call_is_placed_and_its_report_read() -> None:
    with an_sdk(scripted={ANN: ["answered"]}) as (vapi, _):
        placed = a_call(vapi, name="attempt-1")
        call = until_reported(vapi, placed.id)

        assert (placed.status, placed.type, placed.name) == ("queued", "outboundPhoneCall", "attempt-1")
        assert call.status == "ended"
        assert call.ended_reason in {"customer-ended-call", "assistant-ended-call", "assistant-said-end-call-phrase",
                                     "silence-timed-out"}  # fmt: skip
        assert call.artifact is not None
        assert call.artifact.transcript
        assert call.costs is not None
        assert sum(entry.cost for entry in call.costs) == pytest.approx(call.cost)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_call_of_every_outcome_is_as_described(outcome: str) -> None:
    with an_sdk(scripted={ANN: [outcome]}, vapi={"dispositions": {"booked": 1}}) as (vapi, simulator):
        call_id = until_reported(vapi, a_call(vapi).id).id

        body = seen(simulator, f"/call/{call_id}")
        assert strictly(Call, body).status == "ended"
        with pytest.raises(ValidationError):
            strictly(Call, body | {"createdAt": None})
        with pytest.raises(AssertionError):
            strictly(Call, body | {"invented": 1})


def test_metadata_goes_beside_what_the_sdk_knows() -> None:
    with an_sdk() as (vapi, simulator):
        options: Any = {"additional_body_parameters": {"metadata": {"attemptId": "a-1"}}}
        call = a_call(vapi, request_options=options)

        body = seen(simulator, f"/call/{call.id}")
        assert body["metadata"] == {"attemptId": "a-1"}
        strictly(Call, body, beyond=frozenset({"metadata"}))


def test_a_scheduled_call_is_listed_as_such_and_deleted_before_it_rings() -> None:
    with an_sdk() as (vapi, simulator):
        plan = SchedulePlan(earliest_at=SOON, latest_at=SOON + timedelta(hours=1))
        call = a_call(vapi, schedule_plan=plan)
        listed = vapi.calls.list(limit=10)
        deleted = vapi.calls.delete(call.id)

        assert [(each.id, each.status) for each in listed] == [(call.id, "scheduled")]
        assert (deleted.status, deleted.ended_reason) == ("ended", "scheduled-call-deleted")
        assert simulator.simulation.ledger.snapshot()["dials"] == 0


def test_a_batch_is_parsed_into_results_and_errors() -> None:
    with an_sdk(speed=0.001) as (vapi, simulator):
        customers = [
            CreateCustomerDto(number=ANN, external_id="attempt-1"),
            CreateCustomerDto(number="0123"),
            CreateCustomerDto(number=BOB, external_id="attempt-2"),
        ]
        batch = vapi.calls.create(assistant_id="a", phone_number_id="pn-1", customers=customers)

        assert isinstance(batch, CallBatchResponse)
        assert [call.customer and call.customer.external_id for call in batch.results] == ["attempt-1", "attempt-2"]
        assert [error.customer.number for error in batch.errors] == ["0123"]
        assert "E.164" in batch.errors[0].error
        assert set(simulator.simulation.ledger.by_attempt) == {"attempt-1", "attempt-2"}


def test_calls_are_filtered_by_line_and_time_renamed_and_deleted_in_bulk() -> None:
    with an_sdk(speed=0.001) as (vapi, simulator):
        first, second = a_call(vapi), a_call(vapi, BOB, phone_number_id="pn-2")
        assert [call.id for call in vapi.calls.list(phone_number_id="pn-2")] == [second.id]
        assert vapi.calls.list(created_at_gt=datetime.now(UTC) + timedelta(hours=1)) == []
        assert vapi.calls.update(first.id, name="renamed").name == "renamed"

        vapi.calls.delete(first.id, ids=[second.id])
        assert [call.id for call in vapi.calls.list()] == [first.id]
        assert simulator.simulation.ledger.in_flight == 2, "deleting removes data and hangs nothing up"


NUMBERS: dict[str, Any] = {
    "vapi": CreatePhoneNumbersRequest_Vapi(name="n", number_desired_area_code="212"),
    "twilio": CreatePhoneNumbersRequest_Twilio(number=ANN, twilio_account_sid="AC1", twilio_auth_token="t"),
    "vonage": CreatePhoneNumbersRequest_Vonage(number=ANN, credential_id="c"),
    "telnyx": CreatePhoneNumbersRequest_Telnyx(number=ANN, credential_id="c"),
    "byo-phone-number": CreatePhoneNumbersRequest_ByoPhoneNumber(credential_id="c", number=ANN),
}


@pytest.mark.parametrize("provider", NUMBERS)
def test_a_number_of_each_provider_is_added_shown_and_deleted(provider: str) -> None:
    with an_sdk(lines=["pn-1"]) as (vapi, simulator):
        created = vapi.phone_numbers.create(request=NUMBERS[provider])
        shown = vapi.phone_numbers.get(created.id)
        strictly(GetPhoneNumbersResponse, seen(simulator, f"/phone-number/{created.id}"))
        listed = vapi.phone_numbers.list()

        assert (created.provider, shown.status, bool(shown.number)) == (provider, "active", True)
        assert [number.id for number in listed] == [created.id, "pn-1"]
        a_call(vapi, phone_number_id=created.id)
        vapi.phone_numbers.delete(created.id)
        with pytest.raises(ApiError) as gone:
            vapi.phone_numbers.get(created.id)
        assert gone.value.status_code == 404


def test_a_number_is_changed_with_its_provider_named_as_the_sdk_does() -> None:
    with an_sdk() as (vapi, _):
        number = vapi.phone_numbers.create(request=NUMBERS["twilio"])
        change = UpdatePhoneNumbersRequestBody_Twilio(name="Updated", squad_id="squad-1")
        changed_number = vapi.phone_numbers.update(number.id, request=change)

        assert (changed_number.name, changed_number.squad_id, changed_number.number) == ("Updated", "squad-1", ANN)


def test_numbers_come_in_pages() -> None:
    with an_sdk(lines=["pn-1", "pn-2", "pn-3"]) as (vapi, simulator):
        pages = [
            vapi.phone_numbers.phone_number_controller_find_all_paginated(page=page, limit=2, search="pn-")
            for page in (1, 2)
        ]
        strictly(PhoneNumberPaginatedResponse, seen(simulator, "/v2/phone-number?limit=2"))

        assert [len(page.results) for page in pages] == [2, 1]
        assert [page.metadata.has_next_page for page in pages] == [True, False]
        assert pages[0].metadata.total_items == 3


def test_an_assistant_is_saved_changed_used_and_deleted() -> None:
    with an_sdk(assistants=["assistant-1"]) as (vapi, simulator):
        assistant = vapi.assistants.create(name="Ann's", first_message="Hello")
        strictly(Assistant, seen(simulator, f"/assistant/{assistant.id}"))
        vapi.assistants.update(assistant.id, first_message="Good day")
        assert vapi.assistants.get(assistant.id).first_message == "Good day"
        assert {each.id for each in vapi.assistants.list()} == {assistant.id, "assistant-1"}
        assert a_call(vapi, assistant_id=assistant.id).assistant_id == assistant.id

        vapi.assistants.delete(assistant.id)
        with pytest.raises(BadRequestError) as refused:
            a_call(vapi, BOB, assistant_id=assistant.id)
        assert "Couldn't Get Assistant" in str(refused.value.body)


def test_refusals_arrive_as_the_sdks_own_errors() -> None:
    with an_sdk(vapi={"credits": "refuse"}) as (vapi, simulator), httpx.Client() as http:
        with pytest.raises(BadRequestError) as refused:
            a_call(vapi, name="x" * 41)
        assert "name must be shorter" in str(refused.value.body)
        with pytest.raises(ApiError) as unpaid:
            a_call(vapi)
        assert unpaid.value.status_code == 402
        stranger = Vapi(token="other", base_url=simulator.base_url, httpx_client=http)
        with pytest.raises(ApiError) as unknown:
            stranger.calls.list()
        assert unknown.value.status_code == 401


async def _received(outcome: str) -> list[Any]:
    """The webhooks of one call, in the order of their arrival."""
    bodies: list[Any] = []
    complete = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        if bodies[-1]["message"]["type"] == "end-of-call-report":
            complete.set()
        return web.Response()

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    settings = config(scripted={ANN: [outcome]}, vapi={"server_url": url})
    try:
        async with Simulator(settings) as simulator, httpx.AsyncClient() as http:
            vapi = AsyncVapi(token=KEY, base_url=simulator.base_url, httpx_client=http)
            await vapi.calls.create(assistant_id="a", phone_number_id="pn-1", customer=CreateCustomerDto(number=ANN))
            await complete.wait()
    finally:
        await runner.cleanup()
    return bodies


@pytest.mark.parametrize("outcome", ["answered", "voicemail", "no_answer", "pipeline_error"])
def test_webhooks_are_as_described(outcome: str) -> None:
    *updates, report = (body["message"] for body in asyncio.run(_received(outcome)))

    for update in updates:
        strictly(ServerMessageStatusUpdate, update, beyond=frozenset({"phone_number.id"}))
    strictly(ServerMessageEndOfCallReport, report, beyond=frozenset({"phone_number.id", "costBreakdown"}))
    assert updates[-1]["status"] == "ended"
    assert updates[-1]["endedReason"] == report["endedReason"]


def test_the_asynchronous_client_works_as_well() -> None:
    async def run() -> None:
        async with Simulator(config(speed=0.001)) as simulator, httpx.AsyncClient() as http:
            vapi = AsyncVapi(token=KEY, base_url=simulator.base_url, httpx_client=http)
            call: Any = await vapi.calls.create(
                assistant_id="a", phone_number_id="pn-1", customer=CreateCustomerDto(number=ANN)
            )
            number = await vapi.phone_numbers.create(request=NUMBERS["telnyx"])
            assistant = await vapi.assistants.create(name="A")
            assert [each.id for each in await vapi.calls.list()] == [call.id]
            assert (await vapi.calls.get(call.id)).status in {"queued", "ringing"}
            assert (await vapi.calls.update(call.id, name="n")).name == "n"
            assert (await vapi.phone_numbers.get(number.id)).provider == "telnyx"
            assert (await vapi.assistants.get(assistant.id)).name == "A"
            await vapi.calls.delete(call.id)
            assert await vapi.calls.list() == []

    asyncio.run(run())
