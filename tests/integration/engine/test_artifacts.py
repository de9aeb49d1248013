"""What is kept of conversations: by webhook and by poll, for a time, for some eyes, and not a day longer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import Artifacts, Phase, Receipt
from campaigns.services.artifacts import CHUNK, Purge, Purged, forget_conversations, look_at
from campaigns.services.inbox import Inbox, Intake
from campaigns.services.plans import Definitions
from campaigns.services.record import Fact, Recorder
from campaigns.services.roles import Role

ANN, BEN = "+12125550101", "+12125550102"
MONTH = timedelta(days=30)
ANSWERED = Verdict(Outcome.ANSWERED, False, True)
SAID = Artifacts(
    transcript="Hello, this is an assistant.",
    summary="They agreed.",
    recording_url="https://recordings.example.com/1",
    cost_breakdown={"llm": 0.02, "transport": 0.01},
)


@pytest.fixture
def keeping(world) -> Any:
    """The world of an installation that keeps conversations for a month."""
    world.recorder = Recorder(world.database, world.gate, Definitions(), keep_conversations=MONTH)
    world.inbox = Inbox(world.database, world.recorder, world.publisher)
    return world


def ended_call(world, number: str = ANN, *, name: str = "spring", said: Artifacts = SAID) -> UUID:
    """A call that the provider reported; returns its attempt."""
    call = world.call(world.campaign(name), number)
    world.dial_all()
    world.receive(world.report(call, Phase.REPORTED, ANSWERED, artifacts=said), key=f"end of {call}")
    attempt: UUID = world.newest_attempt(call)
    return attempt


def kept(world) -> dict[UUID, Artifacts]:
    rows = world.sql("SELECT attempt_id, transcript, summary, recording_url, cost_breakdown FROM attempt_artifacts")
    return {row.attempt_id: Artifacts(*tuple(row)[1:]) for row in rows}


def everything_written(world, *, but: str = "") -> str:
    """Every row of the tables through which a report goes, as text."""
    tables = {"inbox", "attempts", "attempt_artifacts", "calls", "alarms", "operations"} - {but}
    return "\n".join(row[0] for table in tables for row in world.sql(f"SELECT {table}::text FROM {table}"))


def looks(world) -> list[tuple[str, str, str]]:
    rows = world.sql("SELECT operator, subject, detail FROM operations WHERE action = 'conversation shown' ORDER BY id")
    return [tuple(row) for row in rows]


def purge(world, *, conversations: timedelta = MONTH, receipts: timedelta = MONTH) -> Purged:
    return Purge(world.database, conversations=conversations, receipts=receipts).run()


# --- kept -------------------------------------------------------------------------------------------------------


def test_what_a_webhook_brings_is_kept_on_its_attempt_and_leaves_the_inbox(keeping):
    attempt = ended_call(keeping)
    assert kept(keeping) == {attempt: SAID}
    assert str(SAID.transcript) not in everything_written(keeping, but="attempt_artifacts")


def test_what_a_poll_brings_is_kept_too(keeping):
    call = keeping.call(keeping.campaign(), ANN)
    keeping.dial_all()
    report = keeping.report(call, Phase.REPORTED, ANSWERED, artifacts=SAID)
    keeping.recorder.run([Fact(keeping.newest_attempt(call), report)])
    assert kept(keeping) == {keeping.newest_attempt(call): SAID}


def test_a_later_report_adds_to_an_earlier_one_and_takes_nothing_away(keeping):
    attempt = ended_call(keeping, said=Artifacts(transcript="Hello.", cost_breakdown={"llm": 0.02}))
    before = keeping.one("SELECT delete_after FROM attempt_artifacts")
    later = Artifacts(summary="They agreed.", cost_breakdown={"stt": 0.01})
    call = keeping.one("SELECT call_id FROM attempts")
    keeping.receive(keeping.report(call, Phase.REPORTED, ANSWERED, artifacts=later), key="later")
    assert kept(keeping) == {
        attempt: Artifacts(transcript="Hello.", summary="They agreed.", cost_breakdown={"llm": 0.02, "stt": 0.01})
    }
    assert keeping.one("SELECT delete_after FROM attempt_artifacts") == before


def test_what_was_said_in_another_call_is_not_put_on_the_attempt(keeping):
    attempt = ended_call(keeping)
    call = keeping.one("SELECT call_id FROM attempts")
    other = replace(SAID, transcript="Somebody else.")
    keeping.receive(
        keeping.report(call, Phase.REPORTED, ANSWERED, artifacts=other, provider_call_id="another"), key="another"
    )
    assert kept(keeping)[attempt].transcript == SAID.transcript


def test_a_call_of_which_nothing_was_said_leaves_no_row(keeping):
    ended_call(keeping, said=Artifacts())
    assert kept(keeping) == {}


def test_with_a_retention_of_nothing_not_a_word_is_written_down_anywhere(world):
    world.intake = Intake(world.database, keeps_conversations=False)
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.receive(world.report(call, Phase.ENDED, ANSWERED, artifacts=SAID), key="ended")
    world.intake.accept("sim", _receipt(world, call))
    before = everything_written(world)
    world.inbox.process()
    for text in (before, everything_written(world)):
        for word in (SAID.transcript, SAID.summary, SAID.recording_url, "transport"):
            assert str(word) not in text


def _receipt(world, call: int) -> Any:
    return Receipt("unmatched", "end-of-call-report", world.report(call, Phase.REPORTED, ANSWERED, artifacts=SAID))


# --- for a time -------------------------------------------------------------------------------------------------


def pass_days(world, days: int) -> None:
    for column in ("stored_at", "delete_after"):
        world.sql(f"UPDATE attempt_artifacts SET {column} = {column} - :d * interval '1 day'", d=days)
    world.sql("UPDATE inbox SET received_at = received_at - :d * interval '1 day'", d=days)


def test_what_was_kept_for_its_time_is_deleted_and_the_attempt_stays(keeping):
    ended_call(keeping)
    pass_days(keeping, 29)
    assert purge(keeping) == Purged()
    pass_days(keeping, 1)
    assert purge(keeping) == Purged(conversations=1, receipts=1)
    assert kept(keeping) == {}
    assert keeping.one("SELECT outcome FROM attempts") == "answered"


def test_a_shorter_retention_holds_for_what_is_kept_already_and_a_longer_one_does_not(keeping):
    ended_call(keeping)
    pass_days(keeping, 8)
    assert purge(keeping, conversations=timedelta(days=7)).conversations == 1
    ended_call(keeping, BEN, name="summer")
    pass_days(keeping, 30)
    assert purge(keeping, conversations=timedelta(days=60)).conversations == 1


def test_a_retention_of_nothing_empties_what_was_kept_and_what_still_waits(keeping):
    ended_call(keeping)
    call = keeping.call(keeping.campaign("summer"), BEN)
    keeping.dial_all()
    keeping.intake.accept("sim", _receipt(keeping, call))
    purge(keeping, conversations=timedelta(0))
    assert kept(keeping) == {}
    assert str(SAID.transcript) not in everything_written(keeping)
    keeping.inbox.process()
    assert keeping.state(call) == "completed"


def test_many_are_deleted_chunk_by_chunk_in_one_pass(keeping):
    ended_call(keeping)
    attempt = keeping.sql("SELECT * FROM attempts")[0]._asdict()
    keeping.sql(
        f"""INSERT INTO attempts SELECT (jsonb_populate_record(t, jsonb_build_object(
            'id', gen_random_uuid(), 'attempt_no', n + 1, 'provider_call_id', n::text))).*
        FROM attempts t, generate_series(1, {CHUNK * 2}) AS n WHERE t.id = :id""",
        id=attempt["id"],
    )
    keeping.sql(
        "INSERT INTO attempt_artifacts (attempt_id, transcript, delete_after) SELECT id, 'x', clock_timestamp() "
        "FROM attempts ON CONFLICT DO NOTHING"
    )
    assert purge(keeping).conversations == CHUNK * 2
    assert purge(keeping).conversations == 0


def test_receipts_that_wait_are_never_purged(keeping):
    ended_call(keeping)
    keeping.sql("UPDATE inbox SET state = 'unmatched'")
    pass_days(keeping, 100)
    assert purge(keeping).receipts == 0


def test_a_report_that_comes_again_after_its_receipt_was_purged_changes_nothing(keeping):
    ended_call(keeping)
    pass_days(keeping, 31)
    purge(keeping)
    call = keeping.one("SELECT call_id FROM attempts")
    keeping.receive(keeping.report(call, Phase.REPORTED, Verdict(Outcome.NO_ANSWER, True, True)))
    assert (keeping.state(call), keeping.attempt_states(call)) == ("completed", ["closed"])


# --- for some eyes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.VIEWER, Artifacts()),
        (Role.OPERATOR, Artifacts(summary=SAID.summary, cost_breakdown=SAID.cost_breakdown)),
        (Role.COMPLIANCE, SAID),
    ],
)
def test_each_role_sees_its_part_and_is_told_what_it_does_not_see(keeping, role: Role, shown: Artifacts):
    attempt = ended_call(keeping)
    found = look_at(keeping.database, [attempt], role=role, operator="ann")[attempt]
    seen = Artifacts(found.transcript, found.summary, found.recording_url, found.cost_breakdown)
    assert seen == shown
    fields = ("transcript", "summary", "recording_url", "cost_breakdown")
    assert set(found.masked) == {field for field in fields if not getattr(shown, field)}


def test_a_look_at_what_was_said_is_on_record_and_names_nobody(keeping):
    attempt = ended_call(keeping)
    look_at(keeping.database, [attempt], role=Role.COMPLIANCE, operator="ann")
    look_at(keeping.database, [attempt], role=Role.OPERATOR, operator="ben")
    assert looks(keeping) == [
        ("ann", str(attempt), "transcript, summary, recording_url; role compliance"),
        ("ben", str(attempt), "summary; role operator"),
    ]


def test_a_look_that_shows_nothing_is_no_look(keeping):
    attempt = ended_call(keeping)
    look_at(keeping.database, [attempt], role=Role.VIEWER, operator="ann")
    look_at(keeping.database, [UUID(int=0)], role=Role.COMPLIANCE, operator="ann")
    assert looks(keeping) == []


def test_a_look_that_cannot_be_recorded_shows_nothing(keeping):
    attempt = ended_call(keeping)
    keeping.sql("ALTER TABLE operations ADD CHECK (operator <> 'nobody')")
    with pytest.raises(Exception, match="operations"):
        look_at(keeping.database, [attempt], role=Role.COMPLIANCE, operator="nobody")


# --- forgotten --------------------------------------------------------------------------------------------------


def test_one_persons_conversations_are_forgotten_those_that_wait_too_and_nobody_elses(keeping):
    ended_call(keeping)
    bens = ended_call(keeping, BEN, name="summer")
    anns_call = keeping.one("SELECT call_id FROM attempts WHERE number = :number", number=ANN)
    keeping.intake.accept("sim", _receipt(keeping, anns_call))
    assert forget_conversations(keeping.database, ANN, operator="ann") == 1
    assert keeping.inbox.process() == 1
    assert list(kept(keeping)) == [bens]
    ((action, subject),) = keeping.sql("SELECT action, subject FROM operations")
    assert (action, subject) == ("forget conversations", "1 attempts of one number")
