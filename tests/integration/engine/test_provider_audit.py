"""The audit against the provider: each of its calls has one attempt, each attempt its call; the rest is told."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, FateUnknown, Listing, Origin, Phase, ProviderUnavailableError
from campaigns.services.daily_audit import DailyAudit
from campaigns.services.provider_audit import AuditSpanError, ProviderAudit, UnknownAuditAccountError
from campaigns.services.restored import Restored, lift

NEW_YORK = "+12125550101"
NUMBERS = [f"+121255501{n:02}" for n in range(10)]
HOUR = timedelta(hours=1)
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)


class Portal:
    """What the provider has on its books: calls with the instant at which each was made."""

    def __init__(self, world, run_async):
        self.world = world
        self.audit = ProviderAudit(world.database, world.recorder, {"sim": world.provider}, run_async=run_async)
        self.calls = []
        self.spans = []
        self.incomplete_above = timedelta.max
        world.provider.list_calls = self.list_calls
        world.provider.fetch = self.fetch

    async def list_calls(self, *, created_from, created_to):
        if self.world.provider.unavailable:
            raise ProviderUnavailableError("503")
        self.spans.append((created_from, created_to))
        inside = [each for each in self.calls if created_from <= each.origin.created_at <= created_to]
        return Listing(inside, created_to - created_from <= self.incomplete_above)

    async def fetch(self, provider_call_id):
        if self.world.provider.unavailable:
            raise ProviderUnavailableError("503")
        return next((each for each in self.calls if each.provider_call_id == provider_call_id), None)

    def knows(self, call, **values):
        """The provider has the call's newest attempt on its books; returns its report."""
        (row,) = self.world.sql(
            "SELECT id, number, line, claimed_at FROM attempts WHERE call_id = :id ORDER BY attempt_no DESC LIMIT 1",
            id=call,
        )
        origin = Origin(False, row.line, row.number, row.claimed_at)
        report = CallReport(f"call-{row.id}", row.id, Phase.REPORTED, ANSWERED, origin=origin)
        self.calls.append(replace(report, **values))
        return self.calls[-1]

    def has(self, provider_call_id, *, ago=HOUR, echo=None, line="line-1", number="+12125550177", inbound=False):
        """A call that somebody made."""
        created_at = self.world.one("SELECT clock_timestamp()") - ago
        origin = Origin(inbound, line, number, created_at)
        self.calls.append(CallReport(provider_call_id, echo, Phase.REPORTED, ANSWERED, origin=origin))

    def run(self, *, back=3 * HOUR):
        return self.audit.run("sim", since=self.world.one("SELECT clock_timestamp()") - back)

    def alarms(self):
        return [row.kind for row in self.world.sql("SELECT kind FROM alarms ORDER BY id")]


@pytest.fixture
def portal(world, run_async):
    return Portal(world, run_async)


def dialed(world, count=1, *, answer=None, **campaign):
    """Calls of one campaign, dialed an hour ago."""
    campaign_id = world.campaign(**campaign)
    calls = [world.call(campaign_id, number) for number in NUMBERS[:count]]
    world.provider.answer = answer or type(world.provider)().answer
    world.dial_all()
    world.pass_time(HOUR)
    return calls


def test_a_day_on_which_all_is_well_is_explained_call_by_call(world, portal):
    for call in dialed(world, 5):
        portal.knows(call)
    result = portal.run()
    assert (result.calls, result.matched, result.explained, result.proves_all) == (5, 5, True, True)
    assert portal.alarms() == []


def test_a_call_on_our_line_that_no_attempt_explains_is_written_down_with_one_alarm(world, portal):
    dialed(world)
    portal.has("call-by-hand")
    for _ in range(2):
        result = portal.run()
        assert (result.strays, result.explained) == (1, False)
    assert portal.alarms().count("stray_call") == 1
    assert world.one("SELECT provider_call_id FROM stray_calls") == "call-by-hand"


def test_a_call_with_a_key_of_ours_that_the_record_forgot_is_a_stray_on_whatever_line(world, portal):
    dialed(world, 0)
    portal.has("forgotten", echo=uuid4(), line="line-of-a-forgotten-campaign")
    assert portal.run().new_strays == 1


