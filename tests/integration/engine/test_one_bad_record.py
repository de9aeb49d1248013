"""One record that cannot be read holds up nobody else: not in rescue, poll, reconcile, roll-on, feed or asking back.

The record at fault is a campaign whose stored definition names a zone that this version does not know, as after an
upgrade that was taken back.
"""

from datetime import timedelta
from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import FateUnknown, Phase
from campaigns.services.ask_back import AskBack
from campaigns.services.plans import Definitions
from campaigns.services.revoke import Revoke
from campaigns.services.roll_on import RollOn

BAD, GOOD = "+12125550101", "+12125550102"
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)


@pytest.fixture
def two(world: Any) -> tuple[int, int]:
    """A call of the campaign that will be unreadable, made first, and one of an ordinary campaign."""
    return world.call(world.campaign("bad"), BAD), world.call(world.campaign("good"), GOOD)


def spoil(world: Any) -> None:
    """From now on the first campaign cannot be read, by processes that begin now."""
    world.sql(
        """UPDATE campaign_versions SET definition = jsonb_set(definition, '{schedule}',
            '{"cron": "0 9 * * *", "timezone": "Mars/Olympus", "runFor": "1h"}')
        WHERE campaign_id = (SELECT id FROM campaigns WHERE name = 'bad')"""
    )
    world.recorder._definitions = Definitions()
    world.roll_on = RollOn(world.database, world.gate, Definitions())


def claimed_and_dead(world: Any) -> None:
    """Every message is claimed, and its worker dies before it sends."""
    world.feed.run("g")
    messages, world.publisher.messages = world.publisher.messages, []
    for campaign_id, refs in messages:
        world.claim.run(refs, campaign_id=campaign_id, task_id="t")


def test_it_does_not_keep_silent_dials_of_others_from_being_marked(world: Any, two: tuple[int, int]) -> None:
    claimed_and_dead(world)
    spoil(world)
    world.pass_time(timedelta(seconds=40))
    world.rescue.run()
    assert world.state(two[1]) == "fate_unknown"


def test_it_does_not_keep_runs_of_others_from_finishing(world: Any, two: tuple[int, int]) -> None:
    world.sql("UPDATE campaigns SET state = 'paused' WHERE name = 'good'")
    claimed_and_dead(world)
    spoil(world)
    world.pass_time(timedelta(seconds=40))
    world.sql("UPDATE runs SET latest_at = '2026-12-02T16:00:00Z'")
    for _ in range(2):
        world.rescue.run()
    assert (world.state(two[1]), world.reason(two[1])) == ("expired", "latest_at")
    assert "finished" in [row.state for row in world.sql("SELECT state FROM runs")]


def test_it_does_not_keep_calls_of_others_from_being_polled(world: Any, two: tuple[int, int]) -> None:
    world.dial_all()
    spoil(world)
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED) for call in two]
    world.pass_time(timedelta(minutes=13))
    world.poll.run()
    assert world.state(two[1]) == "completed"


def test_it_does_not_keep_fates_of_others_from_being_found(world: Any, two: tuple[int, int]) -> None:
    world.provider.answer = lambda request: FateUnknown("lost")
    world.dial_all()
    spoil(world)
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED) for call in two]
    world.reconcile.run()
    assert world.state(two[1]) == "completed"


def test_it_does_not_keep_absent_calls_of_others_from_being_concluded(world: Any, two: tuple[int, int]) -> None:
    world.provider.answer = lambda request: FateUnknown("lost")
    world.dial_all()
    world.sql("UPDATE attempts SET claimed_at = claimed_at + interval '1 s' WHERE call_id = :id", id=two[0])  # in front
    spoil(world)
    for _ in range(3):
        world.reconcile.run()
    assert world.one("SELECT needs_person FROM attempts WHERE call_id = :id", id=two[1]) is True


