"""What each answer to a Voxworks create proves; only six statuses are documented, and all others prove nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.http import HttpAnswer
from campaigns.providers.voxworks.errors import read_create

NOON = datetime(2026, 12, 2, 12, 0, 20, tzinfo=UTC)


def answered(status, body=None, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body or {"success": False, "message": "no"}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = HttpAnswer(status, named, raw, sent_at=NOON - timedelta(seconds=1), received_at=NOON)
    return read_create(answer, private=["+61429069971", "Ann"])


def refused(status, message, **headers):
    return answered(status, {"success": False, "message": message}, **headers)


def test_a_created_call_is_known_by_its_call_id():
    body = {"success": True, "call_id": "call-1", "contact_id": "c-1", "status": "scheduled"}
    assert answered(201, body) == Placed("call-1")


@pytest.mark.parametrize(
    "body",
    [b"", b"created", b"[]", b'{"success": true}', b'{"call_id": 7}', b'{"call_id": ""}', b"[" * 100_000],
)
def test_a_success_without_a_call_id_may_have_dialed(body):
    assert isinstance(answered(201, body), FateUnknown)


@pytest.mark.parametrize("status", [302, 402, 403, 405, 408, 409, 413, 422, 500, 502, 503, 504, 524])
def test_a_status_that_is_not_documented_or_a_fault_of_theirs_proves_nothing(status):
    assert isinstance(answered(status), FateUnknown)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "contact.phone_number is not a valid phone number", NotDialedKind.INVALID_NUMBER),
        (400, "Invalid phone number", NotDialedKind.INVALID_NUMBER),
        (400, "from_number is not a valid phone number", NotDialedKind.CONFIG_ERROR),
        (400, "Phone number to call from must belong to your team", NotDialedKind.CONFIG_ERROR),
        (400, "script_id is required", NotDialedKind.CONFIG_ERROR),
        (401, "Invalid API key", NotDialedKind.CREDENTIALS),
        (404, "Script not found", NotDialedKind.CONFIG_ERROR),
        (404, "Phone number not found", NotDialedKind.CONFIG_ERROR),
        (429, "Rate limit exceeded", NotDialedKind.RATE_LIMITED),
    ],
)
def test_documented_refusals_are_certain_and_say_what_to_do_next(status, message, kind):
    result = refused(status, message)
    assert isinstance(result, NotDialed)
    assert result.kind is kind
    assert result.message.startswith(f"{status}: ")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("Wed, 02 Dec 2026 12:01:00 GMT", timedelta(seconds=40)),
        ("99999999999999999999", timedelta(hours=1)),
        ("soon", None),
        ("\u00b2", None),
    ],
)
def test_a_rate_limit_is_waited_out_as_long_as_it_says(header, wait):
    assert refused(429, "Rate limit exceeded", retry_after=header).retry_after == wait


def test_the_providers_own_count_of_requests_stands_in_the_message():
    result = refused(429, "Rate limit exceeded", x_ratelimit_limit="60", x_ratelimit_remaining="0")
    assert result.message == "429: Rate limit exceeded (limit 60, left 0)"


@pytest.mark.parametrize(("left", "spent"), [("0", True), ("1", False), ("", False)])
def test_a_created_call_tells_when_it_was_the_last_one_for_now(left, spent):
    assert answered(201, {"call_id": "call-1"}, x_ratelimit_remaining=left).rate_spent is spent


def test_no_message_repeats_the_number_or_the_name():
    result = refused(400, "Ann has phone number +61429069971, also 0429 069 971")
    assert "429069971" not in result.message
    assert "069 971" not in result.message
    assert "Ann" not in result.message
