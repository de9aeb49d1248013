"""What a person says in a call, or by calling us, and what follows from it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from campaigns.calls.conversation import Conversation
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, Phase, Receipt
from campaigns.services.callers import Callers
from campaigns.store import inbox

ANN, BEN = "+12125550101", "+12125550102"
OPT_OUT = Conversation(disposition="opt_out")
ANSWERED = Verdict(Outcome.ANSWERED, False, True)
NO_ANSWER = Verdict(Outcome.NO_ANSWER, True, True)


def change_definition(world: Any, **keys: Any) -> None:
    world.sql("UPDATE campaign_versions SET definition = definition || CAST(:keys AS jsonb)", keys=json.dumps(keys))


def end(world: Any, call: int, talk: Conversation, verdict: Verdict = ANSWERED, *, key: str | None = None) -> None:
    world.receive(world.report(call, Phase.REPORTED, verdict, conversation=talk), key=key)


def revocations(world: Any) -> list[tuple[Any, ...]]:
    found = world.sql("SELECT number, scope, scope_value, channel, words, attempt_id FROM revocations ORDER BY id")
    return [tuple(row) for row in found]


def test_an_opt_out_in_a_call_is_a_revocation_that_names_the_attempt(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    end(world, call, OPT_OUT)
    assert revocations(world) == [(ANN, "all", None, "call", "disposition opt_out", world.newest_attempt(call))]
    assert (world.state(call), world.reason(call)) == ("completed", "answered")


def test_an_opt_out_blocks_what_waits_for_the_person_in_every_campaign_and_nobody_else(world):
    first, second = world.campaign("first"), world.campaign("second")
    spoken = world.call(first, ANN)
    world.dial_all()
    waiting, other = world.call(second, ANN), world.call(second, BEN)
    end(world, spoken, OPT_OUT)
    assert (world.state(waiting), world.reason(waiting)) == ("blocked", "REV-ACTIVE")
    assert world.state(other) == "scheduled"


def test_a_call_that_was_to_be_tried_again_is_blocked_by_the_opt_out(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    end(world, call, OPT_OUT, NO_ANSWER)
    assert (world.state(call), world.reason(call)) == ("blocked", "REV-ACTIVE")


def test_a_call_released_already_is_refused_when_it_is_claimed(world):
    first, second = world.campaign("first"), world.campaign("second")
    spoken = world.call(first, ANN)
    world.dial_all()
    waiting = world.call(second, ANN)
    world.feed.run("g")
    end(world, spoken, OPT_OUT)
    assert world.state(waiting) == "queued"
    world.deliver()
    assert (world.state(waiting), world.reason(waiting)) == ("blocked", "REV-ACTIVE")
    assert world.dials_by_number() == {ANN: 1}


@pytest.mark.parametrize(
    ("scope", "value"),
    [("seller", "Example Energy, Inc."), ("purpose", "telemarketing"), ("campaign", "first"), ("all", None)],
)
def test_the_campaign_says_how_far_an_opt_out_reaches(world, scope: str, value: str | None):
    call = world.call(world.campaign("first"), ANN)
    change_definition(world, optOut={"structuredData": {"wantsNoCalls": "true"}, "scope": scope})
    world.dial_all()
    other = world.call(world.campaign("second"), ANN)
    end(world, call, Conversation(answers={"wantsNoCalls": "true"}))
    assert [row[1:3] for row in revocations(world)] == [(scope, value)]
    assert world.state(other) == ("scheduled" if scope == "campaign" else "blocked")


def test_the_same_report_twice_and_two_reports_of_one_call_make_one_revocation(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    for key in ("a", "b", "c"):
        end(world, call, OPT_OUT, key=key)
    assert len(revocations(world)) == 1


def test_a_report_whose_transaction_died_leaves_the_number_held_and_is_applied_whole_later(world, monkeypatch):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    with monkeypatch.context() as dying:
        dying.setattr(inbox, "done", _die)
        with pytest.raises(OperationalError):
            end(world, call, OPT_OUT)
    assert (revocations(world), world.live_numbers(), world.state(call)) == ([], {ANN: True}, "in_progress")
    world.inbox.process()
    assert (len(revocations(world)), world.live_numbers(), world.state(call)) == (1, {}, "completed")


def _die(*_: Any) -> None:
    raise OperationalError("the connection was lost", {}, Exception())


def test_an_opt_out_told_after_the_call_was_closed_still_counts(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    assert world.state(call) == "scheduled"
    end(world, call, OPT_OUT, NO_ANSWER, key="late")
    assert len(revocations(world)) == 1
    assert (world.state(call), world.reason(call)) == ("blocked", "REV-ACTIVE")


def test_a_call_that_was_polled_at_its_end_waits_for_the_analysis(world):
    world.sql("UPDATE accounts SET webhooks = false")
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.pass_time(timedelta(seconds=3))
    world.provider.listed = [world.report(call, Phase.ENDED, ANSWERED)]
    world.poll.run()
    assert (world.state(call), world.live_numbers()) == ("in_progress", {ANN: False})
    world.pass_time(timedelta(seconds=3))
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED, conversation=OPT_OUT)]
    world.poll.run()
    assert world.state(call) == "completed"
    assert len(revocations(world)) == 1


def test_an_end_without_an_analysis_is_not_waited_for_without_bound(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.ENDED, ANSWERED)]
    world.pass_time(timedelta(minutes=23))
    world.poll.run()
    assert world.state(call) == "completed"


def test_what_was_said_is_erased_from_the_inbox_once_it_is_applied(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    end(world, call, OPT_OUT)
    assert world.one("SELECT report ? 'conversation' FROM inbox") is False


def test_the_disposition_stands_with_the_attempt(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    end(world, call, Conversation(disposition="booked"))
    assert world.one("SELECT disposition FROM attempts") == "booked"
    assert revocations(world) == []


@pytest.mark.parametrize(("verdict", "state"), [(ANSWERED, "completed"), (NO_ANSWER, "exhausted")])
def test_a_disposition_of_stop_when_ends_the_calling(world, verdict: Verdict, state: str):
    call = world.call(world.campaign(), ANN)
    change_definition(world, stopWhen={"dispositions": ["callback_agreed"]})
    world.dial_all()
    end(world, call, Conversation(disposition="callback_agreed"), verdict)
    assert (world.state(call), world.reason(call)) == (state, "disposition:callback_agreed")


def test_a_disposition_told_late_ends_a_call_that_waits_for_its_next_attempt(world):
    call = world.call(world.campaign(), ANN)
    change_definition(world, stopWhen={"dispositions": ["callback_agreed"]})
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    end(world, call, Conversation(disposition="callback_agreed"), NO_ANSWER, key="late")
    assert (world.state(call), world.reason(call)) == ("cancelled", "disposition:callback_agreed")


def call_us(world: Any, number: str, *, key: str = "in", talk: Conversation | None = None) -> None:
    report = CallReport("their-call", None, Phase.REPORTED, ANSWERED, conversation=talk or Conversation())
    world.intake.accept("sim", Receipt(key, "end-of-call-report", report, caller=number))
    world.inbox.process()
    Callers(world.database).process()


def test_a_call_back_ends_what_waits_where_the_campaign_says_so(world):
    ending, going_on = world.campaign("ending"), world.campaign("going-on")
    change_definition(world, stopWhen={"inboundCall": True})
    world.sql(
        """UPDATE campaign_versions SET definition = definition - 'stopWhen' WHERE campaign_id = :id""", id=going_on
    )
    ended, other, kept = world.call(ending, ANN), world.call(ending, BEN), world.call(going_on, ANN)
    call_us(world, ANN)
    assert (world.state(ended), world.reason(ended)) == ("cancelled", "inbound_call")
    assert (world.state(other), world.state(kept)) == ("scheduled", "scheduled")


def test_a_call_back_during_a_call_of_ours_ends_its_retries(world):
    call = world.call(world.campaign(), ANN)
    change_definition(world, stopWhen={"inboundCall": True})
    world.dial_all()
    call_us(world, ANN)
    assert world.state(call) == "in_progress"
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    assert (world.state(call), world.reason(call)) == ("cancelled", "inbound_call")


def test_a_call_back_leaves_no_number_in_the_inbox_and_is_done_once(world):
    world.campaign()
    call_us(world, ANN)
    call_us(world, ANN)
    assert [tuple(row) for row in world.sql("SELECT state, caller FROM inbox")] == [("done", None)]


def test_who_opts_out_in_a_call_to_us_is_heard(world):
    call = world.call(world.campaign(), ANN)
    call_us(world, ANN, talk=OPT_OUT)
    assert [row[:5] for row in revocations(world)] == [(ANN, "all", None, "inbound_call", "disposition opt_out")]
    assert (world.state(call), world.reason(call)) == ("blocked", "REV-ACTIVE")


@pytest.mark.parametrize("table", ["consents", "revocations", "revocation_returns"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_what_a_person_said_can_be_neither_changed_nor_removed(world, table: str, change: str):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    end(world, call, OPT_OUT)
    world.sql("INSERT INTO revocation_returns (revocation_id, calls_blocked) SELECT id, 0 FROM revocations")
    column = {"consents": "source", "revocations": "channel"}.get(table, "calls_blocked")
    with pytest.raises(DBAPIError, match="append-only"):
        world.sql(change.format(table, column, column))
