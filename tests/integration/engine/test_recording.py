"""Recording: one fact that cannot be written, one answer that comes after everything was decided."""

import json
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, FateUnknown, NotDialed, NotDialedKind, Phase, Placed, Receipt
from campaigns.services.record import Fact
from campaigns.services.results import ResultWriter

NEW_YORK = "+12125550101"
UNKNOWN = FateUnknown("lost")


def numbers(count):
    return [f"+121255501{index:02d}" for index in range(count)]


def test_one_answer_that_postgres_cannot_hold_costs_no_other_its_answer(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(10)]
    world.sql("UPDATE accounts SET calls_per_second = 500")  # one group, so one batch of answers
    spoiled = numbers(10)[0]

    def answer(request):
        if request.number == spoiled:
            return NotDialed(NotDialedKind.NO_CONNECTION, "400: a NUL \0 in the provider's words")
        return Placed(f"call-{request.attempt_id}")

    world.provider.answer = answer
    world.feed.run("g")
    world.deliver()
    assert [world.state(call) for call in calls] == ["scheduled"] + ["in_progress"] * 9


def test_one_listed_report_that_postgres_cannot_hold_stops_no_poll(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(5)]
    world.dial_all()
    verdict = Verdict(Outcome.ANSWERED, False, True)
    world.provider.listed = [
        world.report(call, Phase.REPORTED, verdict, ended_reason="a NUL \0" if call == calls[0] else "fine")
        for call in calls
    ]
    world.sql("UPDATE attempts SET check_at = now() - interval '1 second'")
    world.poll.run()
    assert [world.state(call) for call in calls] == ["completed"] * 5


def test_one_receipt_that_cannot_be_read_holds_up_no_other(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(5)]
    world.dial_all()
    for call in calls:
        report = world.report(call, Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True))
        world.intake.accept("sim", receipt(report))
    world.sql("UPDATE inbox SET report = CAST(:report AS jsonb) WHERE id = 3", report=json.dumps({"phase": "odd"}))
    world.inbox.process()
    assert sorted(world.state(call) for call in calls) == ["completed"] * 4 + ["in_progress"]


