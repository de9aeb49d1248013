"""`ringfence attention`: what waits for a person, decided once and on record."""

import json
import re
import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from campaigns.cli.main import run
from campaigns.definition.parse import parse_definition
from campaigns.definition.storage import dump_definition
from campaigns.runtime.law import gatekeeper
from campaigns.services.attention import ADVICE, ELSEWHERE
from campaigns.services.decide import Decide, DecisionRefusedError
from campaigns.services.decided import DecidedAs
from campaigns.services.plans import Definitions
from campaigns.services.record import Recorder

NUMBER = "+12125550101"
CAMPAIGN = b"""
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {id: assistant-1}
lines: {pool: [line-1]}
customers: {file: customers.csv, columns: {number: phone}}
consent: {level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}
window: {earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}
retries: {maxAttempts: 4, ladder: {no_answer: [2h]}}
"""
NOON = "2026-12-02T17:00:00Z"


class Desk:
    """Rows as the engine leaves them, and what became of them."""

    def __init__(self, database: Engine) -> None:
        self.database = database

    def sql(self, statement: str, **values: Any) -> Any:
        with self.database.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def one(self, statement: str, **values: Any) -> Any:
        ((value,),) = self.sql(statement, **values)
        return value

    def campaign(self) -> int:
        definition = json.dumps(dump_definition(parse_definition(CAMPAIGN, file="test.yaml")))
        campaign: int = self.one(
            """INSERT INTO campaigns (name, account, webhook_token, lines, created_by, clock_campaign_at,
                clock_machine_at) VALUES ('spring', 'sim', 't', '{line-1}', 'test', :noon, clock_timestamp())
            RETURNING id""",
            noon=NOON,
        )
        self.sql(
            """WITH v AS (INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                VALUES (:id, 1, 'd', '', CAST(:definition AS jsonb), 'test') RETURNING id),
            r AS (INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
                SELECT :id, id, '2026-12-01', '2026-12-13', 'active' FROM v RETURNING id)
            INSERT INTO zone_groups (run_id, key) SELECT id, 'all' FROM r""",
            id=campaign,
            definition=definition,
        )
        return campaign

    def call(self, campaign: int, number: str = NUMBER, *, state: str = "fate_unknown") -> int:
        call: int = self.one(
            """WITH u AS (INSERT INTO customers (run_id, row_number, number, restriction)
                SELECT id, 1, :number, 0 FROM runs WHERE campaign_id = :campaign RETURNING id, run_id)
            INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, attempts, requests, due_at, closes_at)
            SELECT u.id, u.run_id, :campaign, g.id, :number, :state, 1, 1, '2026-12-01', '2026-12-13'
            FROM u JOIN zone_groups g ON g.run_id = u.run_id RETURNING id""",
            campaign=campaign,
            number=number,
            state=state,
        )
        return call

    def attempt(self, call: int, *, state: str = "fate_unknown", needs_person: bool = True) -> UUID:
        attempt = uuid4()
        self.sql(
            """INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
                campaign_at, claimed_at, send_by, detail, absences, needs_person, provider_call_id)
            SELECT :id, c.id, 1, c.run_id, c.campaign_id, 'sim', c.number, 'line-1', 0, :state, :noon,
                clock_timestamp(), clock_timestamp(), '502 Bad Gateway', 1, :needs_person,
                CASE WHEN :state = 'in_progress' THEN 'call-1' END FROM calls c WHERE c.id = :call""",
            id=attempt,
            call=call,
            state=state,
            needs_person=needs_person,
            noon=NOON,
        )
        return attempt

    def call_state(self) -> tuple[str, str | None]:
        ((state, reason),) = self.sql("SELECT state, reason FROM calls")
        return state, reason

    def attempt_state(self) -> tuple[str, str | None, str | None]:
        ((state, outcome, detail),) = self.sql("SELECT state, outcome, detail FROM attempts")
        return state, outcome, detail

    def decisions(self) -> list[tuple[str, str]]:
        return [
            tuple(row) for row in self.sql("SELECT operator, detail FROM operations WHERE action LIKE 'attention%'")
        ]


@pytest.fixture
def desk(database: Engine, ringfence: Any) -> Desk:
    return Desk(database)


@pytest.fixture
def lost(desk: Desk) -> UUID:
    """An attempt of unknown fate that waits for a person."""
    return desk.attempt(desk.call(desk.campaign()))


