"""Answers and webhooks that no provider should send: whatever comes, it means something and nothing breaks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.providers.cognigy import errors as cognigy
from campaigns.providers.cognigy.webhook import parse_webhook as parse_cognigy
from campaigns.providers.contract import (
    DialResult,
    FateUnknown,
    NotDialed,
    NotDialedKind,
    Receipt,
    WebhookRejectedError,
)
from campaigns.providers.http import HttpAnswer
from campaigns.providers.refusals import LONGEST_WAIT
from campaigns.providers.vapi import errors as vapi
from campaigns.providers.vapi.webhook import parse_webhook as parse_vapi
from campaigns.providers.voxworks import errors as voxworks
from campaigns.providers.voxworks.webhook import parse_webhook as parse_voxworks

NOW = datetime(2026, 12, 2, 17, 0, 10, tzinfo=UTC)
Read = Callable[[HttpAnswer], DialResult]
READERS: dict[str, Read] = {
    "vapi": lambda answer: vapi.read_create(answer, private=(), jitter=timedelta),
    "cognigy": lambda answer: cognigy.read_create(answer, private=(), to_a_phone=True, jitter=timedelta),
    "voxworks": lambda answer: voxworks.read_create(answer, private=()),
}

each_provider = pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())


def an_answer(status: int, body: bytes = b"{}", **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW, NOW)


@each_provider
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"9" * 6_000], ids=lambda it: it[:5])
def test_a_body_that_nobody_can_read_proves_nothing_of_a_created_call_and_changes_no_refusal(
    read: Read, body: bytes
) -> None:
    assert isinstance(read(an_answer(201, body)), FateUnknown)
    assert isinstance(read(an_answer(500, body)), FateUnknown)
    refused = read(an_answer(400, body))
    assert isinstance(refused, NotDialed)
    assert refused.kind is NotDialedKind.CONFIG_ERROR


@each_provider
@pytest.mark.parametrize(
    "date",
    ["Fri, 31 Dec 9999 23:59:59 -2300", "Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 32 Jan 2026 00:00:00 GMT", ","],
)
def test_a_date_that_is_none_tells_no_skew_and_no_wait(read: Read, date: str) -> None:
    assert read(an_answer(201, b'{"id": "c", "sid": "c", "call_id": "c"}', date=date)).clock_skew is None
    assert isinstance(read(an_answer(429, retry_after=date)), NotDialed)


@each_provider
@pytest.mark.parametrize("header", ["retry_after", "ratelimit_reset"])
def test_a_wait_beyond_all_measure_is_an_hour(read: Read, header: str) -> None:
    told = read(an_answer(429, **{header: "9" * 6_000}))
    assert isinstance(told, NotDialed)
    assert told.retry_after == LONGEST_WAIT


PARSERS: dict[str, tuple[Callable[[bytes], Receipt], bytes]] = {
    "vapi": (parse_vapi, b'{"message": {"type": "new", "call": {"id": "c"}, "x": %s}}'),
    "cognigy": (parse_cognigy, b'{"call_sid": "c", "type": "new", "x": %s}'),
    "voxworks": (
        lambda body: parse_voxworks(body, paths={}, now=NOW),
        b'{"call_id": "c", "status": "completed", "x": %s}',
    ),
}


@pytest.mark.parametrize(("parse", "body"), PARSERS.values(), ids=PARSERS.keys())
def test_a_webhook_nested_to_any_depth_is_read_or_rejected(parse: Callable[[bytes], Receipt], body: bytes) -> None:
    """Python can read a little deeper than it can write, so just there is a depth that is read and not written."""
    rejected = 0
    for depth in range(1, 1_200):
        try:
            parse(body % (b"[" * depth + b"]" * depth))
        except WebhookRejectedError:
            rejected += 1
    assert 0 < rejected < 1_000