def test_our_own_answer_after_a_redial_raises_the_alarm_of_a_second_call(world):
    call = world.call(world.campaign(ambiguous="redial"), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    first = world.newest_attempt(call)
    world.reconcile.run()
    world.reconcile.run()
    assert world.state(call) == "scheduled"
    world.recorder.run([Fact(first, Placed("late"))])  # a worker that was frozen while it held the answer
    assert world.one("SELECT count(*) FROM alarms") == 1
    assert world.state(call) == "in_progress", "the redial that had not left yet never does"
    world.dial_all()
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_call_that_the_provider_reports_although_refused_is_not_rung_again(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: NotDialed(NotDialedKind.RATE_LIMITED, "429")
    world.dial_all()
    attempt_id = world.newest_attempt(call)
    world.receive(CallReport("call-1", attempt_id, Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True)))
    world.sql("UPDATE accounts SET cooldown_until = NULL")
    world.sql("UPDATE calls SET due_at = due_at - interval '1 hour' WHERE state = 'scheduled'")
    world.provider.answer = type(world.provider)().answer
    world.dial_all()
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_live_call_that_had_been_refused_takes_its_call_back_from_the_queue(world):
    world.provider.answer = lambda request: NotDialed(NotDialedKind.RATE_LIMITED, "429")
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.sql("UPDATE accounts SET cooldown_until = NULL")
    world.sql("UPDATE calls SET due_at = due_at - interval '1 hour'")
    world.feed.run("g")
    assert world.state(call) == "queued"
    refused = world.newest_attempt(call)
    world.receive(CallReport("call-1", refused, Phase.RINGING))
    world.deliver()  # the message of the queued call comes after the adoption
    assert (world.state(call), world.attempt_states(call)) == ("in_progress", ["in_progress"])
    assert world.live_numbers() == {NEW_YORK: True}
    assert world.one("SELECT counts FROM attempts") is True
    assert world.sql("SELECT attempts, requests FROM calls") == [(1, 1)]
    assert world.one("SELECT kind FROM alarms") == "reported_but_not_dialed"
    world.receive(CallReport("call-1", refused, Phase.REPORTED, Verdict(Outcome.NO_ANSWER, True, True)))
    assert world.state(call) == "scheduled"
    assert world.live_numbers() == {}


def test_answers_outlive_a_database_that_was_read_only_for_a_moment(world):
    """As after a failover; a transaction ended for idling while the process was frozen is of the same class."""
    call = world.call(world.campaign(), NEW_YORK)
    record, tries = world.recorder.run, []

    def read_only_at_first(facts):
        tries.append(facts)
        if len(tries) == 1:
            world.sql("SET TRANSACTION READ ONLY; UPDATE system SET stopped = false")
        return record(facts)

    world.recorder.run = read_only_at_first
    with suppress(DBAPIError):
        world.dial_all()
    assert world.state(call) == "in_progress"


def receipt(report):
    return Receipt(str(report.attempt_id), "end-of-call-report", report)


def commits_of(world, act):
    """How many transactions were committed meanwhile."""
    counted = []
    count = counted.append
    event.listen(world.database, "commit", count)
    try:
        act()
    finally:
        event.remove(world.database, "commit", count)
    return len(counted)


def test_answers_that_bring_no_news_of_their_account_are_recorded_in_one_transaction(world):
    campaign = world.campaign()
    for number in numbers(10):
        world.call(campaign, number)
    world.provider.answer = lambda request: FateUnknown("lost")
    world.dial_all()
    attempts = world.sql("SELECT id FROM attempts")
    placed = [Fact(attempt, Placed(f"call-{attempt}")) for (attempt,) in attempts]
    assert commits_of(world, lambda: world.recorder.run(placed)) == 1
    assert world.sql("SELECT state, count(*) FROM attempts GROUP BY 1") == [("in_progress", 10)]


def test_a_success_is_news_of_an_account_whose_refusals_are_being_counted(world):
    campaign = world.campaign()
    for number in numbers(2):
        world.call(campaign, number)
    world.provider.answer = lambda request: FateUnknown("lost")
    world.dial_all()
    world.sql("UPDATE accounts SET config_errors = 4")
    (attempt,), *_ = world.sql("SELECT id FROM attempts")
    world.recorder.run([Fact(attempt, Placed("call-1"))])
    assert world.one("SELECT config_errors FROM accounts WHERE name = 'sim'") == 0


def test_an_unforeseen_error_after_a_batch_leaves_the_writer_alive(world):
    """Else the process would go on to dial, and nothing of it would be on record any more."""
    campaign = world.campaign()
    refused, placed = (world.call(campaign, number) for number in numbers(2))

    def no_thread(limit_group):
        raise RuntimeError("can't start new thread")

    world.publisher.request_feed = no_thread
    world.provider.answer = lambda request: NotDialed(NotDialedKind.INVALID_NUMBER, "not a number")
    world.sql("UPDATE calls SET due_at = '2026-12-05' WHERE id = :id", id=placed)
    world.dial_all()
    assert world.state(refused) == "failed"
    world.provider.answer = lambda request: Placed(f"call-{request.attempt_id}")
    world.sql("UPDATE calls SET due_at = '2026-12-01' WHERE id = :id", id=placed)
    world.dial_all()
    assert world.state(placed) == "in_progress"


def test_an_unforeseen_error_after_one_answer_loses_no_other_of_its_batch(world):
    campaign = world.campaign()
    for number in numbers(2):
        world.call(campaign, number)
    world.provider.answer = lambda request: FateUnknown("lost")
    world.dial_all()
    record = world.recorder.run

    def one_at_a_time(facts):
        if len(facts) > 1:
            raise ValueError("unforeseen")
        return replace(record(facts), freed=frozenset({"g"}))

    def no_thread(limit_group):
        raise RuntimeError("can't start new thread")

    world.recorder.run, world.publisher.request_feed = one_at_a_time, no_thread
    writer = ResultWriter(world.recorder, world.publisher)
    for (attempt,) in world.sql("SELECT id FROM attempts"):
        writer.put(Fact(attempt, Placed(f"call-{attempt}")))
    writer.start()
    writer.stop()
    assert world.sql("SELECT state, count(*) FROM attempts GROUP BY 1") == [("in_progress", 2)]


def test_a_call_that_somebody_keeps_locked_keeps_no_other_answer_off_the_record(world):
    """A process that was frozen in the middle of its transaction holds its rows for half a minute."""
    campaign, written = world.campaign(), {}
    locked, free = (world.call(campaign, number) for number in numbers(2))
    put = world.results.put

    def remembered(fact):
        written[fact.attempt_id] = put(fact)
        return written[fact.attempt_id]

    world.results.put = remembered
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    with world.database.connect() as somebody:

        def answer(request):
            if request.number == numbers(2)[0]:
                somebody.execute(text("SELECT FROM calls WHERE id = :id FOR UPDATE"), {"id": locked})
            return Placed(f"call-{request.attempt_id}")

        world.provider.answer = answer
        world.dispatch.begin(refs, campaign_id=campaign_id, task_id="task-1")
        world.dispatch.drain()
        written[world.newest_attempt(free)].result(20)
        assert (world.state(locked), world.state(free)) == ("dialing", "in_progress")
    written[world.newest_attempt(locked)].result(20)
    assert world.state(locked) == "in_progress"


def test_an_answer_that_comes_after_the_writer_has_stopped_is_told_in_the_log(world, caplog):
    """Nobody waits for the write any more who could tell."""
    call = world.call(world.campaign(), NEW_YORK)
    world.results.stop()
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    world.dispatch.begin(refs, campaign_id=campaign_id, task_id="task-1")
    world.dispatch.drain()
    assert f"record_refused attempt_id={world.newest_attempt(call)}" in caplog.text
