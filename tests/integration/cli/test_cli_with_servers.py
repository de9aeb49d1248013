"""The commands on a real Postgres: what they change, what they print, how they end."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, text

from campaigns.cli.main import run

SETTINGS = """
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0
"""
CAMPAIGN = """
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {id: a-1}
lines: {pool: [line-1]}
customers: {list: [{number: "+12125550100"}]}
consent: {level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}
window: {earliestAt: 2030-12-01T08:00:00-05:00, latestAt: 2030-12-12T20:00:00-05:00}
"""


class Shell:
    """Runs commands; keeps the exit code and the one JSON object."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self._capsys.readouterr()
        code = run([*arguments, "--json"])
        return code, json.loads(self._capsys.readouterr().out)


@pytest.fixture
def folder(
    tmp_path: Path, database_url: str, valkey_url: str, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "RINGFENCE_OPERATOR": "tester",
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "ringfence.toml").write_text(SETTINGS)
    (tmp_path / "spring.yaml").write_text(CAMPAIGN)
    return tmp_path


@pytest.fixture
def shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    shell = Shell(capsys)
    assert shell("migrate") == (0, {"migrated": True, "accounts": ["sim"]})
    return shell


def test_a_file_is_submitted_once_however_often_it_is_given(shell: Shell, valkey: redis.Redis) -> None:
    code, first = shell("submit", "spring.yaml")
    assert (code, first["campaign"], first["created"]) == (0, "spring", True)
    code, again = shell("submit", "spring.yaml")
    assert (code, again["created"], again["run"]) == (0, False, first["run"])
    assert valkey.llen("control") >= 1, "the workers were told"


def test_a_changed_file_under_the_same_name_is_refused_with_the_difference(shell: Shell, folder: Path) -> None:
    shell("submit", "spring.yaml")
    (folder / "spring.yaml").write_text(CAMPAIGN.replace("Example Energy", "Another Energy"))
    code, answer = shell("submit", "spring.yaml")
    assert code == 3
    assert "seller" in answer["errors"][0]["found"]


def test_keys_without_effect_yet_are_refused_by_name(shell: Shell, folder: Path, database: Engine) -> None:
    (folder / "spring.yaml").write_text(CAMPAIGN + "budget: {cost: 5.00}\n")
    code, answer = shell("submit", "spring.yaml")
    assert (code, [error["path"] for error in answer["errors"]]) == (3, ["budget.cost"])
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM campaigns")).scalar_one() == 0


def test_an_unknown_account_is_refused_with_those_there_are(shell: Shell, folder: Path) -> None:
    (folder / "spring.yaml").write_text(CAMPAIGN.replace("account: sim", "account: sum"))
    code, answer = shell("submit", "spring.yaml")
    assert (code, answer["errors"][0]["allowed"], answer["errors"][0]["nearest"]) == (3, "sim", "sim")


def test_a_broker_that_is_away_does_not_undo_a_submit(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    code, answer = shell("submit", "spring.yaml")
    assert (code, answer["created"]) == (0, True)


def test_the_switches_of_a_campaign_and_who_threw_them(shell: Shell, database: Engine) -> None:
    shell("submit", "spring.yaml")
    for command, state in (("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")):
        code, answer = shell(command, "spring")
        assert (code, answer["changed"]) == (0, True)
        assert shell("status", "spring")[1]["state"] == state
    assert shell("resume", "spring")[0] == 3
    with database.connect() as connection:
        operators = connection.execute(text("SELECT DISTINCT operator FROM operations")).scalars()
        assert set(operators) == {"tester"}


def test_stop_all_holds_everything_until_start(shell: Shell, database: Engine) -> None:
    shell("submit", "spring.yaml")
    assert shell("stop", "--all") == (
        0,
        {"subject": "all campaigns", "state": "stopped", "changed": True, "cancelled_calls": 0, "asked_back": 0},
    )
    assert "ringfence start" in shell("status", "spring")[1]["held_by"]
    assert shell("start")[1]["changed"] is True
    assert shell("status", "spring")[1]["held_by"] is None


def test_stop_without_all_changes_nothing(shell: Shell, database: Engine) -> None:
    assert shell("stop")[0] == 2
    with database.connect() as connection:
        assert connection.execute(text("SELECT stopped FROM system")).scalar_one() is False


@pytest.mark.parametrize("command", ["pause", "resume", "cancel", "status"])
def test_an_unknown_campaign_is_exit_2_with_the_nearest_name(shell: Shell, command: str) -> None:
    shell("submit", "spring.yaml")
    code, answer = shell(command, "sprng")
    assert (code, answer["errors"][0]["nearest"]) == (2, "spring")


def test_status_of_everything(shell: Shell) -> None:
    assert shell("status") == (0, {"campaigns": []})
    shell("submit", "spring.yaml")
    _, answer = shell("status")
    assert [each["campaign"] for each in answer["campaigns"]] == ["spring"]


def test_a_persons_view_of_the_status(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell("submit", "spring.yaml")
    assert run(["status"]) == 0
    assert "spring" in capsys.readouterr().out
    assert run(["status", "spring"]) == 0
    assert "outcomes" in capsys.readouterr().out


def test_a_database_of_another_version_says_what_to_do(
    folder: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    assert run(["status"]) == 3
    assert "ringfence migrate" in capsys.readouterr().err
