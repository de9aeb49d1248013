"""`calls create`: one call through the gate and the claim, followed to its end, against a simulated account."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from campaigns.cli import follow_calls
from campaigns.services import call_stories
from tests.integration.cli.attended import attended

ANN, BEN, CID = "+12125550101", "+12125550102", "+12125550103"
NOON, NIGHT = "2026-12-02T12:00:00-05:00", "2026-12-02T03:00:00-05:00"
SETTINGS = """
[accounts.sim]
provider = "vapi"
baseUrl = "{url}"
simulator = true
concurrency = 5
callsPerSecond = 100.0
webhooks = false
[accounts.vox]
provider = "voxworks"
baseUrl = "{url}"
simulator = true
concurrency = 5
callsPerSecond = 5.0
"""
CONSENT = ["--consent-level", "pewc", "--consent-at", "2026-09-01T00:00:00Z", "--consent-source", "form 7"]
OPTIONS = ["--account", "sim", "--line", "pn-1", "--assistant", "a-1", "--seller", "Example Energy, Inc."]


@pytest.fixture
def calls(ringfence: Any, served: Any, tmp_path: Path) -> Any:
    """The command, with calls that take a moment."""
    (tmp_path / "ringfence.toml").write_text(SETTINGS.format(url=served.url))
    assert ringfence("migrate")[0] == 0
    served.on_loop(lambda: served.simulator.simulation.change({"speed": 100_000.0}))
    return ringfence


def ends_as(served: Any, outcome: str) -> None:
    """Every call to Ann ends so."""
    served.on_loop(lambda: served.simulator.simulation.change({"scripted": {ANN: [outcome]}}))


def create(calls: Any, *more: str, to: str = ANN, at: str = NOON) -> tuple[int, dict[str, Any]]:
    with attended():
        return calls("calls", "create", *OPTIONS, "--to", to, "--rehearse-at", at, *CONSENT, *more)  # type: ignore[no-any-return]


def query(database: Engine, statement: str) -> list[Any]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def bodies(served: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = served.on_loop(
        lambda: [dict(call.request) for call in served.simulator.simulation.book.all(offset=0, limit=100)]
    )
    return found


# --- now -----------------------------------------------------------------------------------------------------------


def test_an_answered_call_is_exit_0_and_leaves_the_record_of_any_campaign(
    calls: Any, served: Any, database: Engine
) -> None:
    ends_as(served, "answered")
    code, answer = create(calls)
    assert (code, [call["standing"] for call in answer["calls"]]) == (0, ["answered"])
    assert answer["campaign"].startswith("call-")
    assert served.stats["creates"] == 1
    assert query(database, "SELECT state, requests FROM calls") == [("completed", 1)]
    assert query(database, "SELECT verdict FROM decisions") == [("permit",)]
    assert query(database, "SELECT operator, action, subject FROM operations") == [
        ("tester", "submit", answer["campaign"])
    ]


@pytest.mark.parametrize("outcome", ["no_answer", "busy"])
def test_a_person_who_is_not_reached_is_exit_1_and_not_tried_again(calls: Any, served: Any, outcome: str) -> None:
    ends_as(served, outcome)
    code, answer = create(calls)
    assert (code, answer["calls"][0]["sentence"]) == (1, f"not reached: {outcome}")
    assert served.stats["creates"] == 1


def test_what_the_gate_refuses_is_exit_3_with_the_rules_own_sentence_and_no_request(calls: Any, served: Any) -> None:
    code, answer = create(calls, "--consent-level", "pec")
    (call,) = answer["calls"]
    assert (code, call["standing"], call["rule"]) == (3, "refused", "CONSENT-PEWC")
    assert "no standing consent of level pewc" in call["sentence"]
    assert served.stats["creates"] == 0


def test_outside_the_hours_it_is_refused_with_the_local_time(calls: Any, served: Any) -> None:
    code, answer = create(calls, at=NIGHT)
    (call,) = answer["calls"]
    assert (code, call["standing"]) == (3, "refused")
    assert "03:0" in call["sentence"]
    assert "America/New_York" in call["sentence"]
    assert served.stats["creates"] == 0


def test_a_stopped_installation_refuses_at_once_and_writes_nothing(calls: Any, database: Engine) -> None:
    calls("stop", "--all")
    code, answer = create(calls)
    assert (code, "ringfence start" in answer["errors"][0]["message"]) == (3, True)
    assert query(database, "SELECT count(*) FROM campaigns") == [(0,)]


def test_the_same_key_makes_no_second_call_and_another_call_under_it_is_refused(calls: Any, served: Any) -> None:
    first, again = (create(calls, "--once", "invoice-7") for _ in range(2))
    assert (first[1]["created"], again[1]["created"]) == (True, False)
    assert first[1]["campaign"] == again[1]["campaign"]
    assert first[0] == again[0], "the same outcome is told"
    code, answer = create(calls, "--once", "invoice-7", to=BEN)
    assert (code, "--once" in answer["errors"][0]["message"]) == (3, True)
    assert served.stats["creates"] == 1


def test_what_the_options_say_reaches_the_provider(calls: Any, served: Any) -> None:
    create(calls, "--name", "Ann Example", "--variable", "plan=gold", "--max-duration", "5m", "--external-id", "row-7")
    (body,) = bodies(served)
    assert (body["assistantId"], body["phoneNumberId"]) == ("a-1", "pn-1")
    assert (body["customer"]["name"], body["customer"]["externalId"]) == ("Ann Example", "row-7")


def test_an_assistant_may_come_from_a_file(calls: Any, served: Any, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('assistant:\n  squadId: 12\n  metadata: {n: 5}\n  variables: {who: "{name}"}\n')
    options = [option for option in OPTIONS if option not in ("--assistant", "a-1")]
    with attended():
        calls("calls", "create", *options, "--to", ANN, "--assistant-file", "a.yaml", "--name", "Ann",
              "--rehearse-at", NOON, *CONSENT)  # fmt: skip
    (body,) = bodies(served)
    assert (body["squadId"], body["metadata"]["n"]) == ("12", 5)


def test_without_a_worker_it_says_how_to_start_one_and_withdraws_the_call_when_asked(
    calls: Any, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_stories, "STARVED_AFTER", timedelta(0))
    code, output = calls.plainly(
        "calls", "create", *OPTIONS, "--to", ANN, "--rehearse-at", NOON, *CONSENT, "--withdraw-after", "0s"
    )
    assert code == 4
    assert "ringfence up" in output
    assert "nothing was dialed" in output
    assert query(database, "SELECT state FROM campaigns") == [("cancelled",)]


def test_an_interrupted_command_leaves_the_call_and_says_how_to_look(
    calls: Any, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: timedelta) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follow_calls, "wait", interrupt)
    code, output = calls.plainly("calls", "create", *OPTIONS, "--to", ANN, "--rehearse-at", NOON, *CONSENT)
    assert (code, "ringfence status call-" in output, "ringfence cancel call-" in output) == (130, True, True)
    assert query(database, "SELECT state FROM campaigns") == [("active",)]


def test_an_interrupt_that_arrives_in_a_destructor_is_not_lost(
    calls: Any, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python drops an exception that is raised there, and an engine's connections die all the time."""

    class Doomed:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(follow_calls, "wait", lambda _: Doomed() and None)
    code, output = calls.plainly("calls", "create", *OPTIONS, "--to", ANN, "--rehearse-at", NOON, *CONSENT)
    assert (code, "goes on without you" in output) == (130, True)
    assert query(database, "SELECT state FROM campaigns") == [("active",)]


