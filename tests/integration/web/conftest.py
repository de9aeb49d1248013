"""The web process in this one, on real servers, with accounts that prove their webhooks in every way."""

import contextlib
import hashlib
import hmac
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.web.app import create_app

SECRET = "a-long-random-text"
TOKEN = "the-token-of-the-campaign"
ACCOUNT = """
[accounts.{name}]
provider = "{provider}"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0
{more}
"""
SIGNED = 'webhookSecretEnv = "HOOK_SECRET"'
SID = "30000000-0000-4000-8000-000000000001"
DOORS = "".join(
    ACCOUNT.format(name=name, provider=provider, more=more)
    for name, provider, more in (
        ("plain", "vapi", ""),
        ("signed", "vapi", SIGNED),
        ("lenient", "vapi", f'{SIGNED}\nwebhookAuth = "token"'),
        ("gateway", "cognigy", f'{SIGNED}\naccountSid = "{SID}"'),
        ("unsigned", "voxworks", SIGNED),
    )
)
PROVIDERS = {"gateway": "cognigy", "unsigned": "voxworks"}
"""All others are at Vapi."""


class Door:
    """Webhooks as providers send them, for one campaign an account."""

    def __init__(self, client: TestClient, campaigns: Mapping[str, int]) -> None:
        self.client = client
        self.campaigns = campaigns

    def path(self, account: str, *, token: str | None = None) -> str:
        """The campaign's own address, with its token in it if one is given."""
        token_part = f"/{token}" if token is not None else ""
        return f"/webhooks/{PROVIDERS.get(account, 'vapi')}/{account}/{self.campaigns[account]}{token_part}"

    def post(self, path: str, body: bytes = b"", **headers: str) -> int:
        """The answer's status. Header names with `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, content=body or event(), headers=sent).status_code


def event(kind: str = "status-update", *, call: str = "call-1", status: str = "ringing", **more: Any) -> bytes:
    """A webhook's body."""
    return json.dumps({"message": {"type": kind, "status": status, "call": {"id": call}, **more}}).encode()


def signature(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The two headers of a signed webhook."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x_timestamp": stamp, "x_signature": digest}


@pytest.fixture(name="event")
def _event() -> Callable[..., bytes]:
    return event


@pytest.fixture(name="signature")
def _signature() -> Callable[..., dict[str, str]]:
    return signature


@pytest.fixture
def doors_environment(
    tmp_path: Path, database_url: str, valkey_url: str, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Settings with an account of every kind, and the environment that leads there; returns the folder."""
    (tmp_path / "ringfence.toml").write_text(DOORS)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "HOOK_SECRET": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RINGFENCE_API_TOKENS", raising=False)
    prepare_database(database_url, load_settings({"RINGFENCE_HOME": str(tmp_path)}, cwd=tmp_path))
    return tmp_path


@pytest.fixture
def door_campaigns(database: Engine, doors_environment: Path) -> dict[str, int]:
    """Account → the id of its one campaign, whose token is `TOKEN`."""
    with database.begin() as connection:
        statement = text("""
            INSERT INTO campaigns (name, account, webhook_token, lines, created_by)
            SELECT name, name, :token, '{line-1}', 'test' FROM accounts ORDER BY name RETURNING account, id
        """)
        return {row.account: row.id for row in connection.execute(statement, {"token": TOKEN})}


@pytest.fixture
def door(door_campaigns: dict[str, int]) -> Iterator[Door]:
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield Door(client, door_campaigns)


@pytest.fixture
def web_server(doors_environment: Path, tmp_path: Path) -> Iterator[Callable[..., tuple[str, Path]]]:
    """Starts the web process with these arguments of uvicorn; returns its address and its log."""
    log = tmp_path / "web.log"
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> tuple[str, Path]:
            command = [sys.executable, "-m", "uvicorn", "--factory", "campaigns.web.app:create_app", "--port", "0"]
            out = stack.enter_context(log.open("w"))
            process = stack.enter_context(subprocess.Popen([*command, *arguments], stdout=out, stderr=out))
            stack.callback(process.terminate)
            while not (found := re.search(r"running on (http://\S+)", log.read_text())):
                assert process.poll() is None, log.read_text()
            return found[1], log

        yield start


@pytest.fixture
def inbox(database: Engine) -> Callable[[], list[str]]:
    """The event types that are stored, in the order of their coming."""

    def read() -> list[str]:
        with database.connect() as connection:
            return list(connection.execute(text("SELECT event_type FROM inbox ORDER BY id")).scalars())

    return read
