"""`ringfence suppress` on a real Postgres: what it changes, what it prints, how it ends."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from campaigns.cli import session, suppress_commands
from campaigns.cli.main import run

NUMBER = "+12125550123"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


class Shell:
    """Runs commands; keeps the exit code and the one JSON object."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self._capsys.readouterr()
        code = run(["suppress", *arguments, "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def said(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and what a person reads."""
        self._capsys.readouterr()
        code = run(["suppress", *arguments])
        captured = self._capsys.readouterr()
        return code, captured.out + captured.err


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """The waits that a command took; none of them really passes."""
    waits: list[timedelta] = []
    monkeypatch.setattr(suppress_commands, "wait", waits.append)
    return waits


@pytest.fixture
def folder(tmp_path: Path, database_url: str, waited: list[timedelta], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RINGFENCE_OPERATOR", "ann")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    return tmp_path


@pytest.fixture
def shell(folder: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def operations(database: Engine) -> list[Any]:
    with database.begin() as connection:
        return list(connection.execute(text("SELECT operator, action, subject, detail FROM operations ORDER BY id")))


def test_an_added_number_is_on_the_list_once_and_the_command_waits_out_every_permit(
    shell: Shell, database: Engine, waited: list[timedelta]
) -> None:
    assert shell("add", NUMBER, "(212) 555-0124", "--source", "letter") == (
        0,
        {
            "list": "internal",
            "scope": "all",
            "scope_value": None,
            "numbers": 2,
            "added": 2,
            "expires_at": None,
            "warnings": [],
        },
    )
    assert waited == [timedelta(seconds=1)]
    assert shell("add", NUMBER)[1]["added"] == 0
    assert operations(database) == [("ann", "suppress", "internal", "2 numbers from letter")]


def test_check_names_every_list_that_has_the_number(shell: Shell) -> None:
    shell("add", NUMBER, "--list", "litigator:Example Watch")
    shell("add", NUMBER, "--scope", "seller:Example Energy, Inc.", "--expires", "2099-01-01")
    shell("add", NUMBER, "--list", "campaign:spring")
    shell("add", NUMBER, "--list", "us-fl")
    code, found = shell("check", NUMBER)
    assert (code, found["listed"], found["national"]["state"]) == (0, True, "missing")
    assert [(each["list"], each["scope"], each["scope_value"]) for each in found["entries"]] == [
        ("litigator:Example Watch", "all", None),
        ("internal", "seller", "Example Energy, Inc."),
        ("campaign:spring", "campaign", "spring"),
        ("US-FL", "all", None),
    ]
    assert found["entries"][1]["expires_at"] == "2099-01-02T12:00:00+00:00", "a date ends last on earth"
    assert shell("check", "+12125550199")[1]["listed"] is False


def test_leaving_the_internal_list_needs_a_reason_which_is_kept(shell: Shell, database: Engine) -> None:
    shell("add", NUMBER)
    code, answer = shell("remove", NUMBER)
    assert code == 3
    assert "--reason" in answer["errors"][0]["message"]
    assert shell("check", NUMBER)[1]["listed"]
    assert shell("remove", NUMBER, "--reason", "asked by letter of 3 May")[1]["removed"] == 1
    assert not shell("check", NUMBER)[1]["listed"]
    with database.begin() as connection:
        rows = connection.execute(text("SELECT removed_by, note FROM suppressions")).all()
    assert [tuple(row) for row in rows] == [("ann", "removed: asked by letter of 3 May")]
    assert operations(database)[-1] == (
        "ann",
        "suppress remove",
        "internal",
        "1 numbers: asked by letter of 3 May",
    )


def test_the_reason_of_a_removal_stands_behind_what_the_entry_said_before(shell: Shell, database: Engine) -> None:
    shell("add", NUMBER)
    with database.begin() as connection:
        connection.execute(text("UPDATE suppressions SET note = 'pressed 9'"))
    shell("remove", NUMBER, "--reason", "asked by letter")
    with database.begin() as connection:
        assert connection.execute(text("SELECT note FROM suppressions")).scalar_one() == (
            "pressed 9; removed: asked by letter"
        )


def test_a_seller_that_nobody_calls_for_is_added_with_a_warning_and_the_nearest_known(shell: Shell) -> None:
    consent = ("--level", "pewc", "--obtained-at", "2026-09-01T12:00:00Z", "--source", "form", "--seller", "Acme Power")
    assert run(["consent", "add", NUMBER, *consent]) == 0
    code, answer = shell("add", NUMBER, "--scope", "seller:Acme Powr")
    assert (code, answer["added"]) == (0, 1)
    (warning,) = answer["warnings"]
    assert "'Acme Powr'" in warning
    assert "did you mean 'Acme Power'?" in warning
    assert shell("add", NUMBER, "--scope", "seller:Acme Power")[1]["warnings"] == []
    assert "warning: no campaign and no consent names the seller" in shell.said(
        "add", NUMBER, "--scope", "seller:Nobody"
    )[1].replace("\n", " ")


def test_other_lists_are_left_without_a_reason_and_an_absent_number_is_said_to_be(shell: Shell) -> None:
    shell("add", NUMBER, "--list", "litigator")
    assert shell("remove", NUMBER, "+12125550199", "--list", "litigator") == (
        0,
        {"list": "litigator", "scope": "all", "scope_value": None, "numbers": 2, "removed": 1},
    )


def test_an_entry_that_is_renewed_for_longer_takes_the_place_of_the_shorter(shell: Shell) -> None:
    shell("add", NUMBER, "--expires", "2090-01-01")
    assert shell("add", NUMBER, "--expires", "2080-01-01")[1]["added"] == 0
    assert shell("add", NUMBER)[1]["added"] == 1
    assert [each["expires_at"] for each in shell("check", NUMBER)[1]["entries"]] == [None]
    assert shell("add", NUMBER, "--expires", "2090-01-01")[1]["added"] == 0


def test_an_expired_entry_stops_nobody(shell: Shell, database: Engine) -> None:
    shell("add", NUMBER, "--expires", "2099-01-01")
    with database.begin() as connection:
        connection.execute(text("UPDATE suppressions SET expires_at = now() - interval '1 second'"))
    assert not shell("check", NUMBER)[1]["listed"]
    assert shell("add", NUMBER)[1]["added"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "123", NUMBER), "number 1"),
        (("add", NUMBER, "--list", "nationl"), "did you mean national"),
        (("add", NUMBER, "--list", "national"), "changes only as a whole"),
        (("add", NUMBER, "--list", "US-ZZ"), "no such list"),
        (("add", NUMBER, "--scope", "everybody"), "write all, seller:NAME"),
        (("add", NUMBER, "--list", "seller:A", "--scope", "all"), "leave --scope out"),
        (("add", NUMBER, "--expires", "2001-01-01"), "has passed"),
        (("add", NUMBER, "--expires", "tomorrow"), "write a date"),
        (("add", NUMBER, "--expires", "2099-01-01T10:00:00"), "offset"),
        (("import", "list.txt", "--list", "national"), "--obtained-at"),
        (("import", "list.txt", "--list", "US-FL"), "--obtained-at"),
        (("import", "gone.txt", "--list", "internal"), "no such file"),
        (("import", "list.txt", "--list", "internal", "--area-codes", "212"), "no meaning"),
        (("import", "list.txt", "--list", "national", "--obtained-at", YESTERDAY, "--column", "a"), "no meaning"),
        (("import", "list.txt", "--list", "national", "--obtained-at", YESTERDAY, "--area-codes", "12"), "area code"),
        (("import", "list.csv", "--list", "internal", "--column", "fone"), "phone"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_changes_nothing(
    shell: Shell, folder: Path, database: Engine, arguments: tuple[str, ...], words: str
) -> None:
    (folder / "list.txt").write_text("212,5550123\n")
    (folder / "list.csv").write_text("phone,name\n2125550123,Ann\n")
    code, answer = shell(*arguments)
    assert code == 2
    assert words in answer["errors"][0]["message"]
    assert NUMBER not in json.dumps(answer)
    assert operations(database) == []


def test_the_national_registry_is_imported_once_and_says_what_it_covers(
    shell: Shell, folder: Path, database: Engine
) -> None:
    (folder / "212.txt").write_text("212,5550123\n212,5550124\n")
    (folder / "646.txt").write_text("646,5550199\n")
    arguments = ("import", "212.txt", "646.txt", "--list", "national", "--obtained-at", YESTERDAY)
    code, imported = shell(*arguments, "--subscription", "12345-6789")
    assert (code, imported["changed"], imported["numbers"], imported["area_codes"]) == (0, True, 3, ["212", "646"])
    assert shell(*arguments)[1]["changed"] is False
    assert shell("check", NUMBER)[1]["national"] == {"state": "read", "covered": True, "listed": True, "age_days": 1}
    assert shell("check", "+13055550123")[1]["national"]["covered"] is False
    code, found = shell("lists")
    (national,) = found["lists"]
    assert (national["numbers"], national["subscription"], national["stale"]) == (3, "12345-6789", False)
    assert "US-FL" in found["missing_state_lists"]
    assert [row[1:3] for row in operations(database)] == [("suppress import", "national")]


def test_lines_that_are_no_numbers_end_the_import_with_a_warning_and_where_they_stand(
    shell: Shell, folder: Path
) -> None:
    (folder / "list.txt").write_text("number\n2125550123\nnot a number\n\n(212) 555-0124\n")
    code, imported = shell("import", "list.txt", "--list", "internal")
    assert (code, imported["added"], imported["rejects"]["count"]) == (1, 2, 1)
    (reject,) = imported["rejects"]["first"]
    assert (reject["file"], reject["line"]) == ("list.txt", 3)


def test_a_csv_with_more_columns_is_read_by_the_one_that_is_named(shell: Shell, folder: Path) -> None:
    (folder / "list.csv").write_text("name,phone\nAnn,212-555-0123\nBob,+442079460958\n")
    code, imported = shell("import", "list.csv", "--list", "litigator", "--column", "phone", "--source", "vendor")
    assert (code, imported["added"], imported["rejects"]["count"]) == (0, 2, 0)
    assert shell("check", "+442079460958")[1]["entries"][0]["source"] == "vendor"


def test_people_read_sentences(shell: Shell, folder: Path) -> None:
    (folder / "list.txt").write_text("212,5550123\n")
    shell("add", NUMBER)
    assert (
        "nothing was changed"
        in shell.said("import", "list.txt", "--list", "national", "--obtained-at", "2099-01-01")[1]
    )
    assert "no version was imported" in shell.said("check", NUMBER)[1]
    assert (
        "1 numbers of 1 area codes are in force"
        in shell.said("import", "list.txt", "--list", "national", "--obtained-at", YESTERDAY)[1]
    )
    assert "US-TX" in shell.said("lists")[1]
    assert "internal: 1 removed" in shell.said("remove", NUMBER, "--reason", "wrong number")[1]


def test_the_real_wait_is_the_sessions(shell: Shell) -> None:
    assert session.wait is not suppress_commands.wait, "the fixture took it away"