def test_a_provider_that_cannot_be_reached_is_told_as_that_and_not_as_a_refusal(
    calls: Any, served: Any, tmp_path: Path
) -> None:
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text().replace(served.url, "http://127.0.0.1:1"))
    code, answer = create(calls, "--within", "1s")
    (call,) = answer["calls"]
    assert (code, call["standing"]) == (1, "not_dialed")
    assert "no connection to the provider" in call["sentence"]


def test_without_waiting_it_only_submits(calls: Any, database: Engine) -> None:
    code, answer = calls("calls", "create", *OPTIONS, "--to", ANN, *CONSENT, "--no-wait")
    assert (code, answer["created"], answer["calls"]) == (0, True, [])
    assert query(database, "SELECT state FROM runs") == [("expanding",)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--to", "12"], "--to"),
        (["--to", ANN, "--batch", "people.csv"], "--batch goes with --at"),
        ([], "--to NUMBER and --batch FILE"),
        (["--to", ANN, "--until", NOON], "--until goes with --at"),
        (["--to", ANN, "--assistant-file", "a.yaml"], "--assistant ID and --assistant-file FILE"),
        (["--to", ANN, "--variable", "plan"], "--variable"),
        (["--to", ANN, "--consent-level", "pewc"], "--consent-at"),
        (["--to", ANN, *CONSENT, "--consent-level", "written"], "--consent-level"),
        (["--to", ANN, "--state", "XX", "--timezone", "Moon/Sea"], "--timezone"),
        (["--to", ANN, "--within", "3 days"], "--within"),
        (["--to", ANN, "--within", "30d"], "--within"),
        (["--to", ANN, "--within", "0s"], "found 0s"),
        (["--to", ANN, "--withdraw-after", "soon"], "--withdraw-after"),
        (["--at", NOON, "--batch", "nobody.csv"], "--batch: nobody.csv: there is no such file; check"),
        (["--to", ANN, "--purpose", "sales"], "--purpose"),
        (["--to", ANN, "--at", NOON, "--rehearse-at", NOON], "--rehearse-at"),
        (["--to", ANN, "--account", "sum"], "sum"),
    ],
)
def test_a_mistaken_option_is_exit_2_with_a_sentence_and_without_the_number(
    calls: Any, database: Engine, options: list[str], says: str
) -> None:
    code, answer = calls("calls", "create", *OPTIONS, *options)
    assert code == 2
    assert any(says in error["message"] or says in error["path"] for error in answer["errors"])
    assert ANN not in str(answer)
    assert query(database, "SELECT count(*) FROM campaigns") == [(0,)]