def test_with_nothing_waiting_it_says_so_and_ends_well(ringfence: Any) -> None:
    code, answer = ringfence("attention")
    assert (code, answer["waiting"]) == (0, 0)
    assert "nothing waits" in ringfence.plainly("attention")[1]


def test_an_unknown_fate_is_listed_with_what_was_done_and_without_its_number(ringfence: Any, lost: UUID) -> None:
    code, answer = ringfence("attention")
    (fate,) = answer["unknown_fates"]
    assert (code, fate["attempt_id"], fate["campaign"], fate["why"]) == (1, str(lost), "spring", "502 Bad Gateway")
    assert fate["number"] == "…01"
    assert "two complete looks" in fate["looked_at"]
    code, said = ringfence.plainly("attention")
    assert code == 1
    assert str(lost) in said
    assert NUMBER not in said + json.dumps(answer)
    assert NUMBER[-4:] not in said


def test_a_fate_that_is_still_being_looked_for_does_not_wait_for_a_person(ringfence: Any, desk: Desk) -> None:
    desk.attempt(desk.call(desk.campaign()), needs_person=False)
    assert ringfence("attention")[0] == 0


def test_fates_of_calls_that_have_ended_are_shown_on_request(ringfence: Any, desk: Desk, lost: UUID) -> None:
    desk.sql("UPDATE calls SET state = 'failed', reason = 'fate_unknown', final_at = clock_timestamp()")
    assert ringfence("attention")[1]["waiting"] == 0
    assert ringfence("attention", "--all")[1]["waiting"] == 1


@pytest.mark.parametrize(
    ("answer", "call", "attempt", "outcome"),
    [
        ("--not-dialed", ("scheduled", None), "not_dialed", "provider_error"),
        ("--reached", ("completed", "answered"), "closed", "answered"),
        ("--give-up", ("failed", "fate_unknown"), "closed", "unknown"),
    ],
)
def test_each_answer_moves_attempt_and_call_and_says_who_gave_it(
    ringfence: Any, desk: Desk, lost: UUID, answer: str, call: tuple[str, str | None], attempt: str, outcome: str
) -> None:
    code, decided = ringfence("attention", "decide", str(lost), answer, "--reason", "asked her by letter")
    assert (code, decided["call_state"], decided["attempt_state"]) == (0, call[0], attempt)
    assert desk.call_state() == call
    assert desk.attempt_state() == (attempt, outcome, "decided by tester: asked her by letter")
    how = decided["decided"]
    assert desk.decisions() == [("tester", f"{how}: asked her by letter")]
    assert ringfence("attention")[0] == 0
    assert desk.one("SELECT count(*) FROM live") == 0


def test_only_a_call_that_was_not_dialed_gets_its_try_back(ringfence: Any, desk: Desk, lost: UUID) -> None:
    ringfence("attention", "decide", str(lost), "--not-dialed", "--reason", "the carrier's log is empty")
    assert desk.one("SELECT attempts FROM calls") == 0
    assert desk.one("SELECT counts FROM attempts") is False


def test_a_call_that_was_found_is_followed_like_any_other(ringfence: Any, desk: Desk, lost: UUID, served: Any) -> None:
    call = placed(served)
    code, decided = ringfence("attention", "decide", str(lost), "--found", call, "--reason", "seen in the portal")
    assert (code, decided["attempt_state"], decided["call_state"]) == (0, "in_progress", "in_progress")
    assert desk.sql("SELECT provider_call_id FROM attempts") == [(call,)]
    assert desk.decisions() == [("tester", f"found {call}: seen in the portal")]
    assert desk.one("SELECT count(*) FROM live WHERE attempt_id = :id", id=lost) == 1, "its number is held again"


