"""Attempts are listed by when they were made, in spans of minutes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from campaigns.calls.states import AttemptState
from campaigns.services.looks import CLUSTER_SPAN, clusters, list_span
from campaigns.store.repair import DueAttempt

NOON = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)


def attempt(minutes_ago: float) -> DueAttempt:
    claimed_at = NOON - timedelta(minutes=minutes_ago)
    return DueAttempt(
        id=uuid4(),
        call_id=1,
        account="sim",
        number="+12125550101",
        line="line-1",
        state=AttemptState.FATE_UNKNOWN,
        provider_call_id=None,
        claimed_at=claimed_at,
        send_by=claimed_at + timedelta(seconds=1),
        absences=0,
        overdue=False,
        abandoned=False,
        webhooks=True,
        reconcile_after=(timedelta(0), timedelta(0)),
    )


def test_attempts_of_one_moment_are_one_list_and_the_newest_come_first() -> None:
    old, new, newest = attempt(60), attempt(2), attempt(1)
    assert clusters([old, new, newest]) == [[newest, new], [old]]


def test_attempts_spread_evenly_over_a_day_make_no_list_of_a_day() -> None:
    found = clusters([attempt(minutes) for minutes in range(0, 24 * 60, 5)])
    spans = [created_to - created_from for created_from, created_to in map(list_span, found)]
    assert sum(map(len, found)) == 288
    assert max(spans) <= CLUSTER_SPAN + timedelta(minutes=7)


def test_no_attempts_need_no_list() -> None:
    assert clusters([]) == []