# --- held by the provider --------------------------------------------------------------------------------------------


def wednesday(hour: int = 12) -> datetime:
    """In New York, at least two days from now."""
    local = datetime.now(ZoneInfo("America/New_York")) + timedelta(days=2)
    local += timedelta(days=(2 - local.weekday()) % 7)
    return local.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(UTC)


def batch(tmp_path: Path, *numbers: str, consent: str = "pewc") -> list[str]:
    rows = [f"{number},Person {number[-3:]},{consent},2025-09-01T00:00:00Z,form,gold" for number in numbers]
    header = "number,name,consentLevel,consentAt,consentSource,plan"
    (tmp_path / "people.csv").write_text("\n".join([header, *rows]) + "\n")
    return ["--batch", "people.csv"]


def hold(calls: Any, *more: str, at: datetime | None = None) -> tuple[int, dict[str, Any]]:
    with attended():
        return calls("calls", "create", *OPTIONS, "--at", (at or wednesday()).isoformat(), *more)  # type: ignore[no-any-return]


def test_a_batch_is_handed_over_in_one_request_and_told_row_by_row(calls: Any, served: Any, tmp_path: Path) -> None:
    code, answer = hold(calls, *batch(tmp_path, ANN, BEN, CID))
    assert (code, [call["standing"] for call in answer["calls"]]) == (0, ["handed_over"] * 3)
    assert all(call["provider_call_id"] for call in answer["calls"])
    assert (served.stats["creates"], served.stats["dials"]) == (1, 0)
    (plan,) = {str(body["schedulePlan"]) for body in bodies(served)}
    assert "latestAt" in plan