def placed(served: Any, number: str = NUMBER) -> str:
    """A call on the provider's books, whose answer never reached us."""
    import urllib.request

    body = json.dumps({"assistantId": "a", "phoneNumberId": "line-1", "customer": {"number": number}}).encode()
    headers = {"Authorization": "Bearer simulator", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{served.url}/call", data=body, headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        call: str = json.load(answer)["id"]
    return call


def test_a_call_to_somebody_else_is_not_found(ringfence: Any, desk: Desk, lost: UUID, served: Any) -> None:
    call = placed(served, "+12125550102")
    code, answer = ringfence("attention", "decide", str(lost), "--found", call, "--reason", "r")
    assert code == 3
    assert "went to another number" in answer["errors"][0]["message"]
    assert desk.attempt_state()[0] == "fate_unknown"


def test_a_call_of_another_attempt_is_not_found(ringfence: Any, desk: Desk, lost: UUID, served: Any) -> None:
    call = placed(served)
    other = desk.attempt(desk.call(desk.one("SELECT id FROM campaigns"), "+12125550109"), state="in_progress")
    desk.sql("UPDATE attempts SET provider_call_id = :call WHERE id = :id", call=call, id=other)
    code, answer = ringfence("attention", "decide", str(lost), "--found", call, "--reason", "r")
    assert code == 3
    assert str(other) in answer["errors"][0]["message"]


def test_a_call_that_the_provider_does_not_know_is_told_so(ringfence: Any, lost: UUID) -> None:
    unknown = "0199a8c4-0000-7000-8000-000000000000"
    code, answer = ringfence("attention", "decide", str(lost), "--found", unknown, "--reason", "r")
    assert code == 3
    assert "knows no call" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--reason", "r"], 2, "exactly one of"),
        (["--reached", "--give-up", "--reason", "r"], 2, "found --reached and --given-up"),
        (["--reached", "--reason", "  "], 2, "--reason is empty"),
        (["--reached"], 2, "--reason"),
    ],
)
def test_half_an_answer_changes_nothing(
    ringfence: Any, desk: Desk, lost: UUID, arguments: list[str], code: int, sentence: str
) -> None:
    found, answer = ringfence("attention", "decide", str(lost), *arguments)
    assert found == code
    assert sentence in answer["errors"][0]["message"]
    assert desk.attempt_state()[0] == "fate_unknown"


def test_ids_that_are_none_and_attempts_that_are_not_there_are_told_so(ringfence: Any) -> None:
    answer = ["--reached", "--reason", "r"]
    assert ringfence("attention", "decide", "12", *answer)[0] == 2
    code, said = ringfence("attention", "decide", str(uuid4()), *answer)
    assert code == 3
    assert "there is no attempt" in said["errors"][0]["message"]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("dialing", "is being dialed"), ("in_progress", "is in progress"), ("ended", "its report is awaited")],
)
def test_what_is_known_is_not_decided(ringfence: Any, desk: Desk, state: str, sentence: str) -> None:
    attempt = desk.attempt(desk.call(desk.campaign(), state="in_progress"), state=state)
    code, said = ringfence("attention", "decide", str(attempt), "--give-up", "--reason", "r")
    assert code == 3
    assert sentence in said["errors"][0]["message"]


def test_nobody_says_not_dialed_while_the_call_may_still_turn_up(ringfence: Any, desk: Desk) -> None:
    attempt = desk.attempt(desk.call(desk.campaign()), needs_person=False)
    code, said = ringfence("attention", "decide", str(attempt), "--not-dialed", "--reason", "r")
    assert code == 3
    assert "still being looked for" in said["errors"][0]["message"]
    assert ringfence("attention", "decide", str(attempt), "--reached", "--reason", "she says so")[0] == 0


