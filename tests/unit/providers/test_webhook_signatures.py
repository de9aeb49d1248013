"""What proves that a webhook comes from the account's provider, and what does not."""

import hashlib
import hmac
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.providers.cognigy.signature import verify as gateway_verify
from campaigns.providers.contract import WebhookForgedError, WebhookRequest
from campaigns.providers.signatures import REPLAY_WINDOW, require_lately, same
from campaigns.providers.vapi.signature import verify

NOW = datetime(2026, 12, 2, 17, tzinfo=UTC)
SECRET = "a-long-random-text"
BODY = b'{"message": {"type": "hang"}}'


def digest(*, stamp: str, body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def stamp_of(at: datetime) -> str:
    return str(int(at.timestamp()))


def signed(*, at: datetime = NOW, body: bytes = BODY, **headers: str) -> WebhookRequest:
    stamp = stamp_of(at)
    return WebhookRequest(body, {"x-timestamp": stamp, "x-signature": digest(stamp=stamp), **headers}, NOW)


def is_believed(request: WebhookRequest, *, secret: str = SECRET) -> bool:
    try:
        verify(request, secret=secret)
    except WebhookForgedError:
        return False
    return True


def test_a_signature_over_these_very_bytes_and_this_time_is_believed() -> None:
    assert is_believed(signed())


def test_the_digest_may_say_how_it_was_made() -> None:
    stamp = stamp_of(NOW)
    assert is_believed(signed(**{"x-signature": f"sha256={digest(stamp=stamp)}"}))


def test_a_time_in_milliseconds_is_a_time() -> None:
    stamp = str(int(NOW.timestamp() * 1000))
    request = WebhookRequest(BODY, {"x-timestamp": stamp, "x-signature": digest(stamp=stamp)}, NOW)
    assert is_believed(request)


@given(flip=st.integers(0, len(BODY) * 8 - 1))
def test_no_bit_of_the_body_can_be_changed(flip: int) -> None:
    changed = bytearray(BODY)
    changed[flip // 8] ^= 1 << flip % 8
    assert not is_believed(signed(body=bytes(changed)))


def test_the_same_json_in_other_bytes_is_another_body() -> None:
    assert not is_believed(signed(body=BODY.replace(b": ", b":")))


@pytest.mark.parametrize("drift", [-REPLAY_WINDOW, timedelta(0), REPLAY_WINDOW])
def test_within_the_window_it_is_late_enough(drift: timedelta) -> None:
    assert is_believed(signed(at=NOW + drift))


@pytest.mark.parametrize("drift", [-REPLAY_WINDOW - timedelta(seconds=1), REPLAY_WINDOW + timedelta(seconds=1)])
def test_an_old_signature_and_one_of_a_time_to_come_prove_nothing(drift: timedelta) -> None:
    assert not is_believed(signed(at=NOW + drift))


def test_an_old_signature_cannot_be_given_a_new_time() -> None:
    """The time is part of what is signed."""
    old = signed(at=NOW - timedelta(days=1))
    assert not is_believed(WebhookRequest(BODY, {**old.headers, "x-timestamp": stamp_of(NOW)}, NOW))


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "9" * 40, "9" * 5000, "-1", "0", "²", "2026-12-02T17:00:00Z"])
def test_what_is_no_time_of_today_is_refused_though_it_is_signed(stamp: str) -> None:
    request = WebhookRequest(BODY, {"x-timestamp": stamp, "x-signature": digest(stamp=stamp)}, NOW)
    assert not is_believed(request)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-signature": ""},
        {"x-signature": "", "x-timestamp": ""},
        {"x-signature": "sha256="},
        {"x-vapi-secret": ""},
        {"x-vapi-secret": "another"},
        {"x-vapi-secret": f"{SECRET}, {SECRET}"},
        {"x-vapi-secret": "sch\u00f6n"},
        {"x-vapi-secret": "\u20ac"},
        {"authorization": f"Bearer {SECRET}"},
    ],
)
def test_without_any_proof_nobody_is_believed(headers: dict[str, str]) -> None:
    assert not is_believed(WebhookRequest(BODY, headers, NOW))


