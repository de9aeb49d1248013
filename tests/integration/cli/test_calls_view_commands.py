"""`ringfence calls list|show|end|cancel|delete|reschedule`: a real database and a simulated account."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from campaigns.cli import output
from campaigns.providers.contract import DialRequest, Placed
from campaigns.providers.registry import AccountAccess, build_provider

ANN, BEN = "+12125550101", "+12125550102"
NOBODY = "0199a8c4-0000-7000-8000-000000000000"


class OpenPermit:
    async def turn(self) -> None:
        """Now."""

    def check(self) -> None:
        """Always good."""

    def remaining(self) -> timedelta:
        return timedelta(seconds=5)


@pytest.fixture
def place(served: Any) -> Callable[..., str]:
    """A call at the provider; returns the provider's id."""

    def placed(attempt_id: UUID | None = None, *, number: str = ANN) -> str:
        request = DialRequest(
            attempt_id=attempt_id or uuid4(),
            number=number,
            line="pn-1",
            assistant={"id": "a"},
            customer_name=None,
            external_id=None,
            voicemail_action="none",
            webhook=None,
            permit=OpenPermit(),
        )

        async def dial() -> Any:
            provider = build_provider("vapi", AccountAccess(base_url=served.url, api_key="simulator"))
            try:
                return await provider.dial(request)
            finally:
                await provider.aclose()

        result = asyncio.run(dial())
        assert isinstance(result, Placed)
        return result.provider_call_id

    return placed


@pytest.fixture
def attempt(database: Engine) -> Callable[..., UUID]:
    """An attempt on record, with its campaign, customer, call and permit."""

    def made(
        provider_call_id: str | None = None, *, number: str = ANN, campaign: str = "spring", state: str = "in_progress"
    ) -> UUID:
        attempt_id = uuid4()
        with database.begin() as connection:
            connection.execute(
                text(_ATTEMPT),
                {
                    "attempt": attempt_id,
                    "campaign": campaign,
                    "number": number,
                    "state": state,
                    "provider_call_id": provider_call_id,
                    "closed": state == "closed",
                },
            )
        return attempt_id

    return made


_ATTEMPT = """
    WITH k AS (
        INSERT INTO campaigns (name, account, webhook_token, lines, created_by)
        VALUES (:campaign, 'sim', 't', ARRAY['pn-1'], 'test')
        ON CONFLICT (name) DO UPDATE SET webhook_token = 't' RETURNING id),
    v AS (
        INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
        SELECT id, (SELECT count(*) + 1 FROM campaign_versions w WHERE w.campaign_id = k.id), 'd', '', '{}', 'test'
        FROM k RETURNING id, campaign_id),
    r AS (
        INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
        SELECT campaign_id, id, '2026-12-01', '2026-12-12', 'active' FROM v RETURNING id, campaign_id),
    g AS (INSERT INTO zone_groups (run_id, key) SELECT id, 'all' FROM r RETURNING id, run_id),
    u AS (
        INSERT INTO customers (run_id, row_number, number, name, restriction)
        SELECT id, 1, :number, 'Ann Example', 0 FROM r RETURNING id, run_id),
    c AS (
        INSERT INTO calls (id, run_id, campaign_id, group_id, number, state)
        SELECT u.id, u.run_id, r.campaign_id, g.id, :number, 'in_progress' FROM u, r, g RETURNING *),
    d AS (
        INSERT INTO decisions (call_id, attempt_id, decided_at, campaign_at, verdict, zones, jurisdictions,
            rules_digest, tzdata_version, checks)
        SELECT id, :attempt, clock_timestamp(), clock_timestamp(), 'permit', ARRAY['America/New_York'],
            ARRAY['us'], 'digest', '2026a', '[]' FROM c)
    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, provider_call_id, outcome, closed_at)
    SELECT :attempt, id, 1, run_id, campaign_id, 'sim', :number, 'pn-1', 1, :state, clock_timestamp(),
        clock_timestamp(), clock_timestamp(), :provider_call_id, CASE WHEN :closed THEN 'answered' END,
        CASE WHEN :closed THEN clock_timestamp() END
    FROM c
"""


