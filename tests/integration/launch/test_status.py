"""Status: every figure comes from row states, and the sums agree."""

import json
from typing import Any

import pytest

from campaigns.services.control import UnknownCampaignError
from campaigns.services.status import campaign_status, campaign_statuses, demo_summary

ADD_ATTEMPT = """
    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, requested_at, outcome, closed_at)
    SELECT gen_random_uuid(), q.id, 1 + (SELECT count(*) FROM attempts WHERE call_id = q.id), q.run_id, q.campaign_id,
        'rehearsal', q.number, 'line-1', 1, :state, now(), now(), now(), now() - CAST(:ago AS interval), :outcome,
        CASE WHEN :state IN ('closed', 'not_dialed') THEN now() END
    FROM calls q WHERE q.id = :call_id
"""
REFUSE = """
    INSERT INTO decisions (call_id, decided_at, campaign_at, verdict, rule_id, zones, jurisdictions, rules_digest,
        tzdata_version, checks)
    VALUES (:call_id, now(), now(), 'refusal', :rule_id, '{}', '{}', 'd', 't', '[]')
"""


def attempt(world: Any, call_id: int, state: str, *, outcome: str | None = None, ago: str = "1s") -> None:
    world.execute(ADD_ATTEMPT, call_id=call_id, state=state, outcome=outcome, ago=ago)


@pytest.fixture
def busy(world: Any) -> Any:
    """Five customers and a reject: one answered, one refused, one in progress, one of unknown fate, one waiting."""
    world.launched("+12125550100", "+12125550101", "+12125550102", "+12125550103", "+13035550100", "12")
    world.execute("UPDATE calls SET state = 'completed', reason = 'answered', final_at = now() WHERE id = 1")
    world.execute("UPDATE calls SET state = 'blocked', reason = 'DNC-INTERNAL', final_at = now() WHERE id = 2")
    world.execute("UPDATE calls SET state = 'in_progress' WHERE id = 3")
    world.execute("UPDATE calls SET state = 'fate_unknown' WHERE id = 4")
    attempt(world, 1, "closed", outcome="busy", ago="1h")
    attempt(world, 1, "closed", outcome="answered")
    attempt(world, 3, "not_dialed")
    attempt(world, 3, "in_progress")
    attempt(world, 4, "fate_unknown")
    world.execute(REFUSE, call_id=2, rule_id="DNC-INTERNAL")
    return world


def test_customers_are_rejects_plus_calls_in_every_state(busy: Any) -> None:
    status = campaign_status(busy.engine, "spring")
    assert (status.customers, status.rejected, status.final) == (6, 1, 2)
    assert status.by_state == {"blocked": 1, "completed": 1, "fate_unknown": 1, "in_progress": 1, "scheduled": 1}
    assert status.customers == status.rejected + sum(status.by_state.values())
    assert status.by_reason == {"DNC-INTERNAL": 1, "answered": 1}
    assert not status.finished


def test_dials_are_requests_that_were_or_may_have_been_made(busy: Any) -> None:
    status = campaign_status(busy.engine, "spring")
    assert (status.dials, status.in_flight, status.unknown) == (4, 1, 1)
    assert status.by_outcome == {"answered": 1, "busy": 1}
    assert status.pace == pytest.approx(0.3)
    assert status.refusals_by_rule == {"DNC-INTERNAL": 1}


def test_it_says_what_waits_for_when(busy: Any) -> None:
    (waiting,) = campaign_status(busy.engine, "spring").waiting
    assert waiting.calls == 1
    assert "America/Denver" in waiting.group


def test_a_campaign_is_finished_when_all_are_final_and_no_run_is_to_come(busy: Any) -> None:
    busy.execute("UPDATE calls SET state = 'failed', reason = 'fate_unknown', final_at = now() WHERE final_at IS NULL")
    assert campaign_status(busy.engine, "spring").finished
    busy.execute("UPDATE campaigns SET next_run_at = now()")
    assert not campaign_status(busy.engine, "spring").finished


def test_a_run_being_expanded_is_not_finished(world: Any) -> None:
    world.submit("+12125550100")
    assert not campaign_status(world.engine, "spring").finished


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE system SET stopped = true", "ringfence start"),
        ("UPDATE campaigns SET state = 'paused', state_reason = 'pause by ann'", "pause by ann"),
        ("UPDATE accounts SET paused_reason = 'no credit'", "no credit"),
        ("UPDATE accounts SET cooldown_until = now() + interval '1 minute'", "asked for a pause"),
    ],
)
def test_it_says_what_holds_the_campaign(busy: Any, change: str, said: str) -> None:
    assert campaign_status(busy.engine, "spring").held_by is None
    busy.execute(change)
    assert said in (campaign_status(busy.engine, "spring").held_by or "")


def test_it_can_be_written_as_json(busy: Any) -> None:
    (status,) = campaign_statuses(busy.engine)
    written = json.loads(json.dumps(status.as_dict()))
    assert written["campaign"] == "spring"
    assert written["runs"][0]["rows"] == 6
    assert written["finished"] is False


def test_the_demo_summary_has_the_agreed_keys(busy: Any) -> None:
    assert demo_summary(busy.engine, "spring") == {
        "customers": 6,
        "rejected_rows": 1,
        "final": 2,
        "by_state": {"blocked": 1, "completed": 1, "fate_unknown": 1, "in_progress": 1, "scheduled": 1},
        "by_outcome": {"answered": 1, "busy": 1},
        "dials": 4,
        "refusals_by_rule": {"DNC-INTERNAL": 1},
    }


def test_an_unknown_campaign_names_the_nearest(busy: Any) -> None:
    with pytest.raises(UnknownCampaignError, match="spring"):
        campaign_status(busy.engine, "sprin")


def test_a_campaign_without_any_run_has_a_status(world: Any) -> None:
    world.submit("+12125550100", schedule={"cron": "0 9 * * *", "timezone": "America/New_York", "runFor": "1h"})
    status = campaign_status(world.engine, "spring")
    assert (status.customers, status.runs, status.next_run_at is not None) == (0, (), True)
