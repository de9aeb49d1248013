"""`ringfence consent`: lists of consents taken over, shown, and taken back."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from campaigns.cli import consent_commands
from campaigns.cli.main import run
from campaigns.services import consent as consent_service

Shell = Callable[..., tuple[int, dict[str, Any]]]
ANN, BEN = "+12125550101", "+12125550102"
HEADER = "number,level,obtainedAt,source,seller"
PROOF = 'pewc,2026-09-01T12:00:00Z,form,"Example Energy, Inc."'
GOOD = f"{ANN},{PROOF}"


@pytest.fixture
def shell(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "RINGFENCE_OPERATOR": "tester",
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }.items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = run(["consent", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


def write(*rows: str, header: str = HEADER, name: str = "consents.csv") -> Path:
    path = Path(name)
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_a_list_goes_on_record_with_its_name_digest_and_rows(shell: Shell) -> None:
    path = write(f"{BEN},{PROOF}", GOOD)
    code, answer = shell("import", "consents.csv")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (code, answer["rows"], answer["recorded"], answer["sha256"]) == (0, 2, 2, digest)
    _, shown = shell("show", ANN)
    (consent,) = shown["consents"]
    assert (consent["row_number"], consent["source_digest"]) == (2, digest)
    assert (consent["evidence"], consent["recorded_by"]) == ({"file": "consents.csv"}, "tester")


def test_the_same_list_again_adds_nothing(shell: Shell) -> None:
    write(GOOD, GOOD)
    assert (shell("import", "consents.csv")[1]["recorded"], shell("import", "consents.csv")[1]["known"]) == (1, 2)


def test_bad_rows_are_named_and_exported_and_the_good_ones_recorded(shell: Shell) -> None:
    write(f"{BEN},true,,,", GOOD, "=cmd,pewc,2026-09-01T12:00:00Z,form,X", '"unclosed')
    code, answer = shell("import", "consents.csv", "--rejects", "bad.csv")
    assert (code, answer["recorded"], answer["rejected"]) == (1, 1, 3)
    assert [each["row"] for each in answer["rejects"]] == [1, 3, 4]
    assert "a flag is no consent" in answer["rejects"][0]["message"]
    written = Path("bad.csv")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert (
        "1,consent_flag,obtainedAt and source missing: a flag is no consent, it needs its level, time and source"
        in (written.read_text().replace('"', ""))
    )
    assert "'=cmd" in written.read_text()


def test_no_number_stands_in_what_is_printed_of_bad_rows(shell: Shell) -> None:
    write(f"{BEN},true,,,")
    assert "555" not in json.dumps(shell("import", "consents.csv")[1])


def test_a_list_that_changes_while_it_is_read_is_not_taken_over(
    shell: Shell, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(GOOD)
    monkeypatch.setattr(consent_service, "digest_of", lambda path: "0" * 64)
    code, answer = shell("import", "consents.csv")
    assert code == 2
    assert "changed while it was read" in answer["errors"][0]["message"]
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM consents")).scalar_one() == 0


def test_headers_may_be_named_and_columns_that_nobody_reads_are_told(shell: Shell) -> None:
    write("212-555-0101,pec,2026-09-01T12:00:00Z,blue", header="phone,level,obtainedAt,favourite")
    code, answer = shell(
        "import", "consents.csv", "--column", "number=phone", "--seller", "Example", "--source", "paper form",
        "--default-region", "US",
    )  # fmt: skip
    assert (code, answer["recorded"], answer["unread_columns"]) == (0, 1, ["favourite"])


def test_a_jsonl_list_is_read_too(shell: Shell) -> None:
    row = {"number": ANN, "level": "pec", "obtainedAt": "2026-09-01T12:00:00Z", "source": "call", "seller": "Example"}
    Path("list.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {"source": None}) + "\n")
    code, answer = shell("import", "list.jsonl")
    assert (code, answer["recorded"], answer["rejected"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("header", "part"),
    [("number,level,obtainedAt,seller", "--column source=HEADER"), ("number;level", "comma"), ("", "header")],
)
def test_a_list_that_cannot_be_read_is_one_sentence(shell: Shell, header: str, part: str) -> None:
    write("x,y,z,w", header=header)
    code, answer = shell("import", "consents.csv")
    assert code == 2
    assert part in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "missing.csv"),
        ("import", "missing.csv", "--column", "phone"),
        ("show", "12"),
        ("revoke", ANN, "--scope", "some"),
        ("revoke", ANN, "--scope", "seller"),
        ("revoke", ANN, "--received-at", "yesterday"),
        ("revoke", ANN, "--default-region", "USA"),
        ("add", ANN, "--level", "pewc", "--obtained-at", "2126-01-01T00:00:00Z", "--source", "x", "--seller", "y"),
    ],
)
def test_mistakes_are_told_and_change_nothing(shell: Shell, arguments: tuple[str, ...], database: Engine) -> None:
    assert shell(*arguments)[0] == 2
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM revocations")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM consents")).scalar_one() == 0


def test_one_consent_is_added_once(shell: Shell) -> None:
    given = ("add", ANN, "--level", "pewc", "--obtained-at", "2026-09-01T00:00:00Z", "--source", "s", "--seller", "E")
    assert [shell(*given), shell(*given)] == [(0, {"added": True}), (0, {"added": False})]


def test_a_revocation_shows_both_instants_and_ends_consents_imported_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(consent_commands, "wait", lambda duration: waited.append(duration.total_seconds()))
    write(GOOD)
    shell("import", "consents.csv")
    code, revoked = shell("revoke", ANN, "--channel", "letter", "--words", "stop calling")
    assert (code, revoked["scope"], waited) == (0, "all", [1.0])
    assert revoked["effective_at"] <= revoked["returned_at"]
    write(GOOD, f"{ANN},{PROOF.replace('form', 'another copy of the form')}", name="again.csv")
    assert shell("import", "again.csv")[1]["recorded"] == 1
    _, shown = shell("show", ANN)
    assert [consent["ended_by"] for consent in shown["consents"]] == [revoked["revocation_id"]] * 2
    (revocation,) = shown["revocations"]
    assert (revocation["channel"], revocation["words"], revocation["recorded_by"]) == (
        "letter",
        "stop calling",
        "tester",
    )


def test_a_consent_given_since_stands(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_commands, "wait", lambda duration: None)
    shell("revoke", ANN, "--received-at", "2026-08-01T00:00:00Z")
    write(GOOD)
    shell("import", "consents.csv")
    assert shell("show", ANN)[1]["consents"][0]["ended_by"] is None


def test_a_persons_view(shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_commands, "wait", lambda duration: None)
    write(GOOD, "x,pewc,,,")
    assert run(["consent", "import", "consents.csv"]) == 1
    assert run(["consent", "revoke", ANN]) == 0
    told = capsys.readouterr().err
    assert "row 2:" in told
    assert "no request can leave" in told
    assert run(["consent", "show", ANN]) == 0
    shown = capsys.readouterr().out
    assert "taken back by revocation" in shown
    assert "sha256" in shown


def test_every_write_names_its_operator(shell: Shell, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_commands, "wait", lambda duration: None)
    write(GOOD)
    shell("import", "consents.csv")
    shell("revoke", ANN)
    with database.connect() as connection:
        found = connection.execute(text("SELECT operator, action, subject FROM operations ORDER BY id"))
        assert [tuple(row) for row in found] == [
            ("tester", "consent import", "consents.csv"),
            ("tester", "revoke", "revocation 1"),
        ]