def test_of_two_people_who_decide_at_once_one_wins_and_the_other_is_told_by_whom(desk: Desk, lost: UUID) -> None:
    start, told = threading.Barrier(2), dict[str, str]()

    def decide(operator: str, how: DecidedAs) -> None:
        recorder = Recorder(desk.database, gatekeeper(), Definitions())
        decider = Decide(desk.database, recorder, operator=operator)
        start.wait()
        try:
            told[operator] = decider.run(lost, how, reason="r").call_state.value
        except DecisionRefusedError as error:
            told[operator] = str(error)

    people = {"ann": DecidedAs.REACHED, "bob": DecidedAs.NOT_DIALED}
    threads = [threading.Thread(target=decide, args=each) for each in people.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((winner, _),) = desk.decisions()
    (loser,) = set(people) - {winner}
    assert told[winner] in ("completed", "scheduled")
    assert f"was decided by {winner}" in told[loser]


def test_a_call_that_its_provider_does_not_let_ring_is_listed_until_it_rings(ringfence: Any, desk: Desk) -> None:
    attempt = desk.attempt(desk.call(desk.campaign(), state="in_progress"), state="in_progress")
    desk.sql("UPDATE attempts SET late_ring_at = clock_timestamp()")
    code, answer = ringfence("attention")
    (late,) = answer["late_rings"]
    assert (code, late["attempt_id"], late["provider_call_id"], late["number"]) == (1, str(attempt), "call-1", "…01")
    desk.sql("UPDATE attempts SET rang = true")
    assert ringfence("attention")[0] == 0


# --- strays, alarms, held accounts -----------------------------------------------------------------------------------


@pytest.fixture
def stray(desk: Desk) -> int:
    """A call that nobody explains, to a person for whom another call waits; returns the waiting one."""
    waiting = desk.call(desk.campaign(), state="scheduled")
    desk.sql("INSERT INTO stray_calls (account, provider_call_id, waiting_calls) VALUES ('sim', 'x', :c)", c=[waiting])
    desk.sql("INSERT INTO alarms (kind, detail) VALUES ('stray_call', 'sim: x')")
    return waiting


def test_a_stray_is_listed_once_and_explained_once(ringfence: Any, desk: Desk, stray: int) -> None:
    code, answer = ringfence("attention")
    assert (code, answer["waiting"], answer["strays"][0]["waiting_calls"]) == (1, 1, [stray])
    resolve = ("attention", "resolve-stray", "sim", "x", "--reason", "Ann's test")
    assert ringfence(*resolve)[1] == {"account": "sim", "call": "x", "resolved": True, "cancelled_calls": 0}
    code, again = ringfence(*resolve)
    assert code == 3
    assert "was resolved by tester" in again["errors"][0]["message"]
    assert ringfence("attention")[0] == 0
    assert desk.one("SELECT resolution FROM alarms") == "with its cause"
    assert desk.call_state()[0] == "scheduled"


def test_a_person_whom_a_stray_reached_is_not_called_again(ringfence: Any, desk: Desk, stray: int) -> None:
    code, answer = ringfence("attention", "resolve-stray", "sim", "x", "--reason", "before the restore", "--reached")
    assert (code, answer["cancelled_calls"]) == (0, 1)
    assert desk.call_state() == ("cancelled", "stray_call")


def test_a_stray_that_is_not_there_is_told_so(ringfence: Any) -> None:
    code, answer = ringfence("attention", "resolve-stray", "sim", "y", "--reason", "r")
    assert code == 3
    assert "there is no stray call y" in answer["errors"][0]["message"]


def test_an_alarm_is_listed_with_advice_until_somebody_acknowledges_it(ringfence: Any, desk: Desk) -> None:
    desk.sql("INSERT INTO alarms (kind, detail) VALUES ('two_calls_live', 'its number is held by another call')")
    code, answer = ringfence("attention")
    (alarm,) = answer["alarms"]
    assert (code, alarm["kind"]) == (1, "two_calls_live")
    assert "reached one person at once" in alarm["advice"]
    acknowledge = ("attention", "acknowledge", str(alarm["id"]), "--reason", "told her we are sorry")
    assert ringfence(*acknowledge)[0] == 0
    assert ringfence("attention")[0] == 0
    assert ringfence(*acknowledge)[0] == 3
    assert ringfence("attention", "acknowledge", "99", "--reason", "r")[0] == 3


def test_a_held_account_is_listed_with_the_command_that_lifts_it(ringfence: Any, desk: Desk) -> None:
    desk.sql(
        "UPDATE accounts SET unproven_reason = 'restored', unproven_since = '2026-11-01T12:00:00Z', "
        "unproven_at = clock_timestamp()"
    )
    code, said = ringfence.plainly("attention")
    assert code == 1
    assert "ringfence reconcile --account sim --since 2026-11-01T12:00:00+00:00" in said


def test_every_kind_of_alarm_that_the_code_raises_has_its_advice() -> None:
    """Read from the sources: a new alarm without a word for the person on call is seen when it is written."""
    folder = Path(__file__).parents[3] / "campaigns" / "services"
    sources = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    raising = r'kind="(\w+)"', r'_alarm\((?:connection, )?"(\w+)"', r'alarm ?= ?"(\w+)"', r'ALARM = "(\w+)"'
    raised = {kind for pattern in raising for kind in re.findall(pattern, sources)}
    assert {"account_paused", "two_calls_live", "call_missing", "reported_but_not_dialed"} <= raised
    assert raised <= set(ADVICE) | set(ELSEWHERE)


def test_help_shows_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attention", "decide", "--help"]) == 0
    assert "--not-dialed" in capsys.readouterr().out
