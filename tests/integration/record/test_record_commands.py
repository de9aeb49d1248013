"""`audit`, `explain` and `why` on a real Postgres: what they print, and how they end."""

import json

import pytest
from sqlalchemy import text

from campaigns.cli.main import run
from campaigns.files.ledger_heads import HeadsFile
from campaigns.services.seal import Seal


@pytest.fixture
def shell(tmp_path, database_url, valkey_url, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "RINGFENCE_OPERATOR": "auditor",
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
    }.items():
        monkeypatch.setenv(name, value)

    def call(*arguments):
        capsys.readouterr()
        code = run([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def test_an_intact_record_ends_with_0_and_says_what_it_cannot_prove(shell, ledger):
    ledger.decide(3)
    Seal(ledger.database).run()
    ledger.decide(2)
    code, answer = shell("audit", "verify")

    assert (code, answer["intact"], answer["sealed"], answer["unsealed"]) == (0, True, 3, 2)
    assert answer["oldest_unsealed_seconds"] >= 0
    assert "head exported earlier" in answer["limits"]


def test_a_changed_record_ends_with_1_and_names_the_place(shell, ledger):
    ledger.decide(3)
    Seal(ledger.database).run()
    ledger.tamper("UPDATE decisions SET rule_id = 'HOURS-UT' WHERE id = 3")
    code, answer = shell("audit", "verify")

    assert (code, answer["intact"], answer["problem_count"]) == (1, False, 1)
    assert (answer["problems"][0]["kind"], answer["problems"][0]["decision_id"]) == ("decision_altered", 3)


def test_an_exported_head_finds_what_was_cut_off(shell, ledger, tmp_path):
    ledger.decide(3)
    Seal(ledger.database).run()
    code, head = shell("audit", "head", "--to", str(tmp_path / "heads.jsonl"))
    assert (code, head["seq"]) == (0, 3)
    assert shell("audit", "verify", "--head", str(tmp_path / "heads.jsonl"))[1]["anchors"] == 1

    ledger.tamper("DELETE FROM ledger WHERE seq = 3")
    ledger.tamper("DELETE FROM decisions WHERE id = 3")
    assert shell("audit", "verify")[0] == 0
    code, answer = shell("audit", "verify", "--head", str(tmp_path / "heads.jsonl"))
    assert (code, answer["problems"][0]["kind"]) == (1, "truncated")


def test_without_a_file_the_heads_that_the_sealer_wrote_here_are_used_and_said_to_be_local(shell, ledger, tmp_path):
    ledger.decide(3)
    Seal(ledger.database, HeadsFile(tmp_path / "ledger-heads.jsonl")).run()
    code, answer = shell("audit", "verify")
    assert (code, answer["anchors"]) == (0, 1)
    assert "on this machine" in answer["limits"]
    assert (
        "on this machine" not in shell("audit", "verify", "--head", str(tmp_path / "ledger-heads.jsonl"))[1]["limits"]
    )

    ledger.tamper("DELETE FROM ledger WHERE seq = 3")
    ledger.tamper("DELETE FROM decisions WHERE id = 3")
    code, answer = shell("audit", "verify")
    assert (code, answer["problems"][0]["kind"]) == (1, "truncated")


def test_who_exported_a_head_is_on_record(shell, ledger, tmp_path):
    ledger.decide()
    Seal(ledger.database).run()
    shell("audit", "head", "--to", str(tmp_path / "heads.jsonl"))
    with ledger.database.begin() as connection:
        found = connection.execute(text("SELECT operator, action FROM operations")).all()

    assert [tuple(row) for row in found] == [("auditor", "audit head")]


def test_a_file_that_holds_no_head_is_refused_with_its_line(shell, tmp_path):
    (tmp_path / "heads.jsonl").write_text("\nnonsense\n")
    code, answer = shell("audit", "verify", "--head", str(tmp_path / "heads.jsonl"))

    assert (code, answer["errors"][0]["line"]) == (2, 2)


def test_nothing_sealed_has_no_head(shell):
    assert shell("audit", "head")[0] == 1


def test_a_head_that_cannot_be_written_is_refused(shell, ledger, tmp_path):
    ledger.decide()
    Seal(ledger.database).run()

    assert shell("audit", "head", "--to", str(tmp_path))[0] == 2


def test_a_number_is_explained_however_it_is_written(shell, ledger):
    with ledger.database.begin() as connection:
        connection.execute(
            text("""INSERT INTO suppressions (number, list_name, source, added_by)
                VALUES ('+12125550100', 'internal', 'letter', 'ann')""")
        )
    code, answer = shell("explain", "(212) 555-0100")

    assert (code, answer["number"], answer["events"][0]["kind"]) == (0, "+12125550100", "suppressed")


def test_a_text_that_is_no_number_is_refused(shell):
    code, answer = shell("explain", "nobody")

    assert code == 2
    assert "letters" in answer["errors"][0]["message"]


def test_why_takes_a_name_or_a_number(shell):
    assert shell("why", "+12125550100")[1]["answer"] == "no call to this number is known"
    code, answer = shell("why", "spring")
    assert code == 2
    assert "no campaign" in answer["errors"][0]["message"]


def test_each_has_a_form_for_people(shell, ledger, capsys):
    ledger.decide(2)
    Seal(ledger.database).run()
    ledger.tamper("UPDATE decisions SET rule_id = 'HOURS-UT' WHERE id = 1")
    capsys.readouterr()

    assert [run(["audit", "verify"]), run(["audit", "head"]), run(["explain", "+12125550100"])] == [1, 0, 0]
    told = capsys.readouterr().out
    assert "NOT intact" in told
    assert "decision 1 is not what was sealed in row 1" in told
    assert "nothing is on record" in told
