"""What Vapi's answers to a create prove."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.http import HttpAnswer
from campaigns.providers.vapi.errors import read_create

SENT_AT = datetime(2026, 12, 1, 14, 0, 20, tzinfo=UTC)
JITTER = timedelta(seconds=2)


def read(status: int, body: Any = None, *, headers: dict[str, str] | None = None) -> DialResult:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = HttpAnswer(status, headers or {}, raw, SENT_AT, SENT_AT + timedelta(seconds=1))
    return read_create(answer, private=["+12125550123", "Ann Example"], jitter=lambda: JITTER)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_id_means_created_even_when_concurrency_is_said_to_block(status: int) -> None:
    body = {"id": "c-1", "subscriptionLimits": {"concurrencyBlocked": True, "remainingConcurrentCalls": -1}}

    assert read(status, body) == Placed("c-1")


@pytest.mark.parametrize("body", [b"", b"<html>", {}, [], "x", {"id": None}, {"id": 7}, {"id": ""}, {"results": []}])
def test_success_without_a_readable_id_proves_nothing(body: Any) -> None:
    assert isinstance(read(201, body), FateUnknown)


@pytest.mark.parametrize(
    "status", [301, 307, 408, 409, 410, 418, 425, 451, 500, 501, 502, 503, 504, 520, 522, 524, 599]
)
def test_what_is_not_listed_as_certain_is_ambiguous(status: int) -> None:
    assert isinstance(read(status, {"message": "Over Concurrency Limit"}), FateUnknown)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_or_standing_is_the_accounts_trouble(status: int) -> None:
    result = read(status, {"message": "customer.number: Invalid Key. Hot tip", "statusCode": status})

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.CREDENTIALS
    assert "Invalid Key" in result.message


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 422])
def test_a_refused_request_is_a_configuration_error(status: int) -> None:
    result = read(status, {"message": "property server should not exist", "statusCode": status})

    assert isinstance(result, NotDialed)
    assert result.kind is NotDialedKind.CONFIG_ERROR
    assert "property server should not exist" in result.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("customer.number must be a valid phone number in the E.164 format.", NotDialedKind.INVALID_NUMBER),
        ("Over Concurrency Limit", NotDialedKind.CAPACITY),
        ("Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import", NotDialedKind.LINE_LIMIT),
        ("Free numbers cannot make international calls.", NotDialedKind.LINE_UNFIT),
        ("Rate limit exceeded", NotDialedKind.RATE_LIMITED),
        ("Couldn't Get Phone Number. Need Either `phoneNumberId` Or `phoneNumber`.", NotDialedKind.CONFIG_ERROR),
        ("assistantOverrides.property x should not exist", NotDialedKind.CONFIG_ERROR),
    ],
)
@pytest.mark.parametrize("shape", ["text", "list", "old"])
def test_the_text_of_a_400_says_what_to_do(text: str, kind: NotDialedKind, shape: str) -> None:
    bodies = {"text": {"message": text, "error": "Bad Request"}, "list": {"message": [text]}, "old": {"error": text}}
    result = read(400, bodies[shape])

    assert isinstance(result, NotDialed)
    assert result.kind is kind


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "12"}, timedelta(seconds=12)),
        ({"retry-after": "Tue, 01 Dec 2026 14:00:51 GMT"}, timedelta(seconds=30)),
        ({"retry-after": "Tue, 01 Dec 2026 13:00:00 GMT"}, timedelta()),
        ({"retry-after": "soon"}, timedelta(seconds=39) + JITTER),
        ({}, timedelta(seconds=39) + JITTER),
    ],
)
def test_a_rate_limit_waits_as_told_else_for_the_next_utc_minute(headers: dict[str, str], wait: timedelta) -> None:
    result = read(429, {"message": "Rate limit exceeded"}, headers=headers)

    assert isinstance(result, NotDialed)
    assert (result.kind, result.retry_after) == (NotDialedKind.RATE_LIMITED, wait)


def test_a_message_never_holds_a_number_or_a_name_and_is_short() -> None:
    result = read(400, {"message": "no call to +12125550123 or (212) 555-0199 for Ann Example " + "x" * 500})

    assert isinstance(result, NotDialed)
    assert "555" not in result.message
    assert "Ann" not in result.message
    assert len(result.message) <= 210


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Tue, 01 Dec 2026 14:00:20 GMT", timedelta()),
        ("Tue, 01 Dec 2026 14:00:21 GMT", timedelta()),
        ("Tue, 01 Dec 2026 14:00:31 GMT", timedelta(seconds=10)),
        ("Tue, 01 Dec 2026 14:00:09 GMT", timedelta(seconds=-10)),
        ("yesterday", None),
    ],
)
def test_the_clock_skew_is_the_least_that_explains_the_date(date: str, skew: timedelta | None) -> None:
    assert read(201, {"id": "c-1"}, headers={"date": date}) == Placed("c-1", clock_skew=skew)
