"""Every address of the webhook intake: who is let in, and that nobody else is."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from campaigns.runtime.settings import SettingsError
from campaigns.store.engine import open_engine
from campaigns.web.app import create_app

TOKEN, SECRET = "the-token-of-the-campaign", "a-long-random-text"
Event = Callable[..., bytes]
Signature = Callable[..., dict[str, str]]
Inbox = Callable[[], list[str]]


# --- a campaign's token -----------------------------------------------------------------------------------------


def test_the_token_may_come_in_the_header_or_in_the_address(door: Any, inbox: Inbox, event: Event) -> None:
    assert door.post(door.path("plain"), event(call="1"), x_ringfence_token=TOKEN) == 200
    assert door.post(door.path("plain", token=TOKEN), event(call="2")) == 200
    assert len(inbox()) == 2


@pytest.mark.parametrize(
    "token", ["wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "%00", "%FF", "schön", "..", "a%2Fb"]
)
def test_a_wrong_token_in_the_address_opens_nothing(door: Any, inbox: Inbox, token: str) -> None:
    assert door.post(door.path("plain", token=token)) in (401, 404)
    assert door.post(door.path("plain", token=token), x_ringfence_token=TOKEN) in (401, 404)
    assert inbox() == []


def test_a_token_opens_its_own_campaign_only(door: Any, inbox: Inbox) -> None:
    other = door.campaigns["lenient"]
    assert door.post(f"/webhooks/vapi/plain/{other}/{TOKEN}") == 401
    assert door.post(f"/webhooks/voxworks/plain/{door.campaigns['plain']}/{TOKEN}") == 401
    assert door.post(f"/webhooks/vapi/nobody/1/{TOKEN}") == 401
    assert inbox() == []


@pytest.mark.parametrize("campaign", ["0", "-1", "1e3", "x", "٣", "9" * 30, "1.0", "%20"])
def test_what_is_no_campaign_is_refused_like_any_other_stranger(door: Any, campaign: str) -> None:
    answers = {door.client.post(f"/webhooks/vapi/plain/{campaign}/{TOKEN}").text for _ in range(1)}
    assert answers == {door.client.post("/webhooks/vapi/plain/1000000/x").text}


# --- token and signature ----------------------------------------------------------------------------------------


def test_with_a_secret_a_campaigns_webhook_needs_token_and_signature(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    body = event()
    assert door.post(door.path("signed"), body, x_ringfence_token=TOKEN) == 401
    assert door.post(door.path("signed"), body, **signature(body)) == 401
    assert door.post(door.path("signed", token=TOKEN), body) == 401
    assert inbox() == []
    assert door.post(door.path("signed"), body, x_ringfence_token=TOKEN, **signature(body)) == 200
    assert door.post(door.path("signed", token=TOKEN), event(call="2"), **signature(event(call="2"))) == 200
    assert len(inbox()) == 2


def test_the_settings_may_say_that_the_token_is_enough(door: Any, inbox: Inbox) -> None:
    assert door.post(door.path("lenient"), x_ringfence_token=TOKEN) == 200
    assert len(inbox()) == 1


# --- the account's own address ----------------------------------------------------------------------------------


def test_the_accounts_address_asks_for_the_signature_and_nothing_else(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    for account in ("signed", "lenient"):
        body = event(call=account)
        assert door.post(f"/webhooks/vapi/{account}", body, **signature(body)) == 200
        assert door.post(f"/webhooks/vapi/{account}", body, x_ringfence_token=TOKEN) == 401
        assert door.post(f"/webhooks/vapi/{account}", body) == 401
    assert len(inbox()) == 2


def test_an_account_without_a_secret_has_no_address_of_its_own(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    body = event()
    assert door.post("/webhooks/vapi/plain", body, x_ringfence_token=TOKEN) == 401
    assert door.post("/webhooks/vapi/plain", body, **signature(body)) == 401
    assert door.post("/webhooks/vapi/plain", body, **signature(body, secret="")) == 401
    assert door.post("/webhooks/vapi/nobody", body, **signature(body)) == 401
    assert inbox() == []


def test_a_signature_is_over_these_bytes_this_secret_and_this_time(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    body, now = event(), time.time()
    for headers in (
        signature(body + b" "),
        signature(body, secret="another"),
        signature(body, at=now - 600),
        signature(body, at=now + 600),
        signature(body) | {"x_timestamp": str(int(now) - 1)},
    ):
        assert door.post("/webhooks/vapi/signed", body, **headers) == 401
    assert inbox() == []


def test_a_header_that_comes_twice_is_not_the_one_that_fits(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    body = event()
    right = signature(body)["x_signature"]
    headers = [("x-timestamp", signature(body)["x_timestamp"]), ("x-signature", right), ("x-signature", "0" * 64)]
    assert door.client.post("/webhooks/vapi/signed", content=body, headers=headers).status_code == 401
    assert inbox() == []


def test_a_replay_within_the_window_changes_nothing(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    body = event()
    headers = signature(body)
    assert [door.post("/webhooks/vapi/signed", body, **headers) for _ in range(3)] == [200, 200, 200]
    assert len(inbox()) == 1


# --- the other providers ----------------------------------------------------------------------------------------


def test_a_gateway_proves_itself_by_the_token_in_the_address_and_its_own_signature(
    door: Any, inbox: Inbox, signature: Signature
) -> None:
    body = b'{"call_sid": "c-1", "call_status": "ringing", "sip_status": 180}'
    parts = signature(body)
    signed = {"jambonz_signature": f"t={parts['x_timestamp']},v1={'0' * 64},v1={parts['x_signature']}"}
    path = door.path("gateway", token=TOKEN)
    assert door.post(path, body) == 401
    assert door.post(path, body + b" ", **signed) == 401
    assert door.post(door.path("gateway", token="wrong"), body, **signed) == 401
    assert inbox() == []
    assert door.post(path, body, **signed) == 200
    assert door.post("/webhooks/cognigy/gateway", body.replace(b"c-1", b"c-2"), **signed) == 401
    assert door.post("/webhooks/cognigy/gateway", body, **signed) == 200
    assert len(inbox()) == 1


def test_a_provider_that_signs_nothing_brings_a_token_or_at_the_accounts_address_the_secret(
    door: Any, inbox: Inbox, signature: Signature
) -> None:
    first, second = b'{"call_id": "c-1"}', b'{"call_id": "c-2"}'
    assert door.post("/webhooks/voxworks/unsigned", first, x_ringfence_token=TOKEN) == 401
    assert door.post("/webhooks/voxworks/unsigned", first, **signature(first)) == 401
    assert door.post(door.path("unsigned"), first, x_ringfence_token=SECRET) == 401
    assert inbox() == []
    assert door.post("/webhooks/voxworks/unsigned", first, x_ringfence_token=SECRET) == 200
    assert door.post(door.path("unsigned", token=TOKEN), second) == 200
    assert len(inbox()) == 2


# --- settings that would leave a door open ----------------------------------------------------------------------


def test_a_signature_that_no_provider_can_make_is_not_asked_for_in_vain(doors_environment: Path) -> None:
    settings = doors_environment / "ringfence.toml"
    settings.write_text(settings.read_text() + 'webhookAuth = "both"')  # of the last account, at Voxworks
    with pytest.raises(SettingsError, match="voxworks signs no webhooks"), TestClient(create_app()):
        pass


def test_a_secret_that_is_named_and_missing_keeps_the_process_from_starting(
    doors_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(SettingsError, match="HOOK_SECRET holds no secret"), TestClient(create_app()):
        pass


# --- bodies -----------------------------------------------------------------------------------------------------


def test_an_unproven_body_beyond_what_all_may_hold_is_sent_again_later(
    door: Any, inbox: Inbox, event: Event, signature: Signature, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = event()
    monkeypatch.setattr(door.client.app.state.services.unproven_bytes, "_most", len(body) - 1)
    assert door.post("/webhooks/vapi/signed", body, **signature(body)) == 503
    assert door.post(door.path("lenient"), body, x_ringfence_token=TOKEN) == 200
    monkeypatch.setattr(door.client.app.state.services.unproven_bytes, "_most", len(body))
    assert [door.post("/webhooks/vapi/signed", body, **signature(body)) for _ in range(3)] == [200, 200, 200]


# --- what is counted --------------------------------------------------------------------------------------------


def test_events_of_a_kind_that_changes_nothing_are_stored_and_counted(
    door: Any, inbox: Inbox, event: Event, signature: Signature
) -> None:
    for body in (event("speech-update"), event("a-kind-of-tomorrow"), event()):
        assert door.post(door.path("plain", token=TOKEN), body) == 200
    assert door.post(door.path("plain", token="x")) == 401
    assert door.post(door.path("plain", token=TOKEN), b"no json") == 400
    assert sorted(inbox()) == ["a-kind-of-tomorrow", "speech-update", "status-update"]
    told = door.client.get("/metrics").text
    for line in (
        'ringfence_webhook_events_total{account="plain",acted_on="no",event_type="a-kind-of-tomorrow"} 1.0',
        'ringfence_webhook_events_total{account="plain",acted_on="yes",event_type="status-update"} 1.0',
        'ringfence_webhooks_total{account="plain",result="stored"} 3.0',
        'ringfence_webhooks_total{account="plain",result="refused"} 1.0',
        'ringfence_webhooks_total{account="plain",result="unreadable"} 1.0',
    ):
        assert line in told


def test_what_is_sent_does_not_decide_how_much_is_remembered(door: Any, event: Event) -> None:
    for number in range(120):
        assert door.post(door.path("plain", token=TOKEN), event(f"kind-{number}")) == 200
    told = door.client.get("/metrics").text
    assert 'event_type="other"} 20.0' in told
    assert "kind-119" not in told


def test_strangers_cannot_read_the_counts(door: Any) -> None:
    assert door.client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403


# --- Postgres ---------------------------------------------------------------------------------------------------


def test_without_postgres_the_provider_is_asked_to_send_again_and_then_it_is_stored_once(
    door: Any, database: Engine, inbox: Inbox, postgres_url: str
) -> None:
    assert door.post(door.path("plain", token=TOKEN)) == 200  # the token is known from now on
    switch = _Switch(postgres_url, str(database.url.database))
    switch.throw(on=False)
    reply = door.client.post(door.path("plain", token=TOKEN), content=_ended())
    fresh = door.client.post(f"/webhooks/vapi/plain/{door.campaigns['plain'] + 77}/{TOKEN}", content=_ended())
    assert (reply.status_code, fresh.status_code) == (503, 503)
    assert int(reply.headers["retry-after"]) > 0
    switch.throw(on=True)
    assert [door.post(door.path("plain", token=TOKEN), _ended()) for _ in range(2)] == [200, 200]
    assert inbox() == ["status-update", "status-update"]


def _ended() -> bytes:
    return b'{"message": {"type": "status-update", "status": "ended", "call": {"id": "c"}}}'


class _Switch:
    """Lets nobody into one database of a server, or everybody again."""

    def __init__(self, server_url: str, database: str) -> None:
        self._server_url = server_url
        self._database = database

    def throw(self, *, on: bool) -> None:
        engine = open_engine(self._server_url)
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{self._database}" ALLOW_CONNECTIONS {str(on).lower()}'))
            if not on:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                    {"name": self._database},
                )
        engine.dispose()
