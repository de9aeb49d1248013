"""The web process on a real Postgres and a real Valkey: who is heard, what is committed, what is answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.web.app import create_app
from campaigns.web.body import MOST_BODY_BYTES

SETTINGS = """
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0
"""
TOKEN = "a-token-of-this-campaign"


@pytest.fixture
def campaign_id(database: Engine, database_url: str, home: Path) -> int:
    prepare_database(database_url, load_settings({"RINGFENCE_HOME": str(home)}, cwd=home))
    with database.begin() as connection:
        statement = text("""
            INSERT INTO campaigns (name, account, webhook_token, lines, created_by)
            VALUES ('spring', 'sim', :token, '{line-1}', 'test') RETURNING id
        """)
        return int(connection.execute(statement, {"token": TOKEN}).scalar_one())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "ringfence.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def client(
    campaign_id: int,
    home: Path,
    database_url: str,
    valkey_url: str,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TestClient]:
    monkeypatch.chdir(home)
    for name, value in {"RINGFENCE_HOME": str(home), "DATABASE_URL": database_url, "REDIS_URL": valkey_url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RINGFENCE_API_TOKENS", raising=False)
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


def body(*, call: str = "call-1", status: str = "ringing", **more: Any) -> bytes:
    message = {"type": "status-update", "status": status, "call": {"id": call, "name": "x"}, **more}
    return json.dumps({"message": message}).encode()


def post(
    client: TestClient,
    campaign_id: int,
    content: bytes,
    *,
    token: str | bytes | None = TOKEN,
    provider: str = "vapi",
    account: str = "sim",
) -> int:
    headers = {} if token is None else {b"X-Ringfence-Token": token if isinstance(token, bytes) else token.encode()}
    reply = client.post(f"/webhooks/{provider}/{account}/{campaign_id}", content=content, headers=headers)
    return reply.status_code


def inbox(database: Engine) -> list[str]:
    with database.connect() as connection:
        return list(connection.execute(text("SELECT event_type FROM inbox ORDER BY id")).scalars())


def test_a_webhook_is_committed_before_it_is_answered(client: TestClient, campaign_id: int, database: Engine) -> None:
    assert post(client, campaign_id, body()) == 200
    assert inbox(database) == ["status-update"]


def test_the_same_webhook_again_is_answered_and_not_stored_again(
    client: TestClient, campaign_id: int, database: Engine
) -> None:
    assert [post(client, campaign_id, body()) for _ in range(3)] == [200, 200, 200]
    assert len(inbox(database)) == 1


def test_an_event_of_another_kind_is_stored_too(client: TestClient, campaign_id: int, database: Engine) -> None:
    content = json.dumps({"message": {"type": "speech-update", "call": {"id": "c"}}}).encode()
    assert post(client, campaign_id, content) == 200
    assert inbox(database) == ["speech-update"]


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", "sch\u00f6n".encode()])
def test_without_the_campaigns_token_nothing_is_stored(
    client: TestClient, campaign_id: int, database: Engine, token: str | bytes | None
) -> None:
    assert post(client, campaign_id, body(), token=token) == 401
    assert inbox(database) == []


def test_the_token_of_a_campaign_opens_no_other_campaign_account_or_provider(
    client: TestClient, campaign_id: int, database: Engine
) -> None:
    assert post(client, campaign_id + 1, body()) == 401
    assert post(client, 10**30, body()) == 401
    assert post(client, campaign_id, body(), account="other") == 401
    assert post(client, campaign_id, body(), provider="cognigy") == 401
    assert inbox(database) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"message": 1}', b'{"message": {}}', b"\xff\xfe"])
def test_what_is_no_webhook_is_refused(client: TestClient, campaign_id: int, content: bytes) -> None:
    assert post(client, campaign_id, content) == 400


def test_a_body_beyond_the_limit_is_refused_whether_declared_or_streamed(client: TestClient, campaign_id: int) -> None:
    piece = b"x" * 1024 * 1024
    pieces = MOST_BODY_BYTES // len(piece) + 1
    path, headers = f"/webhooks/vapi/sim/{campaign_id}", {"X-Ringfence-Token": TOKEN}
    assert client.post(path, content=piece * pieces, headers=headers).status_code == 413
    streamed = (piece for _ in range(pieces))
    assert client.post(path, content=streamed, headers=headers).status_code == 413


def test_a_transcript_just_below_the_limit_is_taken_in(client: TestClient, campaign_id: int, database: Engine) -> None:
    padding = "x" * (MOST_BODY_BYTES - 1000)
    assert post(client, campaign_id, body(artifact={"transcript": padding})) == 200
    assert inbox(database) == ["status-update"]


def test_a_webhook_asks_a_worker_to_look_into_the_inbox(
    client: TestClient, campaign_id: int, valkey: redis.Redis
) -> None:
    assert post(client, campaign_id, body()) == 200
    popped = valkey.blpop(["control"], timeout=5)
    assert popped is not None
    message = json.loads(popped[1])
    assert message["headers"]["task"] == "ringfence.process_inbox"


def test_liveness_and_readiness(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    ready = client.get("/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "problem": None})


def test_not_ready_with_another_schema(client: TestClient, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert client.get("/ready").status_code == 503


def test_the_api_tells_where_campaigns_stand(client: TestClient) -> None:
    everything = client.get("/api/campaigns").json()
    assert [each["campaign"] for each in everything["campaigns"]] == ["spring"]
    assert client.get("/api/campaigns/spring").json()["state"] == "active"


def test_an_unknown_campaign_is_404_with_the_nearest_name(client: TestClient) -> None:
    reply = client.get("/api/campaigns/sprig")
    assert reply.status_code == 404
    assert "spring" in reply.json()["detail"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_without_tokens_a_proxied_request_is_not_local(client: TestClient, header: str) -> None:
    assert client.get("/api/campaigns", headers={header: "127.0.0.1"}).status_code == 403
    assert client.get("/", headers={header: "127.0.0.1"}).status_code == 403


def test_without_tokens_a_foreign_host_name_is_not_local(client: TestClient) -> None:
    assert client.get("/api/campaigns", headers={"Host": "rebound.example:8080"}).status_code == 403


def test_with_tokens_only_their_holders_may_ask(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_API_TOKENS", "first,second")
    with TestClient(create_app()) as guarded:
        assert guarded.get("/api/campaigns").status_code == 401
        assert guarded.get("/api/campaigns", headers={"Authorization": "Bearer third"}).status_code == 401
        assert guarded.get("/api/campaigns", headers={"Authorization": "Bearer second"}).status_code == 200


def test_the_status_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
