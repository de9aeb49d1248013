"""`ringfence numbers`: against a simulated account and a real database."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

TOKEN = "a-twilio-token"


def operations(database: Engine) -> list[tuple[str, str, str]]:
    with database.connect() as connection:
        rows = connection.execute(text("SELECT operator, action, detail FROM operations ORDER BY id"))
        return [(row.operator, row.action, row.detail) for row in rows if row.action.startswith("numbers")]


def imported(ringfence: Any, *options: str) -> str:
    code, answer = ringfence("numbers", "import", "telnyx", "--number", "+12025550144", "--credential", "c", *options)
    assert code == 0
    line: str = answer["id"]
    return line


def a_campaign(database: Engine, *, line: str, state: str = "active", run: str | None = "active") -> None:
    with database.begin() as connection:
        campaign = connection.execute(
            text("""
                INSERT INTO campaigns (name, account, webhook_token, lines, created_by, state)
                VALUES ('spring', 'sim', 'secret', ARRAY[:line], 'test', :state) RETURNING id
            """),
            {"line": line, "state": state},
        ).scalar_one()
        version = connection.execute(
            text("""
                INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                VALUES (:id, 1, 'd', '', '{}', 'test') RETURNING id
            """),
            {"id": campaign},
        ).scalar_one()
        if run:
            connection.execute(
                text("""
                    INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
                    VALUES (:id, :version, '2026-12-01', '2026-12-12', :state)
                """),
                {"id": campaign, "version": version, "state": run},
            )


def test_a_number_is_bought_listed_shown_and_given_up(ringfence: Any, database: Engine) -> None:
    code, bought = ringfence("numbers", "buy", "--area-code", "415", "--name", "Main Support Line", "--assistant", "a")
    assert (code, bought["done"], bought["source"], bought["assistant_id"]) == (0, "bought", "vapi", "a")
    _, listed = ringfence("numbers", "list")
    assert bought["id"] in [number["id"] for number in listed["numbers"]]
    code, shown = ringfence("numbers", "show", bought["id"])
    assert (code, shown["name"]) == (0, "Main Support Line")
    assert ringfence("numbers", "delete", bought["id"], "--yes") == (0, {"id": bought["id"], "deleted": True})
    assert ringfence("numbers", "show", bought["id"])[0] == 2
    assert operations(database) == [
        ("tester", "numbers buy", "asked"),
        ("tester", "numbers buy", f"done: {bought['id']}"),
        ("tester", "numbers delete", "asked"),
        ("tester", "numbers delete", "done"),
    ]


def test_a_twilio_number_comes_with_a_secret_that_is_read_and_never_shown(
    ringfence: Any, database: Engine, monkeypatch: pytest.MonkeyPatch, served: Any
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    options = ["--number", "+12025550141", "--account-sid", "AC1", "--auth-token-env", "TWILIO_AUTH_TOKEN"]
    code, answer = ringfence("numbers", "import", "twilio", *options)
    assert (code, answer["source"], answer["number"]) == (0, "twilio", "+12025550141")
    said = json.dumps(answer) + ringfence.said + repr(operations(database)) + ringfence.plainly("numbers", "list")[1]
    assert TOKEN not in said


def test_a_secret_may_come_from_a_file(ringfence: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    options = ["--number", "+12025550141", "--account-sid", "AC1", "--auth-token-file", "token"]
    assert ringfence("numbers", "import", "twilio", *options)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "twillio", "--number", "+12025550141"], "allowed are twilio, vonage, telnyx, byo"),
        (["import", "vapi"], "numbers buy"),
        (["import", "telnyx", "--number", "2025550141", "--credential", "c"], "with + and country code"),
        (["import", "telnyx", "--number", "+12025550141"], "telnyx needs a credential id; nothing was sent"),
        (["import", "twilio", "--number", "+12025550141", "--account-sid", "AC1"], "either an auth token or an API"),
        (
            ["import", "twilio", "--number", "+12025550141", "--account-sid", "AC1", "--auth-token-env", "NOT_SET"],
            "NOT_SET: this variable is empty or not set",
        ),
        (
            ["import", "twilio", "--account-sid", "AC1", "--auth-token-file", "nowhere"],
            "nowhere: it cannot be read (No such file or directory)",
        ),
        (["buy", "--area-code", "41"], "three digits"),
        (["buy", "--assistant", "a", "--squad", "s"], "give one of them"),
        (["buy", "--account", "simm"], "sim"),
        (["update", "pn-1"], "nothing to change"),
        (["update", "pn-1", "--reports-to", "nothing"], "there is no campaign"),
        (["assign", "pn-1"], "say who"),
        (["hooks", "pn-1"], "give one of them; found 0"),
        (["hooks", "pn-1", "--say", "x", "--clear"], "found 2"),
        (["hooks", "pn-1", "--say", "x", "--on", "noon"], "allowed are ringing, ending"),
        (["hooks", "pn-1", "--transfer", "5550100"], "--transfer"),
        (["hooks", "pn-1", "--file", "nowhere.json"], "cannot be read"),
        (["delete", "pn-1"], "say --yes"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    ringfence: Any, arguments: list[str], said: str, served: Any
) -> None:
    code, answer = ringfence("numbers", *arguments)
    assert code == 2
    assert said in json.dumps(answer["errors"])


def test_who_answers_and_the_name_can_be_changed(ringfence: Any) -> None:
    line = imported(ringfence)
    assert ringfence("numbers", "assign", line, "--squad", "s-1")[1]["squad_id"] == "s-1"
    assert ringfence("numbers", "update", line, "--name", "Updated Name")[1]["name"] == "Updated Name"


def test_two_who_answer_are_warned_of(ringfence: Any) -> None:
    line = imported(ringfence, "--assistant", "a")
    ringfence("numbers", "assign", line, "--squad", "s-1")
    assert "more than one is assigned" in ringfence.said


def test_hooks_are_set_read_from_a_file_and_cleared(ringfence: Any, tmp_path: Path) -> None:
    line = imported(ringfence)
    hold = {"on": "call.ringing", "do": [{"type": "say", "exact": "Please hold while we connect you."}]}
    _, answer = ringfence("numbers", "hooks", line, "--say", "Please hold while we connect you.")
    assert answer["hooks"] == [hold]
    (tmp_path / "hooks.json").write_text(json.dumps({"hooks": [hold]}))
    assert ringfence("numbers", "hooks", line, "--file", "hooks.json")[1]["hooks"] == [hold]
    _, answer = ringfence("numbers", "hooks", line, "--transfer", "+1 202 555 0199", "--on", "ending")
    assert answer["hooks"][0]["do"]["destination"] == {"type": "number", "number": "+12025550199"}
    assert ringfence("numbers", "hooks", line, "--clear")[1]["hooks"] == []


def test_calls_to_a_number_can_be_reported_to_a_campaign(ringfence: Any, database: Engine, served: Any) -> None:
    line = imported(ringfence)
    a_campaign(database, line=line)
    code, answer = ringfence("numbers", "update", line, "--reports-to", "spring")
    assert code == 0
    assert "secret" not in json.dumps(answer) + ringfence.said


@pytest.mark.parametrize(
    ("state", "run", "used"),
    [
        ("active", "active", True),
        ("paused", "active", True),
        ("active", "expanding", True),
        ("active", "finished", False),
        ("cancelled", "active", False),
        ("active", None, False),
    ],
)
def test_a_line_is_given_up_only_when_no_campaign_uses_it(
    ringfence: Any, database: Engine, *, state: str, run: str | None, used: bool
) -> None:
    line = imported(ringfence)
    a_campaign(database, line=line, state=state, run=run)
    code, answer = ringfence("numbers", "delete", line, "--yes")
    assert code == (3 if used else 0)
    if used:
        assert "used by spring" in json.dumps(answer)
        assert ringfence("numbers", "show", line)[0] == 0
        assert ringfence("numbers", "delete", line, "--yes", "--force")[0] == 0
        assert operations(database)[-1][2] == "done, although used by spring"


def test_a_provider_that_is_away_is_exit_code_4_and_on_record(
    ringfence: Any, database: Engine, tmp_path: Path, served: Any
) -> None:
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text().replace(served.url, "http://127.0.0.1:1"))
    code, answer = ringfence("numbers", "buy")
    assert code == 4
    assert "nothing was sent" in json.dumps(answer)
    assert [row[2].split(":")[0] for row in operations(database)] == ["asked", "not done"]
    assert ringfence("numbers", "list")[0] == 4


def test_a_key_that_is_not_accepted_says_where_to_look(
    ringfence: Any, monkeypatch: pytest.MonkeyPatch, served: Any
) -> None:
    served.on_loop(lambda: served.simulator.simulation.change({"api_key": "another"}))
    code, answer = ringfence("numbers", "buy")
    assert code == 2
    assert "account's key" in json.dumps(answer)


@pytest.mark.parametrize(("provider", "extra"), [("cognigy", 'accountSid = "s"\n'), ("voxworks", "")])
def test_a_provider_without_an_api_for_numbers_says_where_they_are(
    ringfence: Any, tmp_path: Path, provider: str, extra: str
) -> None:
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text().replace('provider = "vapi"\n', f'provider = "{provider}"\n{extra}'))
    code, answer = ringfence("numbers", "list")
    assert code == 3
    assert "portal" in json.dumps(answer)


def test_a_persons_view(ringfence: Any) -> None:
    assert "has no numbers" in ringfence.plainly("numbers", "list")[1]
    line = imported(ringfence, "--name", "Main [line]")
    code, said = ringfence.plainly("numbers", "list")
    assert code == 0
    assert "Main [line]" in said
    assert "+12025550144" in ringfence.plainly("numbers", "show", line)[1]
    code, said = ringfence.plainly("numbers", "hooks", line, "--transfer", "sip:desk@example.com", "--on", "ending")
    assert (code, "call.ending: pass on to sip:desk@example.com" in said) == (0, True)
    assert "1 hook set" in ringfence.plainly("numbers", "hooks", line, "--say", "Hello")[1]


def test_of_several_accounts_one_has_to_be_named(ringfence: Any, tmp_path: Path) -> None:
    settings = tmp_path / "ringfence.toml"
    text_of_one = settings.read_text()
    settings.write_text(
        text_of_one + text_of_one[text_of_one.index("[accounts") :].replace("accounts.sim", "accounts.b")
    )
    assert "b, sim" in json.dumps(ringfence("numbers", "list")[1])
    assert ringfence("numbers", "list", "--account", "sim")[0] == 0