def test_the_shared_secret_alone_is_believed_where_nothing_is_signed() -> None:
    assert is_believed(WebhookRequest(BODY, {"x-vapi-secret": SECRET}, NOW))


def test_a_signature_that_does_not_fit_is_not_made_good_by_the_shared_secret() -> None:
    assert not is_believed(signed(body=b"{}", **{"x-vapi-secret": SECRET}))


def test_two_signatures_in_two_headers_are_no_signature() -> None:
    stamp = stamp_of(NOW)
    assert not is_believed(signed(**{"x-signature": f"{digest(stamp=stamp)}, {'0' * 64}"}))


def test_another_accounts_secret_proves_nothing() -> None:
    assert not is_believed(signed(), secret="another")


def test_an_empty_secret_proves_nothing() -> None:
    assert not same("", "")
    stamp = stamp_of(NOW)
    empty = {"x-vapi-secret": "", "x-timestamp": stamp}
    assert not is_believed(WebhookRequest(BODY, empty, NOW), secret="")


def test_a_secret_beyond_ascii_arrives_as_the_bytes_that_it_is() -> None:
    as_header = "sch\u00f6n \u20ac".encode().decode("latin-1")
    assert is_believed(WebhookRequest(BODY, {"x-vapi-secret": as_header}, NOW), secret="sch\u00f6n \u20ac")


@given(st.text(), st.text(min_size=1))
def test_comparing_never_raises(given_text: str, expected: str) -> None:
    expected_is_text = expected.encode(errors="replace").decode() == expected
    if expected_is_text:
        assert same(given_text, expected) in (True, False)


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_any_time_is_either_lately_or_refused(stamp: str) -> None:
    with suppress(WebhookForgedError):
        require_lately(stamp, now=NOW)


def test_the_refusal_says_what_is_missing_and_nothing_that_was_sent() -> None:
    with pytest.raises(WebhookForgedError) as caught:
        verify(WebhookRequest(BODY, {"x-vapi-secret": "wrong-secret"}, NOW), secret=SECRET)
    assert "wrong-secret" not in str(caught.value)
    assert SECRET not in str(caught.value)


# --- jambonz ----------------------------------------------------------------------------------------------------


def gateway_believes(header: str | None, *, body: bytes = BODY) -> bool:
    headers = {} if header is None else {"jambonz-signature": header}
    try:
        gateway_verify(WebhookRequest(body, headers, NOW), secret=SECRET)
    except WebhookForgedError:
        return False
    return True


def test_a_gateways_signature_is_believed_alone_or_beside_that_of_another_secret() -> None:
    stamp = stamp_of(NOW)
    right, other = digest(stamp=stamp), digest(stamp=stamp, secret="the next one")
    for header in (f"t={stamp},v1={right}", f"t={stamp}, v1={other}, v1={right}", f"v1={right},v0=x,t={stamp}"):
        assert gateway_believes(header)


@pytest.mark.parametrize("drift", [-REPLAY_WINDOW - timedelta(seconds=1), REPLAY_WINDOW + timedelta(seconds=1)])
def test_a_gateways_old_signature_and_one_of_a_time_to_come_prove_nothing(drift: timedelta) -> None:
    stamp = stamp_of(NOW + drift)
    assert not gateway_believes(f"t={stamp},v1={digest(stamp=stamp)}")


def test_a_gateways_signature_needs_its_time_its_scheme_and_these_bytes() -> None:
    stamp, old = stamp_of(NOW), stamp_of(NOW - timedelta(days=1))
    right = digest(stamp=stamp)
    for header in (
        None,
        "",
        f"t={stamp}",
        f"v1={right}",
        f"t={stamp},v0={right}",
        f"t={stamp},v1=",
        f"t={stamp},v1={right}x",
        f"t={stamp},v1={digest(stamp=old)}",
        f"t={old},t={stamp},v1={right}",
        f"t={stamp},v1={right}, t={stamp},v1={right}",
        f"t={stamp},v1={digest(stamp=stamp, secret='another')}",
    ):
        assert not gateway_believes(header), header
    assert not gateway_believes(f"t={stamp},v1={right}", body=BODY + b"\n")
