"""One bad rule file stops dialing, at every door, with a sentence that says which file and what is wrong."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.cli.main import run
from campaigns.runtime import law
from campaigns.runtime.law import LAW_PROBLEMS, gatekeeper, warn_of_age
from campaigns.runtime.settings import load_settings
from campaigns.runtime.wiring import Runtime
from workers.lifecycle import warm


@pytest.fixture
def bad_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shipped rules, but Texas closes before it opens."""
    rules = tmp_path / "rules"
    shutil.copytree(law.RULES_FOLDER, rules)
    texas = rules / "us-tx.yaml"
    texas.write_text(texas.read_text().replace("weekday: '09:00-21:00'", "weekday: '21:00-09:00'", 1))
    monkeypatch.setattr(law, "RULES_FOLDER", rules)
    gatekeeper.cache_clear()
    yield rules
    gatekeeper.cache_clear()


@pytest.fixture
def home(tmp_path: Path, database_url: str, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {"RINGFENCE_HOME": str(tmp_path), "DATABASE_URL": database_url, "REDIS_URL": valkey_url}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def test_a_command_that_needs_the_rules_says_which_file_is_wrong(
    home: Path, bad_rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["migrate", "--json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["message"].startswith("us-tx.yaml: ")
    assert "hours must end after they begin" in error["message"]


def test_a_worker_does_not_start_and_says_why(home: Path, bad_rules: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(SystemExit) as stopped:
        warm()
    assert stopped.value.code == os.EX_CONFIG
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("rules_unsound nothing_is_dialed reason=us-tx.yaml: ")


def test_no_part_of_a_process_can_be_built_that_could_dial(home: Path, bad_rules: Path, database_url: str) -> None:
    settings = load_settings(os.environ, cwd=home)
    with pytest.raises(LAW_PROBLEMS):
        Runtime(settings, database_url=database_url, publisher=None)  # type: ignore[arg-type]  # never gets that far


PROGRAM = """
import sys
from pathlib import Path
from campaigns.runtime import law
law.RULES_FOLDER = Path(sys.argv.pop())
from celery.__main__ import main
sys.argv[0] = "celery"
main()
"""


def test_a_real_celery_worker_ends_by_itself(home: Path, bad_rules: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "-A", "workers.app", "worker", "-P", "threads", "-c", "1"]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "-Q", "dispatch", str(bad_rules)]
    ended = subprocess.run([*command, *quiet], capture_output=True, text=True, timeout=50, check=False, cwd=home)
    assert ended.returncode != 0
    assert "us-tx.yaml: " in ended.stdout + ended.stderr
    assert "worker_ready" not in ended.stdout + ended.stderr


def test_rule_files_that_want_a_review_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    rules = gatekeeper().rules
    with caplog.at_level(logging.WARNING):
        assert not warn_of_age(rules, now=datetime(2027, 3, 20, tzinfo=UTC))
        assert caplog.records == []
        assert warn_of_age(rules, now=datetime(2027, 3, 21, tzinfo=UTC))
    assert caplog.records[0].getMessage().startswith("rule_files_old as_of=2026-11-21 days=120 ")