def test_calls_to_us_and_on_other_peoples_lines_are_foreign_and_no_alarm(world, portal):
    dialed(world, 0)
    portal.has("somebody-rang-us", inbound=True)
    portal.has("another-team", line="their-line")
    portal.has("a-web-call", line=None)
    result = portal.run()
    assert (result.calls, result.foreign, result.explained) == (3, 3, True)
    assert portal.alarms() == []


def test_calls_of_another_account_of_ours_at_the_same_provider_are_explained(world, portal):
    """Two keys of one organisation list each other's calls."""
    (call,) = dialed(world)
    portal.knows(call)
    world.sql(
        """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second,
            ring_timeout, max_duration, reconcile_after, webhooks)
        SELECT 'sister', provider, 'h', simulator, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    world.sql("UPDATE attempts SET account = 'sister'")
    result = portal.run()
    assert (result.matched, result.strays, result.missing) == (1, 0, 0)


def test_a_second_call_for_one_attempt_is_a_double_dial_and_told_once(world, portal):
    (call,) = dialed(world)
    first = portal.knows(call)
    portal.knows(call, provider_call_id="call-again")
    results = [portal.run() for _ in range(2)]
    assert [result.strays for result in results] == [1, 1]
    assert portal.alarms() == ["second_provider_call"]
    assert world.sql("SELECT provider_call_id, attempt_id FROM stray_calls") == [("call-again", first.attempt_id)]


def test_a_lost_attempt_that_the_provider_knows_is_adopted(world, portal):
    (call,) = dialed(world, answer=lambda request: FateUnknown("lost"))
    portal.knows(call)
    result = portal.run()
    assert (result.found, result.held, result.matched, result.explained) == (1, 0, 1, True)
    assert world.state(call) == "completed"
    assert portal.run().found == 0, "the second audit has nothing left to find"


def test_a_lost_attempt_is_found_by_number_where_the_provider_keeps_no_key_of_ours(world, portal):
    (call,) = dialed(world, answer=lambda request: FateUnknown("lost"))
    report = portal.knows(call)
    portal.calls = [replace(report, attempt_id=None)]

    async def find(sought, *, created_from, created_to):
        mine = [replace(report, attempt_id=each.attempt_id) for each in sought if each.number == report.origin.number]
        return Listing(mine, complete=True)

    world.provider.find = find
    result = portal.run()
    assert (result.found, result.matched, result.strays) == (1, 1, 0)


def test_a_lost_attempt_that_the_provider_does_not_know_stays_held_and_nobody_redials_it(world, portal):
    (call,) = dialed(world, answer=lambda request: FateUnknown("lost"), ambiguous="redial")
    result = portal.run()
    assert (result.absent, result.held, result.explained) == (1, 1, False)
    assert world.state(call) == "fate_unknown"


def test_an_attempt_whose_call_the_provider_does_not_know_raises_one_alarm(world, portal):
    dialed(world)
    results = [portal.run() for _ in range(2)]
    assert [result.missing for result in results] == [1, 1]
    assert portal.alarms() == ["call_missing"]


def test_a_call_that_is_missing_from_the_list_only_is_not_missing(world, portal):
    (call,) = dialed(world)
    report = portal.knows(call)

    async def fetch(provider_call_id):
        return report

    portal.calls = []
    world.provider.fetch = fetch
    assert portal.run().missing == 0


def test_a_call_that_was_refused_and_made_all_the_same_is_adopted_with_its_alarm(world, portal):
    from campaigns.providers.contract import NotDialed, NotDialedKind

    (call,) = dialed(world, answer=lambda request: NotDialed(NotDialedKind.NO_CONNECTION, "refused"))
    portal.knows(call)
    assert portal.run().found == 1
    assert portal.alarms() == ["reported_but_not_dialed"]
    assert world.state(call) == "completed"


def test_calls_of_the_last_minutes_are_left_to_the_next_audit(world, portal):
    dialed(world, 0)
    portal.has("just-now", ago=timedelta(minutes=2))
    result = portal.run()
    assert (result.calls, result.strays) == (0, 0)


def test_a_busy_day_is_listed_in_shorter_stretches_and_each_call_counted_once(world, portal, monkeypatch):
    monkeypatch.setattr("campaigns.services.provider_audit.MANY", 3)
    monkeypatch.setattr("campaigns.services.provider_audit.FEW", 1)
    for call in dialed(world, 10):
        portal.knows(call)
    for n in range(40):
        portal.has(f"theirs-{n}", line="their-line", ago=timedelta(minutes=10 + n))
    result = portal.run()
    assert (result.calls, result.matched, result.foreign, result.missing) == (50, 10, 40, 0)
    lengths = [created_to - created_from for created_from, created_to in portal.spans]
    assert min(lengths) < timedelta(minutes=3), "ten attempts of one minute"
    assert max(lengths) <= timedelta(hours=1)


def test_a_list_that_is_not_complete_is_asked_for_in_parts_and_told_if_that_does_not_help(world, portal, monkeypatch):
    for call in dialed(world, 3):
        portal.knows(call)
    monkeypatch.setattr("campaigns.services.provider_audit.FEW", 2)
    portal.incomplete_above = timedelta(minutes=4)
    portal.run()
    lengths = [created_to - created_from for created_from, created_to in portal.spans]
    assert min(lengths) <= timedelta(minutes=4), "halved where it held too much"
    portal.incomplete_above = timedelta(0)
    result = portal.run(back=timedelta(minutes=6))
    assert result.gaps > 0
    assert not result.explained


def test_where_nothing_can_be_listed_each_call_is_asked_after_and_strays_stay_unseen(world, portal):
    world.provider.capabilities = replace(world.provider.capabilities, lists_calls=False)
    there, gone = dialed(world, 2)
    portal.knows(there)
    portal.has("call-by-hand")
    result = portal.run()
    assert portal.spans == []
    assert (result.missing, result.strays) == (1, 0)
    portal.knows(gone)
    again = portal.run()
    assert (again.explained, again.proves_all) == (True, False)


def test_one_that_the_provider_gives_no_answer_about_is_unproven_not_missing(world, portal):
    dialed(world)

    async def fetch(provider_call_id):
        raise ProviderUnavailableError("503")

    world.provider.fetch = fetch
    result = portal.run()
    assert (result.unproven, result.missing, result.explained) == (1, 0, False)


def test_a_span_without_anything_to_judge_and_an_unknown_account_are_told_so(world, portal):
    with pytest.raises(AuditSpanError, match="younger than 5 minutes"):
        portal.run(back=timedelta(minutes=1))
    with pytest.raises(UnknownAuditAccountError, match="'other'"):
        portal.audit.run("other", since=world.one("SELECT clock_timestamp()") - HOUR)


def test_a_stray_names_the_calls_that_still_wait_for_the_same_person(world, portal):
    waiting = world.call(world.campaign(), NEW_YORK)
    portal.has("forgotten", echo=uuid4(), number=NEW_YORK)
    portal.run()
    assert world.one("SELECT waiting_calls FROM stray_calls") == [waiting]


def test_a_live_call_without_a_time_is_left_to_the_audit_that_finds_it_dated(world, portal):
    dialed(world, 0)
    portal.has("talking")
    undated = replace(portal.calls[0], origin=replace(portal.calls[0].origin, created_at=None))

    async def list_calls(*, created_from, created_to):
        return Listing([undated], complete=True)

    world.provider.list_calls = list_calls
    assert portal.run().strays == 0


@pytest.mark.parametrize("written", ["+12025550100", "12025550100", "+1 (202) 555-0100"])
def test_a_line_is_ours_however_the_provider_writes_it(world, portal, written):
    world.campaign(lines=["+12025550100"])
    portal.has("call-by-hand", line=written)
    assert portal.run().strays == 1


# --- every day -------------------------------------------------------------------------------------------------------


@pytest.fixture
def daily(world, portal):
    return DailyAudit(world.database, portal.audit, {"sim": world.provider})


def make_due(world):
    world.sql("UPDATE accounts SET audit_due_at = clock_timestamp()")


def test_an_account_is_audited_once_a_day_however_often_beat_ticks(world, portal, daily):
    dialed(world, 0)
    assert daily.run() is None, "the first audit comes a day after the account"
    make_due(world)
    portal.has("call-by-hand")
    assert daily.run().strays == 1
    assert [daily.run() for _ in range(3)] == [None] * 3
    assert world.one("SELECT audit_due_at > clock_timestamp() + interval '23 hours' FROM accounts")


def test_days_on_which_nobody_looked_are_made_good(world, portal, daily):
    dialed(world, 0)
    make_due(world)
    world.sql("UPDATE accounts SET audited_until = clock_timestamp() - interval '5 days'")
    portal.has("of-last-week", ago=timedelta(days=4))
    assert daily.run().strays == 1


def test_a_provider_that_was_away_is_asked_again_in_an_hour_and_nothing_counts_as_seen(world, portal, daily):
    dialed(world, 0)
    make_due(world)
    world.provider.unavailable = True
    assert daily.run() is None
    assert world.one("SELECT audited_until FROM accounts") is None
    assert world.one("SELECT audit_due_at < clock_timestamp() + interval '2 hours' FROM accounts")


def test_time_that_cannot_be_listed_yet_is_looked_at_again_the_next_day(world, portal, daily):
    dialed(world, 0)
    make_due(world)
    portal.incomplete_above = timedelta(minutes=50)  # the last, longer stretches
    result = daily.run()
    assert result.gaps > 0
    assert result.since <= result.proven_until < result.until
    assert world.one("SELECT audited_until FROM accounts") == result.proven_until


def test_an_account_without_campaigns_is_not_asked(world, portal, daily):
    make_due(world)
    assert daily.run() is None
    assert portal.spans == []


# --- after a restore -------------------------------------------------------------------------------------------------


@pytest.fixture
def held(world, portal):
    """A restored database whose account was held ten minutes ago, for calls since three hours."""
    world.campaign()
    world.sql("UPDATE accounts SET simulator = false")
    world.sql("UPDATE campaigns SET created_at = clock_timestamp() - interval '3 hours'")
    world.sql("UPDATE system SET identity = 'elsewhere'")
    Restored(world.database).run()
    world.sql("UPDATE accounts SET unproven_at = unproven_at - interval '10 minutes'")
    return portal


def is_held(world):
    return world.one("SELECT unproven_reason IS NOT NULL FROM accounts")


def lifted(world, result, *, accept_strays=False):
    return lift(world.database, result, operator="ann", accept_strays=accept_strays)


def test_an_account_whose_calls_are_all_explained_dials_again(world, held):
    assert lifted(world, held.run(back=4 * HOUR)).why_not is None
    assert not is_held(world)
    assert world.sql("SELECT operator, action, subject FROM operations") == [("ann", "lift hold", "sim")]


def test_a_look_that_begins_too_late_lifts_nothing_and_says_from_when(world, held):
    answer = lifted(world, held.run(back=HOUR))
    assert "it has to be looked at from" in answer.why_not
    assert is_held(world)


def test_calls_that_are_too_young_to_be_judged_lift_nothing(world, held):
    world.sql("UPDATE accounts SET unproven_at = clock_timestamp()")
    answer = lifted(world, held.run(back=4 * HOUR), accept_strays=True)
    assert "run this again after" in answer.why_not
    assert is_held(world)


def test_a_call_that_the_backup_forgot_holds_the_account_until_a_person_accepts_it(world, held):
    held.has("forgotten", echo=uuid4())
    assert "unexplained" in lifted(world, held.run(back=4 * HOUR)).why_not
    assert is_held(world)
    assert lifted(world, held.run(back=4 * HOUR), accept_strays=True).why_not is None
    assert not is_held(world)


def test_where_nothing_can_be_listed_only_a_person_lifts_it(world, held):
    world.provider.capabilities = replace(world.provider.capabilities, lists_calls=False)
    assert "lists no calls" in lifted(world, held.run(back=4 * HOUR)).why_not
    assert lifted(world, held.run(back=4 * HOUR), accept_strays=True).why_not is None


def test_an_account_that_is_not_held_has_nothing_to_lift(world, portal):
    dialed(world, 0)
    assert lifted(world, portal.run()).held is False
