"""Who answered, told by another webhook than the end: through inbox, fold, ladder and record."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import AnsweredBy, CallReport, Phase
from campaigns.services.attempt_rows import REPORT_LOOK

NUMBER = "+12125550123"
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)
RANG_OUT = Verdict(Outcome.NO_ANSWER, retryable=True, counts=True)


@pytest.fixture
def dialed(world: Any) -> int:
    """One call whose attempt the provider has accepted, of a campaign that tries again after a voicemail."""
    campaign_id = world.campaign()
    world.sql(
        """UPDATE campaign_versions
        SET definition = jsonb_set(definition, '{retries,ladder,voicemail}', '["29h"]')"""
    )
    call_id: int = world.call(campaign_id, NUMBER)
    world.dial_all()
    return call_id


def facts(world: Any, call_id: int) -> dict[str, CallReport]:
    """What a gateway sends of one completed call; the word about who answered holds nothing of ours."""
    sid = f"call-{world.newest_attempt(call_id)}"
    return {
        "talking": world.report(call_id, Phase.CONNECTED),
        "completed": world.report(call_id, Phase.ENDED, ANSWERED, duration=timedelta(seconds=8)),
        "machine": CallReport(sid, None, Phase.CONNECTED, answered_by=AnsweredBy.MACHINE),
        "human": CallReport(sid, None, Phase.CONNECTED, answered_by=AnsweredBy.HUMAN),
    }


def outcome(world: Any) -> tuple[str | None, str | None]:
    (row,) = world.sql("SELECT outcome, answered_by FROM attempts ORDER BY attempt_no LIMIT 1")
    return row.outcome, row.answered_by


@pytest.mark.parametrize("order", list(permutations(["talking", "completed", "machine"])))
def test_a_machine_is_tried_again_in_whatever_order_it_is_told(world: Any, dialed: int, order: tuple[str, ...]) -> None:
    told = facts(world, dialed)
    for name in order:
        world.receive(told[name], key=name)
    assert outcome(world) == ("voicemail", "machine")
    assert world.state(dialed) == "scheduled"
    assert NUMBER not in world.live_numbers()


@pytest.mark.parametrize("order", list(permutations(["talking", "completed", "human"])))
def test_a_person_is_not(world: Any, dialed: int, order: tuple[str, ...]) -> None:
    told = facts(world, dialed)
    for name in order:
        world.receive(told[name], key=name)
    assert outcome(world) == ("answered", "human")
    assert world.state(dialed) == "completed"


def test_a_completed_call_holds_its_number_until_the_word_is_there(world: Any, dialed: int) -> None:
    world.receive(facts(world, dialed)["completed"], key="completed")
    assert world.state(dialed) == "in_progress"
    assert world.live_numbers() == {NUMBER: False}


def test_a_word_that_never_comes_is_awaited_for_as_long_as_a_report(world: Any, dialed: int) -> None:
    world.receive(facts(world, dialed)["completed"], key="completed")
    world.provider.listed = [world.report(dialed, Phase.REPORTED, ANSWERED)]
    world.poll.run()
    assert world.state(dialed) == "in_progress"
    world.pass_time(REPORT_LOOK)
    world.poll.run()
    assert world.state(dialed) == "completed"


def test_a_word_after_that_is_on_record_and_rings_nobody(world: Any, dialed: int) -> None:
    world.receive(world.report(dialed, Phase.REPORTED, ANSWERED))
    world.receive(facts(world, dialed)["machine"], key="machine")
    assert outcome(world) == ("voicemail", "machine")
    assert world.state(dialed) == "completed"


def test_a_person_who_was_taken_for_a_machine_is_not_rung_again(world: Any, dialed: int) -> None:
    told = facts(world, dialed)
    for name in ("machine", "completed", "human", "human"):
        world.receive(told[name], key=name)
    assert outcome(world) == ("answered", "human")
    assert world.state(dialed) == "completed"
    assert len(world.provider.dials) == 1


def test_a_call_taken_back_for_a_revocation_is_cancelled_and_not_unanswered(world: Any, dialed: int) -> None:
    attempt_id = world.newest_attempt(dialed)
    world.sql(
        """WITH r AS (INSERT INTO revocations (number, scope, effective_at, channel, recorded_by)
            VALUES (:number, 'all', now(), 'operator', 'test') RETURNING id)
        INSERT INTO provider_cancels (attempt_id, revocation_id) SELECT :attempt_id, id FROM r""",
        number=NUMBER,
        attempt_id=attempt_id,
    )
    world.receive(world.report(dialed, Phase.REPORTED, RANG_OUT))
    assert outcome(world) == ("cancelled", None)
    assert world.state(dialed) == "cancelled"
