"""Feed under pressure: fair shares, lines that are spent, a group that was quiet, an account lock that is held."""

from datetime import timedelta

from campaigns.calls.outcomes import Outcome
from campaigns.services.ports import CallRef
from campaigns.store import feed as feed_rows

NEW_YORK = "+12125550101"


def numbers(count, *, code="212"):
    return [f"+1{code}55501{index:02d}" for index in range(count)]


def set_limits(world, *, concurrency=100, calls_per_second=1000.0):
    world.sql("UPDATE accounts SET concurrency = :c, calls_per_second = :s", c=concurrency, s=calls_per_second)


def live_of(world, campaign):
    return world.one("SELECT count(*) FROM live WHERE holds_slot AND campaign_id = :id", id=campaign)


def test_equal_campaigns_keep_equal_shares_when_slots_come_free_one_by_one(world):
    first, second = world.campaign("first"), world.campaign("second")
    for number in numbers(12):
        world.call(first, number)
    for number in numbers(12, code="213"):
        world.call(second, number)
    set_limits(world, concurrency=2)
    world.dial_all()
    for _ in range(6):
        oldest = world.one("SELECT call_id FROM attempts WHERE closed_at IS NULL ORDER BY claimed_at, call_id LIMIT 1")
        world.finish(oldest, Outcome.ANSWERED)
        world.dial_all()
    dialed = {
        campaign: world.one("SELECT count(*) FROM attempts WHERE campaign_id = :id", id=campaign)
        for campaign in (first, second)
    }
    assert abs(dialed[first] - dialed[second]) <= 2, dialed


def test_a_campaign_whose_lines_are_spent_for_the_day_holds_up_no_other(world):
    spent = world.campaign("spent", priority=1, line_daily_limit=1)
    other = world.campaign("other")
    world.sql("UPDATE campaigns SET lines = ARRAY['line-9'] WHERE id = :id", id=spent)
    for number in numbers(4):
        world.call(spent, number)
    world.call(other, "+12135550101")
    set_limits(world, concurrency=2)
    world.dial_all()  # line-9 is spent now
    world.dial_all()
    assert live_of(world, spent) == 1
    assert live_of(world, other) == 1


def test_a_group_that_was_quiet_is_not_held_for_want_of_a_worker_by_anothers_backlog(world):
    campaign = world.campaign()
    first, second, _ = (world.call(campaign, number) for number in numbers(3))
    set_limits(world, concurrency=1)
    world.dial_all()  # the worker proves itself
    world.finish(first, Outcome.ANSWERED)
    world.dial_all()  # within the same second: taken and dialed, but no second proof is written
    # a long conversation; both instants lie a minute back
    world.sql("UPDATE accounts SET released_at = released_at - interval '1 minute'")
    world.sql("UPDATE consumption SET consumed_at = consumed_at - interval '1 minute'")
    world.finish(second, Outcome.ANSWERED)
    world.publisher.messages.append((campaign + 1, [CallRef(999, 1)]))  # another account keeps the queue busy
    assert [world.feed.run("g").released for _ in range(3)].count(1) == 1


def test_a_feeder_that_holds_its_lock_holds_up_no_claim(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    with world.database.begin() as frozen_feeder:
        feed_rows.lock_accounts(frozen_feeder, "g")
        claimed = world.claim.run(refs, campaign_id=campaign_id, task_id="t")
    assert [each.call.id for each in claimed.calls] == [call]


def test_a_rotated_key_does_not_forget_the_calls_in_flight(world):
    campaign = world.campaign()
    for number in numbers(6):
        world.call(campaign, number)
    set_limits(world, concurrency=3)
    world.dial_all()
    world.sql("UPDATE accounts SET limit_group = 'g2'")  # another key, the same account at the provider
    assert world.feed.run("g2").released == 0


class Stumbling:
    """A gate that cannot judge one number: a fault of ours, or a row that this version cannot read."""

    def __init__(self, gate, number):
        self._gate = gate
        self._number = number

    def __getattr__(self, name):
        return getattr(self._gate, name)

    def decide_call(self, facts, *, now):
        if facts.number == self._number:
            raise ValueError("unreadable")
        return self._gate.decide_call(facts, now=now)


def test_one_person_whose_record_cannot_be_judged_does_not_stop_the_group(world):
    campaign = world.campaign()
    good, bad = world.call(campaign, NEW_YORK), world.call(campaign, "+12125550102")
    world.claim._gatekeeper = Stumbling(world.gate, "+12125550102")
    world.dial_all()  # a fast account: both travel in one message
    assert world.state(good) == "in_progress"
    assert world.state(bad) == "scheduled"
    assert world.attempt_states(bad) == []
    assert list(world.live_numbers()) == [NEW_YORK]
    assert world.feed.run("g").released == 0


def test_a_message_that_redis_lost_is_sent_again_within_seconds(world):
    campaign = world.campaign()
    call = world.call(campaign, NEW_YORK)
    world.feed.run("g")
    world.publisher.messages.clear()
    world.feed.run("g")
    assert world.publisher.messages == []  # it may still be on its way
    world.pass_time(timedelta(seconds=5))
    world.feed.run("g")
    assert world.publisher.messages == [(campaign, [CallRef(call, 1)])]
    world.deliver(times=2)
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_message_that_waits_in_the_queue_is_not_sent_again(world):
    world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.pass_time(timedelta(seconds=5))
    world.feed.run("g")
    assert len(world.publisher.messages) == 1
