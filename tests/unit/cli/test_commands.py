"""The command line without any server: exit codes, and one JSON object last on stdout."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from campaigns.cli.main import run

CAMPAIGN = """
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {id: a-1, variables: {plan: "{plan}"}}
lines: {pool: [line-1]}
customers:
  file: customers.csv
  columns: {number: phone}
consent: {level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}
window: {earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}
"""
CUSTOMERS = "phone,plan\n+12125550100,Basic\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    (tmp_path / "spring.yaml").write_text(CAMPAIGN)
    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line of stdout, which has to be the only one that is JSON."""
    lines = capsys.readouterr().out.strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def test_a_sound_file_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "spring.yaml", "--json"]) == 0
    assert answer(capsys) == {"valid": True, "campaign": "spring", "warnings": []}


def test_every_mistake_is_shown_at_once_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "spring.yaml").write_text(CAMPAIGN.replace("telemarketing", "nonsense").replace("pewc", "maybe"))
    assert run(["validate", "spring.yaml", "--json"]) == 2
    errors = answer(capsys)["errors"]
    assert [error["path"] for error in errors] == ["purpose", "consent.level"]
    assert all(error["file"] == "spring.yaml" and error["line"] and error["column"] for error in errors)
    assert set(errors[0]) >= {"file", "line", "column", "path", "found", "allowed", "nearest"}


def test_a_key_without_effect_yet_is_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "spring.yaml").write_text(CAMPAIGN + "budget: {cost: 5.00}\n")
    assert run(["validate", "spring.yaml", "--json"]) == 0
    assert [warning["path"] for warning in answer(capsys)["warnings"]] == ["budget.cost"]


@pytest.mark.parametrize(
    ("customers", "sentence"),
    [
        (None, "customers.csv"),
        ("number,plan\n+12125550100,Basic\n", "phone"),
        ("phone;plan\n+12125550100;Basic\n", ";"),
        ("phone,name\n+12125550100,Ada\n", "plan"),
    ],
)
def test_a_customer_list_that_does_not_fit_is_one_clear_error(
    folder: Path, capsys: pytest.CaptureFixture[str], customers: str | None, sentence: str
) -> None:
    if customers is None:
        (folder / "customers.csv").unlink()
    else:
        (folder / "customers.csv").write_text(customers)
    assert run(["validate", "spring.yaml", "--json"]) == 2
    (error,) = answer(capsys)["errors"]
    assert error["file"] == "customers.csv"
    assert sentence in error["message"] + error["file"]


def test_a_variable_that_names_a_mapped_column_is_told_its_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = CAMPAIGN.replace("{plan}", "{who}").replace("{number: phone}", "{number: phone, name: who}")
    (folder / "spring.yaml").write_text(source)
    (folder / "customers.csv").write_text("phone,who\n+12125550100,Ada\n")
    assert run(["validate", "spring.yaml", "--json"]) == 2
    (error,) = answer(capsys)["errors"]
    assert (error["path"], error["nearest"]) == ("assistant.variables.plan", "name")


def test_a_file_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "autumn.yaml"]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert answer(capsys)["$schema"].startswith("https://json-schema.org/draft/2020-12")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["status", "--nonsense"],
        ["submit"],
        ["stop"],
        ["demo", "--customers", "many"],
        ["status", "--watch"],
    ],
)
def test_wrong_usage_is_exit_2_and_never_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert shown.out == ""
    assert "Traceback" not in shown.err


def test_wrong_usage_with_json_is_an_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--nonsense", "--json"]) == 2
    assert "--nonsense" in answer(capsys)["errors"][0]["message"]


def test_without_services_exit_4_and_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status"]) == 4
    assert "ringfence up" in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_exit_4_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/nowhere")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert run(["status"]) == 4
    shown = capsys.readouterr().err
    assert "Postgres does not answer" in shown
    assert "secret" not in shown
    assert len(shown.strip().splitlines()) == 1


def test_settings_with_mistakes_are_exit_2_with_all_of_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringfence.toml").write_text('[accounts.a]\nprovider = "vapy"\nsurprise = 1\n')
    assert run(["status", "--json"]) == 2
    assert len(answer(capsys)["errors"]) >= 2


@pytest.mark.parametrize("at", ["tomorrow", "2026-12-01T13:00:00"])
def test_the_demo_wants_an_instant_with_an_offset(folder: Path, capsys: pytest.CaptureFixture[str], at: str) -> None:
    assert run(["demo", "--at", at]) == 2
    assert "with its offset" in capsys.readouterr().err


def test_the_demo_does_not_touch_a_folder_with_something_in_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--keep", str(folder)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_the_demo_has_only_so_many_fictional_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--customers", "1000000"]) == 2
    assert "fictional numbers" in capsys.readouterr().err


def test_the_installed_command_names_every_command() -> None:
    command = [str(Path(sys.executable).with_name("ringfence")), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert shown.returncode == 0
    for name in ("demo", "up", "migrate", "simulator", "validate", "schema", "submit", "status"):
        assert f" {name} " in shown.stdout
    for name in ("pause", "resume", "cancel", "stop", "start"):
        assert f" {name} " in shown.stdout