@pytest.fixture
def seen_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda role: monkeypatch.setenv("RINGFENCE_ROLE", role)


def operations(database: Engine) -> list[tuple[str, str, str]]:
    with database.connect() as connection:
        rows = connection.execute(text("SELECT action, subject, detail FROM operations ORDER BY id"))
        return [tuple(row) for row in rows if row.action != "migrate"]


def simulated(served: Any, call_id: str) -> Any:
    calls = served.simulator.simulation.book.all(offset=0, limit=100)
    return next(call for call in calls if call.id == call_id)


def phone_of(served: Any, call_id: str) -> str:
    """The status that the simulated phone has."""
    status: str = served.on_loop(lambda: simulated(served, call_id).status)
    return status


# --- list ------------------------------------------------------------------------------------------------------


def test_attempts_are_listed_by_campaign_number_and_time(ringfence: Any, attempt: Callable[..., UUID]) -> None:
    ann, ben = attempt(), attempt(number=BEN, campaign="autumn")

    def listed(*options: str) -> list[str]:
        code, answer = ringfence("calls", "list", *options)
        assert code == 0
        return [call["attempt_id"] for call in answer["calls"]]

    assert listed() == [str(ben), str(ann)]
    assert listed("--campaign", "spring") == [str(ann)]
    assert listed("--number", BEN) == [str(ben)]
    assert listed("--account", "sim") == [str(ben), str(ann)]
    assert listed("--since", "2100-01-01T00:00:00Z") == []
    assert listed("--until", "2020-01-01T00:00:00Z") == []
    assert listed("--since", "1h", "--most", "1") == [str(ben)]


def test_a_name_that_nothing_bears_is_a_mistake_and_no_empty_list(ringfence: Any, attempt: Callable[..., UUID]) -> None:
    attempt(campaign="spring")
    code, answer = ringfence("calls", "list", "--campaign", "sprung")
    assert (code, answer["errors"][0]["nearest"]) == (2, "spring")
    code, answer = ringfence("calls", "list", "--account", "other")
    assert (code, answer["errors"][0]["allowed"]) == (2, "sim")


def test_ids_are_whole_however_narrow_the_terminal(
    ringfence: Any, attempt: Callable[..., UUID], place: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "PLAIN_WIDTH", 80)
    call_id = place()
    attempt_id = str(attempt(call_id, campaign="spring-renewal-of-the-year-2026"))
    listed = ringfence.plainly("calls", "list")[1]
    assert attempt_id in listed
    assert "spring-renewal-of-the-year-2026" in listed
    at_provider = ringfence.plainly("calls", "list", "--provider")[1]
    assert attempt_id in at_provider
    assert call_id in at_provider
    assert "spring-renewal-of-the-year-2026" in ringfence.plainly("status")[1]


@pytest.mark.parametrize(("role", "shown"), [("viewer", "…01"), ("operator", ANN), ("compliance", ANN)])
def test_a_number_is_shown_in_full_to_those_who_see_people(
    ringfence: Any, attempt: Callable[..., UUID], seen_by: Callable[[str], None], role: str, shown: str
) -> None:
    attempt_id = attempt()
    seen_by(role)
    assert ringfence("calls", "list")[1]["calls"][0]["number"] == shown
    answer = ringfence("calls", "show", str(attempt_id))[1]
    assert (answer["number"], answer["name"]) == (shown, None if role == "viewer" else "Ann Example")
    assert (ANN in ringfence.plainly("calls", "show", str(attempt_id))[1]) == (role != "viewer")


def test_the_providers_list_says_which_calls_are_ours(
    ringfence: Any, attempt: Callable[..., UUID], place: Callable[..., str]
) -> None:
    ours = place()
    attempt_id = attempt(ours)
    others = place(number=BEN)
    code, answer = ringfence("calls", "list", "--provider", "--since", "10m")
    assert (code, answer["complete"]) == (0, True)
    assert {call["provider_call_id"]: call["attempt_id"] for call in answer["calls"]} == {
        ours: str(attempt_id),
        others: None,
    }
    assert "not one of ours" in ringfence.plainly("calls", "list", "--provider")[1]


