"""`Jambonz-Signature`: who sent a webhook of the gateway, proven over the bytes as they came."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.providers.cognigy.signature import verify
from campaigns.providers.contract import WebhookForgedError, WebhookRequest

NOW = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)
SECRET = "a-webhook-secret"
BODY = b'{"call_sid": "call-1",  "note": "two blanks"}'


def digest(*, at: datetime = NOW, body: bytes = BODY, secret: str = SECRET) -> str:
    text = str(int(at.timestamp())).encode() + b"." + body
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def header(*digests: str, at: datetime = NOW) -> str:
    return ",".join([f"t={int(at.timestamp())}", *(f"v1={each}" for each in digests)])


def check(signature: str | None, *, body: bytes = BODY, secret: str = SECRET) -> None:
    headers = {} if signature is None else {"jambonz-signature": signature}
    verify(WebhookRequest(body, headers, NOW), secret=secret)


def test_a_signature_over_these_very_bytes_is_believed() -> None:
    check(header(digest()))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_one_of_several_signatures_is_enough(order: int) -> None:
    digests = [digest(secret="old"), digest(secret="older")]
    digests.insert(order, digest())
    check(header(*digests))


def test_blanks_between_the_parts_do_no_harm() -> None:
    check(header(digest()).replace(",", ", "))


@pytest.mark.parametrize("away", [timedelta(seconds=-300), timedelta(), timedelta(seconds=300)])
def test_a_signature_of_the_last_or_next_five_minutes_is_fresh(away: timedelta) -> None:
    check(header(digest(at=NOW + away), at=NOW + away))


@pytest.mark.parametrize("away", [timedelta(seconds=-301), timedelta(seconds=301), timedelta(days=400)])
def test_an_older_one_and_one_from_the_future_are_replays(away: timedelta) -> None:
    with pytest.raises(WebhookForgedError, match="five minutes"):
        check(header(digest(at=NOW + away), at=NOW + away))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "v1=" + digest(),
        header(),
        header(digest(secret="another")),
        header(digest(body=json.dumps(json.loads(BODY)).encode())),
        header(digest(at=NOW - timedelta(seconds=1))),
        header(digest()).replace("v1=", "v0="),
        header(digest()[:-1]),
        header(digest().upper() + "é"),
        f"t=1,{header(digest())}",
    ],
)
def test_everything_else_is_forged(signature: str | None) -> None:
    with pytest.raises(WebhookForgedError):
        check(signature)


def test_a_time_that_is_no_number_is_no_time() -> None:
    stamped = hmac.new(SECRET.encode(), b"soon." + BODY, hashlib.sha256).hexdigest()
    with pytest.raises(WebhookForgedError, match="no number of seconds"):
        check(f"t=soon,v1={stamped}")
