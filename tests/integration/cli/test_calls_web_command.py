"""`ringfence calls web`: no phone rings."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text


def test_a_web_call_rings_no_phone_and_is_on_record(ringfence: Any, database: Engine, served: Any) -> None:
    code, answer = ringfence("calls", "web", "--assistant", "a", "--variable", "firstName=Ann")
    assert code == 0
    assert answer["join_url"].startswith("http")
    assert served.stats["dials"] == 0
    with database.connect() as connection:
        rows = connection.execute(text("SELECT detail FROM operations WHERE action <> 'migrate' ORDER BY id")).scalars()
        on_record = list(rows)
    assert on_record == ["asked", f"done: {answer['provider_call_id']}"]


def test_a_web_call_may_bring_its_whole_assistant(ringfence: Any, tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text("assistant: {inline: {name: Quick Test, firstMessage: Hello!}}\n")
    assert ringfence("calls", "web", "--assistant-file", "quick.yaml")[0] == 0


def test_a_private_key_is_not_the_public_one(
    ringfence: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Any
) -> None:
    monkeypatch.setenv("VAPI_PUBLIC_KEY", "simulator")
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text() + 'publicKeyEnv = "VAPI_PUBLIC_KEY"\n')
    served.on_loop(lambda: served.simulator.simulation.change({"api_key": "simulator"}))
    code, answer = ringfence("calls", "web", "--assistant", "a")
    assert code == 2
    assert "public key" in json.dumps(answer)