def test_a_provider_that_lists_nothing_says_so(ringfence: Any, tmp_path: Path) -> None:
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text().replace('provider = "vapi"', 'provider = "voxworks"'))
    code, answer = ringfence("calls", "list", "--provider")
    assert code == 3
    assert "lists no calls" in json.dumps(answer)


# --- show ------------------------------------------------------------------------------------------------------


def test_an_attempt_is_shown_with_its_permit_by_either_id(
    ringfence: Any, attempt: Callable[..., UUID], place: Callable[..., str]
) -> None:
    call_id = place()
    attempt_id = attempt(call_id)
    for wanted in (str(attempt_id), call_id):
        code, answer = ringfence("calls", "show", wanted)
        assert (code, answer["attempt_id"], answer["permit"]["zones"]) == (0, str(attempt_id), ["America/New_York"])
        assert answer["provider_says"] is None
    assert ringfence("calls", "show", call_id, "--live")[1]["provider_says"]["provider_call_id"] == call_id


@pytest.mark.parametrize(
    ("role", "shown", "looks"),
    [("viewer", set(), 0), ("operator", {"summary"}, 1), ("compliance", {"summary", "transcript"}, 1)],
)
def test_what_was_said_is_shown_by_role_and_each_look_is_on_record(
    ringfence: Any,
    database: Engine,
    attempt: Callable[..., UUID],
    seen_by: Callable[[str], None],
    role: str,
    shown: set[str],
    looks: int,
) -> None:
    attempt_id = attempt()
    with database.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO attempt_artifacts (attempt_id, transcript, summary, delete_after)
                VALUES (:id, 'user: hello', 'They spoke.', clock_timestamp() + interval '1 day')
            """),
            {"id": attempt_id},
        )
    seen_by(role)
    _, said = ringfence.plainly("calls", "show", str(attempt_id))
    assert ("user: hello" in said, "They spoke." in said) == ("transcript" in shown, "summary" in shown)
    assert len([row for row in operations(database) if row[0] == "conversation shown"]) == looks


def test_a_call_of_somebody_else_is_shown_as_such(ringfence: Any, place: Callable[..., str]) -> None:
    call_id = place()
    code, answer = ringfence("calls", "show", call_id)
    assert (code, answer["attempt_id"], answer["provider_says"]["phase"]) == (0, None, "queued")


def test_an_id_that_nobody_knows_is_exit_code_2(ringfence: Any) -> None:
    code, answer = ringfence("calls", "show", NOBODY)
    assert code == 2
    assert "neither on record here nor known to account sim" in json.dumps(answer)


# --- acts ------------------------------------------------------------------------------------------------------


def test_a_live_call_is_hung_up_once_and_on_record(
    ringfence: Any, database: Engine, attempt: Callable[..., UUID], place: Callable[..., str], served: Any
) -> None:
    call_id = place()
    attempt_id = attempt(call_id)
    assert ringfence("calls", "end", str(attempt_id)) == (
        0,
        {"provider_call_id": call_id, "attempt_id": str(attempt_id), "ended": True},
    )
    assert phone_of(served, call_id) == "ended"
    assert ringfence("calls", "end", call_id)[1]["ended"] is False
    assert operations(database) == [
        ("calls end", f"sim: {call_id}, attempt {attempt_id}", "asked"),
        ("calls end", f"sim: {call_id}, attempt {attempt_id}", "done"),
    ]


def test_a_waiting_call_is_taken_back_and_a_ringing_one_left_alone(
    ringfence: Any, place: Callable[..., str], served: Any
) -> None:
    waiting, ringing = place(), place(number=BEN)
    assert ringfence("calls", "cancel", waiting)[0] == 0
    assert phone_of(served, waiting) == "ended"
    served.on_loop(lambda: setattr(simulated(served, ringing), "status", "ringing"))
    code, answer = ringfence("calls", "cancel", ringing)
    assert (code, answer["cancelled"]) == (1, False)
    assert phone_of(served, ringing) == "ringing"


def test_deleting_wants_a_yes_and_says_that_it_does_not_hang_up(ringfence: Any, place: Callable[..., str]) -> None:
    code, answer = ringfence("calls", "delete", place())
    assert code == 2
    assert "does not hang up" in json.dumps(answer)


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress"])
def test_the_data_of_a_call_that_is_not_over_is_never_deleted(
    ringfence: Any, place: Callable[..., str], served: Any, status: str
) -> None:
    call_id = place()
    served.on_loop(lambda: setattr(simulated(served, call_id), "status", status))
    assert ringfence("calls", "delete", call_id, "--yes", "--force")[0] == 3
    assert phone_of(served, call_id) == status


def test_the_data_of_a_call_is_deleted_when_our_own_record_is_complete(
    ringfence: Any, database: Engine, attempt: Callable[..., UUID], place: Callable[..., str]
) -> None:
    open_id, closed_id = place(), place(number=BEN)
    attempt(open_id)
    attempt(closed_id, number=BEN, campaign="autumn", state="closed")
    for call_id in (open_id, closed_id):
        ringfence("calls", "end", call_id)
    assert ringfence("calls", "delete", open_id, "--yes")[0] == 3
    assert ringfence("calls", "delete", closed_id, "--yes")[0] == 0
    assert ringfence("calls", "delete", open_id, "--yes", "--force")[0] == 0
    assert ringfence("calls", "delete", closed_id, "--yes")[0] == 2
    assert [row[2] for row in operations(database) if row[0] == "calls delete"] == ["asked", "done"] * 2


@pytest.mark.parametrize("act", ["end", "cancel"])
def test_acting_on_an_unknown_call_is_exit_code_2(ringfence: Any, act: str) -> None:
    assert ringfence("calls", act, NOBODY)[0] == 2


@pytest.mark.parametrize("act", [("end",), ("cancel",), ("delete", "--yes")])
def test_an_attempt_whose_call_nobody_knows_cannot_be_acted_upon(
    ringfence: Any, attempt: Callable[..., UUID], act: tuple[str, ...]
) -> None:
    name, *options = act
    code, answer = ringfence("calls", name, str(attempt(state="fate_unknown")), *options)
    assert code == 3
    assert "ringfence attention" in json.dumps(answer)


def test_a_provider_that_is_away_is_exit_code_4_and_nothing_is_on_record(
    ringfence: Any, database: Engine, attempt: Callable[..., UUID], tmp_path: Path, served: Any
) -> None:
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text().replace(served.url, "http://127.0.0.1:1"))
    assert ringfence("calls", "end", str(attempt("call-1")))[0] == 4
    assert operations(database) == []


def test_a_call_is_moved_only_by_a_provider_that_can_and_never_one_of_ours(
    ringfence: Any, attempt: Callable[..., UUID], tmp_path: Path, served: Any
) -> None:
    at = ("--at", "2026-12-01T14:00:00-05:00")
    assert ringfence("calls", "reschedule", "call-1", *at)[0] == 3
    code, answer = ringfence("calls", "reschedule", "call-1", *at, "--unjudged")
    assert code == 3
    assert "moves no call" in json.dumps(answer)
    settings = tmp_path / "ringfence.toml"
    settings.write_text(settings.read_text().replace('provider = "vapi"', 'provider = "voxworks"'))
    code, answer = ringfence("calls", "reschedule", str(attempt("call-1")), *at, "--unjudged")
    assert code == 3
    assert "let the gate judge a new one" in json.dumps(answer)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["web"], "give one of them; found 0"),
        (["web", "--assistant", "a", "--squad", "s"], "found 2"),
        (["web", "--assistant", "a", "--variable", "x"], "NAME=VALUE"),
        (["web", "--assistant-file", "nowhere.yaml"], "No such file"),
        (["list", "--since", "yesterday"], "such as 24h, or a time with its offset"),
        (["list", "--provider", "--campaign", "spring"], "by time only"),
        (["list", "--number", "12"], "NUMBER"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(ringfence: Any, arguments: list[str], said: str) -> None:
    code, answer = ringfence("calls", *arguments)
    assert code == 2
    assert said in json.dumps(answer["errors"])
