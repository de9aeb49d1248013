"""One create for several customers whom Vapi is to call later: its body, and what its answer proves of each."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.providers.contract import DialRequest, FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.http import HttpAnswer
from campaigns.providers.registry import AccountAccess, build_provider, holds_calls
from campaigns.providers.scheduling import ProviderSpan, SchedulingProvider
from campaigns.providers.vapi.batch import read_answer, schedule_body
from campaigns.providers.vapi.requests import create_body
from campaigns.providers.vapi.unusable import UnusableRequestError

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)
SPAN = ProviderSpan(datetime(2026, 12, 2, 17, tzinfo=UTC), datetime(2026, 12, 2, 17, 30, tzinfo=UTC))
ANN, BEN = UUID(int=1), UUID(int=2)
NUMBERS = {ANN: "+12125550101", BEN: "+12125550102"}


class OpenPermit:
    async def turn(self) -> None:
        """Its turn is always."""

    def check(self) -> None:
        """Always good."""

    def remaining(self) -> timedelta:
        return timedelta(seconds=1)


def a_request(attempt_id: UUID, **changes: Any) -> DialRequest:
    values: dict[str, Any] = {
        "attempt_id": attempt_id,
        "number": NUMBERS[attempt_id],
        "line": "pn-1",
        "assistant": {"id": "a-1", "variables": {"who": str(attempt_id.int)}, "metadata": {"campaign": "spring"}},
        "customer_name": "Ann Example",
        "external_id": "row-7",
        "voicemail_action": "none",
        "webhook": None,
        "permit": OpenPermit(),
    }
    return DialRequest(**values | changes)


def body_of(*requests: DialRequest) -> dict[str, Any]:
    return schedule_body([create_body(request) for request in requests], span=SPAN)


def answer(body: Any, *, status: int = 201) -> HttpAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, {}, raw, NOW, NOW)


def proves(body: Any, *, status: int = 201) -> dict[UUID, Any]:
    requests = [a_request(ANN), a_request(BEN)]
    return read_answer(answer(body, status=status), requests, jitter=lambda: timedelta(0))


def entry(attempt_id: UUID, **fields: Any) -> dict[str, Any]:
    return {"customer": {"externalId": str(attempt_id), "number": NUMBERS[attempt_id]}, **fields}


def test_one_customer_travels_as_in_any_create_with_both_times() -> None:
    body = body_of(a_request(ANN))
    assert body["schedulePlan"] == {"earliestAt": "2026-12-02T17:00:00.000Z", "latestAt": "2026-12-02T17:30:00.000Z"}
    assert (body["name"], body["customer"]["externalId"]) == (str(ANN), str(ANN))
    assert "customers" not in body


def test_several_share_the_root_and_bring_their_own_overrides_and_our_id() -> None:
    body = body_of(a_request(ANN), a_request(BEN))
    assert set(body) == {"phoneNumberId", "assistantId", "metadata", "customers", "schedulePlan"}
    assert body["metadata"] == {"campaign": "spring"}
    assert [customer["externalId"] for customer in body["customers"]] == [str(ANN), str(BEN)]
    variables = [customer["assistantOverrides"]["variableValues"] for customer in body["customers"]]
    assert variables == [{"who": "1"}, {"who": "2"}]


def test_customers_who_need_different_roots_are_not_sent_as_one() -> None:
    with pytest.raises(UnusableRequestError):
        body_of(a_request(ANN), a_request(BEN, line="pn-2"))
    workflow = {"workflowId": "w-1"}
    with pytest.raises(UnusableRequestError):
        body_of(
            a_request(ANN, assistant=workflow | {"variables": {"who": "1"}}),
            a_request(BEN, assistant=workflow | {"variables": {"who": "2"}}),
        )


def test_each_customer_is_answered_by_itself() -> None:
    wrong = "customer.number must be a valid phone number in the E.164 format: +12125550102"
    found = proves({"results": [entry(ANN, id="call-1")], "errors": [entry(BEN, error=wrong)]})
    assert found[ANN] == Placed("call-1")
    assert found[BEN] == NotDialed(NotDialedKind.INVALID_NUMBER, wrong.replace("+12125550102", "[hidden]"))


@pytest.mark.parametrize(
    "body",
    [
        {"results": [entry(ANN, id="call-1")], "errors": []},
        {"results": [entry(ANN, id="call-1"), entry(BEN)], "errors": []},
        {"results": [entry(ANN, id="call-1"), entry(BEN, id="")]},
        {"results": [entry(ANN, id="call-1"), {"id": "call-2"}]},
    ],
)
def test_a_customer_whom_the_answer_does_not_name_may_have_been_created(body: Any) -> None:
    found = proves(body)
    assert found[ANN] == Placed("call-1")
    assert isinstance(found[BEN], FateUnknown)


def test_a_customer_in_both_lists_counts_as_created() -> None:
    body = {"results": [entry(ANN, id="c-1"), entry(BEN, id="c-2")], "errors": [entry(BEN, error="busy")]}
    assert proves(body)[BEN] == Placed("c-2")


def test_an_entry_without_our_id_is_known_by_its_number() -> None:
    without = {"customer": {"number": NUMBERS[BEN]}, "id": "call-2"}
    assert proves({"results": [entry(ANN, id="call-1"), without]})[BEN] == Placed("call-2")


@pytest.mark.parametrize("body", [b"", b"not json", [], {"id": "call-1"}, {"results": "x", "errors": 5}])
def test_an_answer_of_another_shape_leaves_everybody_unknown(body: Any) -> None:
    assert all(isinstance(result, FateUnknown) for result in proves(body).values())


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 520, 302])
def test_an_answer_that_proves_nothing_leaves_everybody_unknown(status: int) -> None:
    assert all(isinstance(result, FateUnknown) for result in proves({}, status=status).values())


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429])
def test_a_refused_request_created_nobody_and_blames_no_single_number(status: int) -> None:
    found = proves({"message": "customer.number must be valid"}, status=status)
    assert all(isinstance(result, NotDialed) for result in found.values())
    assert NotDialedKind.INVALID_NUMBER not in {result.kind for result in found.values()}


def test_the_registry_says_rightly_who_holds_calls() -> None:
    for kind in ("vapi", "voxworks"):
        provider = build_provider(kind, AccountAccess(base_url="http://127.0.0.1:9", api_key="k"))
        assert isinstance(provider, SchedulingProvider) == holds_calls(kind)