def test_a_row_that_the_gate_refuses_is_left_out_and_the_others_are_handed_over(
    calls: Any, served: Any, tmp_path: Path
) -> None:
    rows = batch(tmp_path, ANN, BEN)
    path = tmp_path / "people.csv"
    path.write_text(path.read_text().replace(f"{BEN},Person 102,pewc", f"{BEN},Person 102,pec") + "12,X,,,,gold\n")
    code, answer = hold(calls, *rows)
    assert code == 1
    assert [call["standing"] for call in answer["calls"]] == ["handed_over", "refused", "not_dialed"]
    assert answer["calls"][1]["rule"] == "CONSENT-PEWC"
    assert served.stats["creates"] == 1


def test_a_time_outside_the_hours_is_refused_and_nothing_is_sent(calls: Any, served: Any, tmp_path: Path) -> None:
    code, answer = hold(calls, *batch(tmp_path, ANN), at=wednesday(hour=23))
    assert (code, [call["standing"] for call in answer["calls"]]) == (3, ["refused"])
    assert "America/New_York" in answer["calls"][0]["sentence"]
    assert served.stats["creates"] == 0


@pytest.mark.parametrize("how", ["revoke", "cancel", "stop"])
def test_before_its_time_it_is_cancelled_at_the_provider(
    calls: Any, served: Any, tmp_path: Path, database: Engine, how: str
) -> None:
    _, answer = hold(calls, *batch(tmp_path, ANN))
    commands = {
        "revoke": ["consent", "revoke", ANN],
        "cancel": ["cancel", answer["campaign"]],
        "stop": ["stop", "--all"],
    }
    assert calls(*commands[how])[0] == 0
    with attended():
        settled = _until_settled(database)
    assert settled == "cancelled"
    (call,) = served.on_loop(lambda: served.simulator.simulation.book.all(offset=0, limit=10))
    assert (call.status, served.stats["dials"]) == ("ended", 0)


def _until_settled(database: Engine) -> str:
    while True:
        ((settled,),) = query(database, "SELECT settled_as FROM provider_cancels")
        if settled is not None:
            return str(settled)


def test_more_people_than_slots_at_that_time_are_refused_whole(
    calls: Any, served: Any, tmp_path: Path, database: Engine
) -> None:
    numbers = [f"+121255501{index:02}" for index in range(6)]
    code, answer = hold(calls, *batch(tmp_path, *numbers))
    assert (code, "5 of the account's slots" in answer["errors"][0]["message"]) == (3, True)
    assert query(database, "SELECT count(*) FROM campaigns") == [(0,)]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--to", ANN, "--at", "2025-01-01T12:00:00Z"], 3, "past"),
        (["--to", ANN, "--at", "2199-01-01T12:00:00Z"], 3, "days ahead"),
        (["--to", ANN, "--at", "noon"], 2, "--at"),
        (["--at", "2199-01-01T12:00:00Z", "--batch", "none.csv"], 2, "--batch"),
    ],
)
def test_a_time_or_file_that_cannot_be_used_is_told(calls: Any, options: list[str], code: int, says: str) -> None:
    found, answer = calls("calls", "create", *OPTIONS, *options)
    assert (found, says in answer["errors"][0]["message"]) == (code, True)


def test_a_provider_that_holds_no_calls_is_not_asked_to(calls: Any) -> None:
    options = ["--account", "vox", *OPTIONS[2:], "--to", ANN, "--at", wednesday().isoformat()]
    code, answer = calls("calls", "create", *options)
    assert (code, "do not hold calls" in answer["errors"][0]["message"]) == (3, True)


def test_a_batch_of_more_than_a_hundred_is_a_campaigns(calls: Any, tmp_path: Path) -> None:
    code, answer = hold(calls, *batch(tmp_path, *[ANN] * 101))
    assert (code, "1 to 100" in answer["errors"][0]["message"]) == (2, True)
