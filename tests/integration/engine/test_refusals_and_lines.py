"""A line that is spent or unfit, settings or a key that are refused: nobody is lost, nobody is burned by them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, NotDialed, NotDialedKind, Phase, Placed, Trouble
from campaigns.runtime.law import gatekeeper
from campaigns.services.account_notes import REFUSALS_IN_A_ROW
from campaigns.services.control import Control
from campaigns.services.status import campaign_status
from campaigns.services.why import Why

NEW_YORK = "+12125550123"
LONDON = "+442079460123"
TORONTO = "+14165550123"


def numbers(count):
    return [f"+12125550{index:03d}" for index in range(100, 100 + count)]


def refusing(kind, message="no", **values):
    return lambda request: NotDialed(kind, message, **values)


def accepting(request):
    return Placed(f"call-{request.attempt_id}")


def wait_out(world):
    """The cool-down passes, and every wait of a call."""
    world.sql("UPDATE accounts SET cooldown_until = NULL")
    world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE state = 'scheduled'")
    world.sql("UPDATE pace SET next_at = clock_timestamp(), gaps = '[]'")


def ended(world, call, outcome, *, trouble=None, reason="because", counts=True, retryable=False):
    """The provider accepted the call and now says how it ended."""
    attempt = world.newest_attempt(call)
    verdict = Verdict(outcome, retryable, counts)
    world.receive(CallReport(f"call-{attempt}", attempt, Phase.REPORTED, verdict, ended_reason=reason, trouble=trouble))


def control(world):
    return Control(world.database, operator="ann", wait=lambda duration: None)


# --- lines --------------------------------------------------------------------------------------------------------


def test_a_line_that_is_spent_for_the_day_leaves_its_customer_to_another_line_at_once(world):
    call = world.call(world.campaign(), NEW_YORK, line="line-1")
    world.provider.answer = lambda request: (
        NotDialed(NotDialedKind.LINE_LIMIT, "400: daily limit") if request.line == "line-1" else accepting(request)
    )
    world.dial_all()
    waits = world.one("SELECT due_at - campaign_now(clock_campaign_at, clock_machine_at, clock_speed) FROM calls q "
                      "JOIN campaigns c ON c.id = q.campaign_id")  # fmt: skip
    assert waits <= timedelta(seconds=10)
    wait_out(world)
    world.dial_all()
    assert [request.line for request in world.provider.dials] == ["line-1", "line-2"]
    assert (world.state(call), world.sql("SELECT attempts, requests FROM calls")) == ("in_progress", [(1, 1)])


def test_a_line_that_is_spent_is_closed_until_midnight_utc_also_when_an_end_tells(world):
    call = world.call(world.campaign(), NEW_YORK, line="line-1")
    world.dial_all()
    ended(world, call, Outcome.PROVIDER_ERROR, trouble=Trouble.LINE_SPENT, counts=False, retryable=True)
    assert world.one(
        """SELECT held_until = date_trunc('day', clock_timestamp(), 'UTC') + interval '1 day'
        FROM line_holds WHERE line = 'line-1'"""
    )
    wait_out(world)
    world.dial_all()
    assert [request.line for request in world.provider.dials] == ["line-1", "line-2"]
    assert world.sql("SELECT attempts, requests FROM calls") == [(1, 1)]


def told_by_refusal(world, call):
    world.provider.answer = lambda request: (
        NotDialed(NotDialedKind.LINE_UNFIT, "400: no international calls")
        if request.line == "line-1"
        else accepting(request)
    )
    world.dial_all()


def told_by_end(world, call):
    world.dial_all()
    ended(world, call, Outcome.CONFIG_ERROR, trouble=Trouble.LINE_UNFIT, counts=False)


@pytest.mark.parametrize("tell", [told_by_refusal, told_by_end])
def test_a_line_that_calls_no_other_country_leaves_it_to_one_that_does(world, tell):
    campaign = world.campaign()
    call = world.call(campaign, LONDON, line="line-1")
    world.claim._gatekeeper = _AtHome(world.gate)
    tell(world, call)
    wait_out(world)
    world.dial_all()
    assert [request.line for request in world.provider.dials] == ["line-1", "line-2"]
    assert (world.state(call), world.sql("SELECT attempts, requests FROM calls")) == ("in_progress", [(1, 1)])
    assert world.one("SELECT count(*) FROM alarms WHERE kind = 'line_unfit'") == 1
    assert world.one("SELECT state FROM campaigns") == "active"


def test_where_no_line_can_call_a_country_its_calls_end_with_that_reason_and_hold_up_nobody(world):
    campaign = world.campaign(lines=["line-1"])
    world.sql("INSERT INTO line_bars VALUES ('line-1', 'GB', clock_timestamp() + interval '1 hour')")
    abroad = [world.call(campaign, f"+4420794601{n:02d}") for n in range(20)]
    home = world.call(campaign, NEW_YORK)
    world.sql("UPDATE accounts SET concurrency = 4")
    for _ in range(7):
        world.dial_all()
    assert {(world.state(call), world.reason(call)) for call in abroad} == {("failed", "no_line_for_country")}
    assert world.state(home) == "in_progress"
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_line_barred_for_canada_still_calls_the_united_states(world):
    campaign = world.campaign(lines=["line-1"])
    world.sql("INSERT INTO line_bars VALUES ('line-1', 'CA', clock_timestamp() + interval '1 hour')")
    canada, home = world.call(campaign, TORONTO), world.call(campaign, NEW_YORK)
    world.dial_all()
    assert (world.state(canada), world.state(home)) == ("failed", "in_progress")


def test_a_line_is_asked_again_tomorrow_and_its_daily_cap_holds_meanwhile(world):
    campaign = world.campaign(line_daily_limit=1)
    world.sql("INSERT INTO line_bars VALUES ('line-1', 'US', clock_timestamp() - interval '1 second')")
    for number in numbers(3):
        world.call(campaign, number)
    world.dial_all()
    assert sorted(request.line for request in world.provider.dials) == ["line-1", "line-2"]


class _AtHome:
    """The gate, which takes every number for one in New York: it knows no windows of other countries yet."""

    def __init__(self, gate):
        self._gate = gate

    def decide_call(self, facts, *, now):
        return self._gate.decide_call(replace(facts, number=NEW_YORK), now=now)

    def __getattr__(self, name):
        return getattr(self._gate, name)


# --- settings and credentials -------------------------------------------------------------------------------------


def test_a_refused_key_pauses_the_account_with_the_providers_words_and_uses_no_call_up(world):
    first, second = world.campaign("one"), world.campaign("two")
    calls = [world.call(campaign, number) for campaign, number in zip([first, second] * 3, numbers(6), strict=True)]
    world.provider.answer = refusing(NotDialedKind.CREDENTIALS, "401: Invalid Key. Hot tip")
    world.dial_all()
    reason = world.one("SELECT paused_reason FROM accounts")
    assert "5 calls in a row" in reason
    assert "Invalid Key. Hot tip" in reason
    assert world.sql("SELECT DISTINCT state FROM campaigns") == [("active",)]
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(0, 0)]
    assert world.one("SELECT kind FROM alarms") == "account_paused"
    (hold,) = Why(world.database, gatekeeper()).campaign("one").holds
    assert hold.do == "mend what it names, then `ringfence resume one`"
    for _ in range(4):  # mended badly, four times over
        control(world).resume("one")
        wait_out(world)
        world.dial_all()
    assert {world.state(call) for call in calls} == {"scheduled"}
    world.provider.answer = accepting
    control(world).resume("two")
    wait_out(world)
    world.dial_all()
    assert {world.state(call) for call in calls} == {"in_progress"}


def test_refused_settings_pause_their_campaign_and_no_other(world):
    wrong, right = world.campaign("wrong"), world.campaign("right")
    for number in numbers(8):
        world.call(wrong, number)
    good = world.call(right, NEW_YORK)
    world.provider.answer = lambda request: (
        accepting(request)
        if request.number == NEW_YORK
        else NotDialed(NotDialedKind.CONFIG_ERROR, "404: assistant not found")
    )
    world.dial_all()
    state, reason = world.sql("SELECT state, state_reason FROM campaigns WHERE name = 'wrong'")[0]
    assert state == "paused"
    assert "404: assistant not found" in reason
    assert world.one("SELECT paused_reason FROM accounts") is None
    assert world.one("SELECT state FROM campaigns WHERE name = 'right'") == "active"
    assert world.state(good) == "in_progress"
    assert "404: assistant not found" in campaign_status(world.database, "wrong").held_by


def test_resume_starts_the_counting_anew(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(REFUSALS_IN_A_ROW)]
    world.provider.answer = refusing(NotDialedKind.CONFIG_ERROR)
    world.dial_all()
    assert control(world).resume("spring").changed
    assert world.one("SELECT config_errors FROM campaigns") == 0
    wait_out(world)
    world.provider.answer = accepting
    world.dial_all()
    assert {world.state(call) for call in calls} == {"in_progress"}


def test_a_success_in_between_breaks_the_row(world):
    campaign = world.campaign()
    world.sql("UPDATE accounts SET concurrency = 1")
    for round_, number in enumerate(numbers(3 * REFUSALS_IN_A_ROW)):
        world.call(campaign, number)
        good = round_ % REFUSALS_IN_A_ROW == REFUSALS_IN_A_ROW - 1
        world.provider.answer = accepting if good else refusing(NotDialedKind.CONFIG_ERROR)
        world.dial_all()
        world.sql("DELETE FROM live")
    assert world.one("SELECT state FROM campaigns") == "active"


def test_calls_that_all_end_for_the_same_setting_pause_the_campaign_although_each_was_accepted(world):
    campaign = world.campaign()
    for number in numbers(REFUSALS_IN_A_ROW):
        call = world.call(campaign, number)
        world.dial_all()
        ended(world, call, Outcome.CONFIG_ERROR, reason="assistant-not-found", counts=False)
    state, reason = world.sql("SELECT state, state_reason FROM campaigns")[0]
    assert state == "paused"
    assert "assistant-not-found" in reason


@pytest.mark.parametrize(("between", "state"), [(Outcome.ANSWERED, "active"), (Outcome.NO_ANSWER, "paused")])
def test_only_a_conversation_shows_that_the_settings_work(world, between, state):
    campaign = world.campaign()
    for index, number in enumerate(numbers(REFUSALS_IN_A_ROW + 1)):
        call = world.call(campaign, number)
        world.dial_all()
        ended(world, call, between if index == 2 else Outcome.CONFIG_ERROR, counts=False)
    assert world.one("SELECT state FROM campaigns") == state


def test_a_frozen_subscription_pauses_the_account_and_fails_nobody(world):
    campaign = world.campaign()
    calls = []
    for number in numbers(REFUSALS_IN_A_ROW):
        calls.append(world.call(campaign, number))
        world.dial_all()
        reason = "call.start.error-subscription-frozen"
        ended(world, calls[-1], Outcome.CONFIG_ERROR, trouble=Trouble.CREDENTIALS, reason=reason, counts=False)
    assert "subscription-frozen" in world.one("SELECT paused_reason FROM accounts")
    assert {world.state(call) for call in calls} == {"scheduled"}
    assert world.sql("SELECT DISTINCT attempts, requests FROM calls") == [(0, 0)]
