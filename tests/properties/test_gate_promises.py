"""What the gate promises of every decision, whatever the facts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

import config
from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Decision, Permit, Refusal
from campaigns.compliance.facts import (
    CallingHours,
    CampaignSwitch,
    Consent,
    ConsentLevel,
    DayHours,
    Facts,
    PlaceEvidence,
    Plan,
    Purpose,
    ReassignedAnswer,
    Relationship,
    Revocation,
    Suppression,
)
from campaigns.compliance.gate import evaluate
from campaigns.compliance.law import law_for
from campaigns.compliance.places import place_of
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.windows import next_opening
from campaigns.compliance.zones import use_packaged_zones, zone
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules

DATA = Path(config.__file__).parent
SELLER = "Example Energy, Inc."
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2026, 11, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def rules() -> RuleBook:
    use_packaged_zones()
    return load_rules(DATA / "rules")


@lru_cache(maxsize=1)
def area_codes() -> AreaCodeTable:
    return load_area_codes(DATA / "area_codes.csv")


def decide(facts: Facts, now: datetime) -> Decision:
    return evaluate(facts, rules(), now, area_codes=area_codes())


# Days on which a clock changes or a holiday falls are likelier than chance would have them.
remarkable_days = [date(2027, 3, 14), date(2027, 11, 7), date(2026, 11, 26), date(2026, 12, 25)]
instants = st.builds(
    lambda day, quarters, seconds: FIRST + (day - FIRST.date()) + quarters * 15 * MINUTE + timedelta(seconds=seconds),
    st.one_of(st.dates(FIRST.date(), date(2027, 12, 20)), st.sampled_from(remarkable_days)),
    st.integers(0, 95),
    st.sampled_from([0, 0, 1, 59, 7 * 60 + 3]),
)
CODES = (212, 305, 423, 850, 214, 205, 601, 401, 860, 415, 801, 803, 702, 928, 907, 808, 787, 402, 207)
numbers = st.sampled_from([f"+1{code}5550123" for code in CODES])
places = st.builds(
    PlaceEvidence,
    state=st.sampled_from([None, None, None, "NY", "FL", "TX", "CA", "AL", "NE", "HI"]),
    timezone=st.sampled_from([None, None, None, "America/Chicago", "America/Phoenix", "Pacific/Guam"]),
)
days = st.one_of(
    st.none(),
    st.builds(
        lambda opens, length: DayHours(time(opens), time(opens + length) if opens + length < 24 else time.max),
        st.integers(0, 22),
        st.integers(1, 12),
    ),
)
calling_hours = st.one_of(st.none(), st.builds(CallingHours, st.tuples(*[days] * 7)))


lives = st.sampled_from([None, 2 * HOUR, 20 * HOUR, 3 * DAY])


def dealings(now: datetime, months: int) -> st.SearchStrategy[datetime | None]:
    """None, recent, or so long ago that the relationship ends within days."""
    since = [timedelta(), DAY, months * 30 * DAY - 2 * DAY, months * 30 * DAY + 9 * DAY]
    return st.one_of(st.none(), st.sampled_from([now - each for each in since]))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Facts, datetime]:
    now = draw(instants)
    ago = st.integers(1, 60 * 72).map(lambda minutes: now - minutes * MINUTE)
    purpose = draw(st.sampled_from([Purpose.TELEMARKETING, Purpose.TELEMARKETING, *Purpose]))
    own = draw(st.lists(ago, max_size=3))
    others = draw(st.lists(ago, max_size=8))
    life = draw(lives)
    plan = Plan(
        campaign="spring-renewal",
        purpose=purpose,
        seller=SELLER,
        switch=CampaignSwitch.ACTIVE,
        earliest_at=now + draw(st.sampled_from([-DAY, -DAY, 3 * HOUR])),
        latest_at=now + draw(st.sampled_from([2 * HOUR, 3 * DAY, 500 * DAY])),
        end_guard=draw(st.sampled_from([timedelta(), MINUTE, 20 * MINUTE])),
        calling_hours=draw(calling_hours),
        per_day=draw(st.sampled_from([None, 1, 2])),
        fictional_allowed=True,
        min_gap=draw(st.sampled_from([timedelta(), 4 * HOUR, 2 * DAY])),
    )
    facts = Facts(
        number=draw(numbers),
        plan=plan,
        evidence=draw(places),
        consents=(Consent(1, ConsentLevel.PEWC, SELLER, None, now - 30 * DAY, "form", life and now + life),),
        attempts=(*own, *others),
        own_attempts=tuple(own),
        other_attempt_at=max(others, default=None),
        debt_attempts=draw(st.sampled_from([None, tuple(others)])),
        conversations=tuple(draw(st.lists(ago, max_size=2))),
        relationship=Relationship(draw(dealings(now, 18)), draw(dealings(now, 3))),
    )
    return facts, now


@given(cases())
@settings(max_examples=400, deadline=None)
def test_a_permit_means_that_every_zone_is_inside_every_window_until_it_ends(case: tuple[Facts, datetime]) -> None:
    facts, now = case
    permit = decide(facts, now)
    if not isinstance(permit, Permit):
        return
    plan = facts.plan
    assert now < permit.window_ends_at <= plan.latest_at - plan.end_guard
    last_legal = permit.window_ends_at - timedelta(microseconds=1)
    for instant in (now, last_legal, last_legal + plan.end_guard):
        for name in permit.zones:
            assert_inside_every_window(permit, plan, instant, name)


def assert_inside_every_window(permit: Permit, plan: Plan, instant: datetime, name: str) -> None:
    local = instant.astimezone(zone(name))
    clock = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    for rule in law_for(rules(), permit.jurisdictions, plan.purpose).windows:
        hours = rule.hours_on(local.date())
        assert hours is not None
        assert hours.opens <= clock < hours.closes
    if plan.calling_hours is not None:
        day = plan.calling_hours.days[local.weekday()]
        assert day is not None
        assert day.opens <= local.time() <= day.closes


@given(cases())
@settings(max_examples=300, deadline=None)
def test_the_next_instant_really_permits_and_a_minute_before_it_does_not(case: tuple[Facts, datetime]) -> None:
    facts, now = case
    refusal = decide(facts, now)
    assume(isinstance(refusal, Refusal) and refusal.waits)
    assert isinstance(refusal, Refusal)
    next_allowed_at = refusal.next_allowed_at
    assert next_allowed_at is not None
    assert next_allowed_at > now
    assert isinstance(decide(facts, next_allowed_at), Permit)
    if next_allowed_at - MINUTE > now:
        earlier = decide(facts, next_allowed_at - MINUTE)
        assert isinstance(earlier, Refusal)
        assert earlier.next_allowed_at == next_allowed_at


@given(cases(), st.integers(1, 60 * 24 * 3))
@settings(max_examples=300, deadline=None)
def test_nothing_is_permitted_before_the_next_instant(case: tuple[Facts, datetime], minutes: int) -> None:
    facts, now = case
    refusal = decide(facts, now)
    assume(isinstance(refusal, Refusal))
    assert isinstance(refusal, Refusal)
    later = now + minutes * MINUTE
    if refusal.next_allowed_at is None or later < refusal.next_allowed_at:
        assert isinstance(decide(facts, later), Refusal)


Restriction = Callable[[Facts, datetime], Facts]


def of_plan(**changes: Any) -> Restriction:
    return lambda facts, _: replace(facts, plan=replace(facts.plan, **changes))


def of_facts(**changes: Any) -> Restriction:
    return lambda facts, _: replace(facts, **changes)


def one_attempt_more(facts: Facts, now: datetime) -> Facts:
    attempt = now - MINUTE
    return replace(facts, attempts=(attempt, *facts.attempts), own_attempts=(attempt, *facts.own_attempts))


def shorter_consents(facts: Facts, *, until: datetime) -> Facts:
    cut = (replace(one, expires_at=min(one.expires_at or until, until)) for one in facts.consents)
    return replace(facts, consents=tuple(cut))


RESTRICTIONS: dict[str, Restriction] = {
    "paused": of_plan(switch=CampaignSwitch.PAUSED),
    "cancelled": of_plan(switch=CampaignSwitch.CANCELLED),
    "halted": of_plan(halted="stopped"),
    "closed": of_plan(calling_hours=CallingHours((None,) * 7)),
    "once a day": lambda facts, _: of_plan(per_day=min(facts.plan.per_day or 1, 1))(facts, _),
    "a wider guard": lambda facts, _: of_plan(end_guard=facts.plan.end_guard + HOUR)(facts, _),
    "a sooner end": lambda facts, _: of_plan(latest_at=facts.plan.latest_at - HOUR)(facts, _),
    "suppressed": of_facts(suppressions=(Suppression("internal", "all", None),)),
    "revoked": lambda facts, now: replace(facts, revocations=(Revocation("all", None, now),)),
    "no consent": of_facts(consents=()),
    "on a state list": of_facts(dnc_state=True),
    "reassigned": of_facts(reassigned="yes"),
    "one attempt more": one_attempt_more,
    "no relationship": of_facts(relationship=None),
    "an older purchase": lambda facts, now: replace(facts, relationship=Relationship(transaction_at=now - 900 * DAY)),
    "a shorter consent": lambda facts, now: shorter_consents(facts, until=now + HOUR),
    "no artificial voice": lambda facts, _: replace(
        facts, consents=tuple(replace(one, artificial_voice=False) for one in facts.consents)
    ),
    "hung up": of_facts(hung_up=True),
    "another campaign's call": lambda facts, now: replace(facts, other_attempt_at=now - MINUTE),
    "a wider gap": lambda facts, _: of_plan(min_gap=facts.plan.min_gap + HOUR)(facts, _),
    "a conversation": lambda facts, now: replace(facts, conversations=(*facts.conversations, now - HOUR)),
    "any debt": of_facts(debt_attempts=None),
    "an answer yes": lambda facts, now: replace(
        facts, reassigned_answers=(*facts.reassigned_answers, ReassignedAnswer("yes", now.date(), now))
    ),
    "not approved": of_plan(unapproved="a second person"),
    "not covered": of_facts(dnc_registry="read", dnc_covered=False),
    "no registry": of_facts(dnc_registry="missing"),
    "an unreadable registry": of_facts(dnc_registry="unreadable"),
    "an emergency": of_facts(emergencies=frozenset({"US-NY", "US-LA"})),
    "an old list": of_facts(dnc_list_age=40 * DAY),
}


@given(cases(), st.sampled_from(sorted(RESTRICTIONS)))
@settings(max_examples=600, deadline=None)
def test_a_restriction_more_never_turns_a_refusal_into_a_permit(case: tuple[Facts, datetime], kind: str) -> None:
    facts, now = case
    if isinstance(decide(facts, now), Refusal):
        assert isinstance(decide(RESTRICTIONS[kind](facts, now), now), Refusal)


@given(cases())
@settings(max_examples=300, deadline=None)
def test_an_opening_is_legal_throughout_and_no_earlier_instant_is(case: tuple[Facts, datetime]) -> None:
    facts, now = case
    consents = tuple(replace(one, expires_at=None) for one in facts.consents)
    free = replace(
        facts, attempts=(), own_attempts=(), other_attempt_at=None, conversations=(), debt_attempts=None, ebr=True,
        consents=consents,
    )  # fmt: skip
    place = place_of(free.number, free.evidence, area_codes=area_codes(), rules=rules(), at=now)
    opening = next_opening(place, free.plan, rules=rules(), after=now)
    decision = decide(free, now)
    if opening is None:
        assert isinstance(decision, Refusal)
        assert decision.next_allowed_at is None
        return
    if isinstance(decision, Permit):
        assert (opening.opens_at, opening.closes_at) == (now, decision.window_ends_at)
        return
    assume(decision.waits)
    assert decision.next_allowed_at == opening.opens_at
    for instant in (opening.opens_at, opening.closes_at - timedelta(microseconds=1)):
        assert isinstance(decide(free, instant), Permit)
    # An emergency is open without end: only such a stretch is told to close before anything closes.
    assert isinstance(decide(free, opening.closes_at), Refusal) or opening.closes_at > now + 390 * DAY