def test_it_does_not_keep_lapsed_openings_of_others_from_rolling_on(world: Any, two: tuple[int, int]) -> None:
    world.sql("UPDATE calls SET closes_at = '2026-12-02T01:00:00Z'")
    spoil(world)
    world.roll_on.run()
    assert world.one("SELECT closes_at > '2026-12-02T17:00:00Z' FROM calls WHERE id = :id", id=two[1])


def test_calls_whose_opening_cannot_be_found_out_are_put_off_and_not_asked_after_at_every_tick(
    world: Any, two: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.services.roll_on.CHUNK", 1)
    world.sql("UPDATE calls SET closes_at = '2026-12-02T01:00:00Z'")
    spoil(world)
    assert world.roll_on.run() == 2
    assert world.roll_on.run() == 0
    assert world.feed.run("g").released == 1, "whose opening is not known is not released"
    assert world.state(two[0]) == "scheduled"


def test_one_limit_group_that_cannot_be_fed_keeps_no_other_from_being_fed(world: Any) -> None:
    world.sql(
        """INSERT INTO accounts SELECT 'sim-2', provider, 'a-group-before', simulator, concurrency, calls_per_second,
            ring_timeout, max_duration, reconcile_after, webhooks FROM accounts"""
    )
    world.call(world.campaign("bad", account="sim-2"), BAD)
    good = world.call(world.campaign("good"), GOOD)
    feed, dispatch = world.feed, world.publisher.dispatch

    def stumbling(group: Any, *, campaign_id: int) -> None:
        if not any(ref.call_id == good for ref in group):
            raise ValueError("unforeseen")
        dispatch(group, campaign_id=campaign_id)

    world.publisher.dispatch = stumbling
    feed.run_all()
    assert world.state(good) == "queued"


def test_one_call_that_cannot_be_asked_back_keeps_no_other_from_being_cancelled(world: Any, run_async: Any) -> None:
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in (BAD, GOOD)]
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.QUEUED) for call in calls]
    broken, fetch = world.provider.listed[0].provider_call_id, world.provider.fetch

    async def stumbling(provider_call_id: str) -> Any:
        if provider_call_id == broken:
            raise KeyError("unforeseen")
        return await fetch(provider_call_id)

    world.provider.fetch = stumbling
    for number in (BAD, GOOD):
        Revoke(world.database, operator="ann", wait=lambda _: None).run(number)
    AskBack(world.database, {"sim": world.provider}, simulators=frozenset({"sim"}), run_async=run_async).run()
    assert world.provider.ended == [world.provider.listed[1].provider_call_id]


def test_one_customer_whom_the_claim_cannot_read_holds_up_nobody_of_its_group(world: Any) -> None:
    """A date beyond Python's calendar is an error of the database's driver, and no trial makes it pass."""
    campaign = world.campaign()
    unreadable, readable = world.call(campaign, BAD), world.call(campaign, GOOD)
    world.sql("UPDATE customers SET ebr_transaction_at = '10000-01-01' WHERE id = :id", id=unreadable)
    world.dial_all()
    assert world.dials_by_number() == {GOOD: 1}
    assert world.state(readable) == "in_progress"


def test_of_a_group_that_is_claimed_one_by_one_each_is_on_its_way_before_the_next_is_judged(world: Any) -> None:
    """Else the first permits are over by the time the last call is judged, and the same group comes again for ever."""
    campaign, happened = world.campaign(), list[str]()
    for number in (GOOD, BAD):
        world.call(campaign, number)
    claim, start = world.claim.run, world.dispatch._start

    def one_by_one(refs: Any, **options: Any) -> Any:
        if len(refs) > 1:
            raise ValueError("unforeseen")
        happened.append("judged")
        return claim(refs, **options)

    def begun(*arguments: Any) -> Any:
        happened.append("on its way")
        return start(*arguments)

    world.claim.run, world.dispatch._start = one_by_one, begun
    world.dial_all()
    assert happened == ["judged", "on its way"] * 2
