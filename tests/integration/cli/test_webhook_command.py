"""`ringfence webhook NAME`: what a provider's own settings need."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from campaigns.cli.main import run

SETTINGS = """
publicUrl = "https://calls.example.com/"
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0
"""


@pytest.fixture
def folder(tmp_path: Path, database_url: str, database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://x",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "ringfence.toml").write_text(SETTINGS)
    assert run(["migrate"]) == 0
    with database.begin() as connection:
        connection.execute(
            text("""
                WITH c AS (
                    INSERT INTO campaigns (name, account, webhook_token, lines, created_by)
                    VALUES ('spring', 'sim', 'secret', ARRAY['line-1'], 'test') RETURNING id)
                INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                SELECT id, 1, 'd', '', '{}', 'test' FROM c
            """)
        )
    return tmp_path


def test_it_prints_the_address_and_the_header(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["webhook", "spring", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "url": "https://calls.example.com/webhooks/vapi/sim/1",
        "headers": {"X-Ringfence-Token": "secret"},
        "url_with_token": "https://calls.example.com/webhooks/vapi/sim/1/secret",
        "account_url": "https://calls.example.com/webhooks/vapi/sim",
    }
    assert run(["webhook", "spring"]) == 0
    assert "X-Ringfence-Token: secret" in capsys.readouterr().out


def test_an_unknown_campaign_is_named_with_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["webhook", "sprng"]) == 2
    assert "spring" in capsys.readouterr().err


def test_without_a_public_url_it_says_what_to_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringfence.toml").write_text(SETTINGS.replace("publicUrl", "# publicUrl"))
    assert run(["webhook", "spring"]) == 3
    assert "publicUrl is not set" in capsys.readouterr().err
