"""Which answers to a create prove that nobody was dialed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.providers.cognigy.errors import read_create
from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.http import HttpAnswer

NOW = datetime(2026, 12, 2, 17, 0, 10, tzinfo=UTC)
NUMBER = "+12125550123"
JITTER = timedelta(seconds=3)


def read(status: int, body: Any = None, *, to_a_phone: bool = True, **headers: str) -> DialResult:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = HttpAnswer(status, names, raw, NOW, NOW)
    return read_create(answer, private=[NUMBER], to_a_phone=to_a_phone, jitter=lambda: JITTER)


def refused(*arguments: Any, **options: Any) -> NotDialed:
    result = read(*arguments, **options)
    assert isinstance(result, NotDialed)
    return result


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_sid_is_a_call(status: int) -> None:
    assert read(status, {"sid": "call-1", "callId": "x"}) == Placed("call-1")


@pytest.mark.parametrize("name", ["callId", "callid"])
def test_the_sip_call_id_has_two_spellings_and_neither_is_the_sid(name: str) -> None:
    assert read(201, {"sid": "call-1", name: "sip-1"}) == Placed("call-1")
    assert isinstance(read(201, {name: "sip-1"}), FateUnknown)


@pytest.mark.parametrize("body", [{}, {"sid": ""}, {"sid": 7}, {"sid": None}, [], "ok", b"", b"<html>", b"[" * 9000])
def test_an_accepted_create_without_a_sid_is_of_unknown_fate(body: Any) -> None:
    assert isinstance(read(201, body), FateUnknown)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, NotDialedKind.CONFIG_ERROR),
        (401, NotDialedKind.CREDENTIALS),
        (403, NotDialedKind.CREDENTIALS),
        (404, NotDialedKind.CONFIG_ERROR),
        (422, NotDialedKind.CONFIG_ERROR),
        (429, NotDialedKind.RATE_LIMITED),
        (480, NotDialedKind.CAPACITY),
    ],
)
def test_what_is_listed_as_certain_was_certainly_not_dialed(status: int, kind: NotDialedKind) -> None:
    assert refused(status, {"msg": "no"}).kind is kind


@pytest.mark.parametrize("status", [302, 402, 405, 408, 409, 413, 415, 418, 500, 501, 502, 503, 504, 520, 599])
def test_every_other_answer_proves_nothing(status: int) -> None:
    assert isinstance(read(status, {"msg": "no"}), FateUnknown)


@pytest.mark.parametrize("body", [b"Internal Server Error", {"msg": "fetch failed"}])
def test_both_kinds_of_500_prove_nothing(body: Any) -> None:
    assert isinstance(read(500, body), FateUnknown)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("missing or invalid to property: {}", NotDialedKind.INVALID_NUMBER),
        ("missing to parameter", NotDialedKind.INVALID_NUMBER),
        ("missing from parameter", NotDialedKind.CONFIG_ERROR),
        ("application_sid not found", NotDialedKind.CONFIG_ERROR),
        ("unauthorized createCall request for account", NotDialedKind.CONFIG_ERROR),
    ],
)
def test_a_400_is_about_the_number_only_if_it_names_the_destination(said: str, kind: NotDialedKind) -> None:
    assert refused(400, {"msg": said}).kind is kind


def test_a_word_against_a_sip_address_is_no_word_against_the_number() -> None:
    assert refused(400, {"msg": "invalid to property"}, to_a_phone=False).kind is NotDialedKind.CONFIG_ERROR


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, timedelta(seconds=7)),
        ({"retry_after": "Wed, 02 Dec 2026 17:00:40 GMT"}, timedelta(seconds=30)),
        ({"retry_after": "Wed, 02 Dec 2026 16:59:00 GMT"}, timedelta()),
        ({"ratelimit_reset": "120"}, timedelta(seconds=120)),
        ({"ratelimit": "limit=600, remaining=0, reset=240"}, timedelta(seconds=240)),
        ({"retry_after": "soon", "ratelimit_reset": "²"}, timedelta(seconds=60) + JITTER),
        ({"retry_after": "99999999"}, timedelta(hours=1)),
        ({}, timedelta(seconds=60) + JITTER),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(headers: dict[str, str], wait: timedelta) -> None:
    assert refused(429, {"msg": "Too many requests"}, **headers).retry_after == wait


def test_only_a_rate_limit_asks_to_wait() -> None:
    assert refused(480, {"msg": "no available feature servers at this time"}, retry_after="7").retry_after is None


@pytest.mark.parametrize("body", [{"msg": f"bad {NUMBER}"}, f"bad {NUMBER}".encode(), {"msg": "bad 212-555-0123"}])
def test_no_message_holds_a_number(body: Any) -> None:
    for status in (400, 500):
        result = read(status, body)
        assert isinstance(result, NotDialed | FateUnknown)
        assert "0123" not in result.message
        assert result.message.startswith(f"{status}: bad [hidden]")
