"""Recurring campaigns: each slot at most one run, whoever ticks, however late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.services.launch_due import LaunchDue

WEEKDAYS_AT_NINE = {"cron": "0 9 * * 1-5", "timezone": "America/New_York", "runFor": "10h"}
HOURLY = {"cron": "0 * * * *", "timezone": "America/New_York", "runFor": "3h"}


def new_york(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of December 2026 by New York's clock."""
    return datetime(2026, 12, day, 5, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)


def tick(world: Any, at: datetime) -> list[int]:
    world.set_campaign_time(at)
    return LaunchDue(world.engine).run()


def runs(world: Any) -> Any:
    return world.query("SELECT slot_at, state, state_reason FROM runs ORDER BY slot_at")


def finish_calls(world: Any) -> None:
    world.execute("UPDATE calls SET state = 'completed', reason = 'answered', final_at = now()")


@pytest.fixture
def daily(world: Any) -> Any:
    world.submit("+12125550100", schedule=WEEKDAYS_AT_NINE)
    return world


@pytest.fixture
def hourly(world: Any) -> Any:
    world.submit("+12125550100", schedule=HOURLY)
    return world


def test_nothing_is_launched_before_its_slot(daily: Any) -> None:
    assert tick(daily, new_york(2, 8, 59)) == []
    assert runs(daily) == []


def test_a_slot_launches_a_run_that_ends_after_run_for(daily: Any) -> None:
    (run_id,) = tick(daily, new_york(2, 9))
    assert daily.query("SELECT id, state, slot_at, earliest_at, latest_at FROM runs") == [
        (run_id, "expanding", new_york(2, 9), new_york(2, 9), new_york(2, 19))
    ]
    assert daily.query("SELECT next_run_at FROM campaigns") == [new_york(3, 9)]


def test_a_run_does_not_outlast_the_window(daily: Any) -> None:
    daily.execute("UPDATE campaigns SET next_run_at = :at", at=new_york(12, 15))
    tick(daily, new_york(12, 15))
    assert daily.query("SELECT latest_at, (SELECT next_run_at FROM campaigns) FROM runs") == [(new_york(12, 20), None)]


def test_a_launched_run_expands_like_one_launched_by_hand(daily: Any) -> None:
    (run_id,) = tick(daily, new_york(2, 9))
    assert daily.expand(run_id) is not None
    assert daily.query("SELECT state FROM calls") == ["scheduled"]
    assert daily.query("SELECT source_digest IS NOT NULL FROM runs") == [True]


def test_each_run_reads_the_list_anew(daily: Any) -> None:
    (first,) = tick(daily, new_york(2, 9))
    daily.expand(first)
    finish_calls(daily)
    daily.write_list("+12125550100", "+12125550101")
    (second,) = tick(daily, new_york(3, 9))
    daily.expand(second)
    assert daily.query("SELECT rows_read FROM runs ORDER BY id") == [1, 2]


def test_a_tick_again_launches_nothing_more(daily: Any) -> None:
    tick(daily, new_york(2, 9))
    tick(daily, new_york(2, 9))
    assert len(runs(daily)) == 1


def test_a_run_not_yet_expanded_is_told_at_every_tick(daily: Any) -> None:
    """So an expansion that was killed, or whose message was lost, is taken up again."""
    (run_id,) = tick(daily, new_york(2, 9))
    assert tick(daily, new_york(2, 10)) == [run_id]
    daily.expand(run_id)
    assert tick(daily, new_york(2, 10)) == []


def test_two_beats_at_once_launch_one_run(daily: Any) -> None:
    daily.set_campaign_time(new_york(2, 9))
    with ThreadPoolExecutor(4) as beats:
        for future in [beats.submit(LaunchDue(daily.engine).run) for _ in range(8)]:
            future.result()
    assert len(runs(daily)) == 1


def test_a_late_tick_still_launches_while_there_is_time_in_the_slot(daily: Any) -> None:
    tick(daily, new_york(2, 18))
    assert runs(daily) == [(new_york(2, 9), "expanding", None)]


def test_a_slot_whose_time_is_over_is_put_on_record_as_missed(daily: Any) -> None:
    tick(daily, new_york(2, 19))
    assert runs(daily) == [(new_york(2, 9), "skipped", "missed")]
    assert daily.query("SELECT next_run_at FROM campaigns") == [new_york(3, 9)]


def test_after_a_long_outage_only_the_newest_slot_runs(hourly: Any) -> None:
    tick(hourly, new_york(1, 16, 30))
    assert runs(hourly) == [
        (new_york(1, 13), "skipped", "missed"),
        (new_york(1, 14), "skipped", "missed"),
        (new_york(1, 15), "skipped", "missed"),
        (new_york(1, 16), "expanding", None),
    ]


def test_a_slot_that_comes_while_the_last_run_is_open_is_skipped(hourly: Any) -> None:
    (run_id,) = tick(hourly, new_york(1, 13, 1))
    hourly.expand(run_id)
    tick(hourly, new_york(1, 14))
    assert runs(hourly)[-1] == (new_york(1, 14), "skipped", "overlap")


def test_a_run_is_finished_when_every_call_is_final_and_the_next_slot_then_runs(hourly: Any) -> None:
    (run_id,) = tick(hourly, new_york(1, 13, 1))
    hourly.expand(run_id)
    finish_calls(hourly)
    tick(hourly, new_york(1, 14))
    assert [state for _, state, _ in runs(hourly)[-2:]] == ["finished", "expanding"]


def test_a_paused_campaign_skips_its_slots_on_record(daily: Any) -> None:
    daily.execute("UPDATE campaigns SET state = 'paused'")
    assert tick(daily, new_york(2, 9)) == []
    assert runs(daily) == [(new_york(2, 9), "skipped", "paused")]


def test_a_cancelled_campaign_launches_nothing_ever_again(daily: Any) -> None:
    daily.execute("UPDATE campaigns SET state = 'cancelled'")
    assert tick(daily, new_york(2, 9)) == []
    assert (runs(daily), daily.query("SELECT next_run_at FROM campaigns")) == ([], [None])


def test_an_expansion_that_waits_for_a_person_is_not_tried_at_every_tick(daily: Any) -> None:
    tick(daily, new_york(2, 9))
    daily.execute("UPDATE runs SET state_reason = 'list.csv changed'")
    assert tick(daily, new_york(2, 10)) == []
    tick(daily, new_york(2, 19))
    assert runs(daily)[0][1] == "finished"


def test_a_slot_in_the_repeated_hour_of_autumn_launches_once(world: Any) -> None:
    world.submit(
        "+12125550100",
        at=datetime(2027, 11, 6, 12, tzinfo=UTC),
        schedule={"cron": "30 1 * * *", "timezone": "America/New_York", "runFor": "20m"},
        window={"earliestAt": "2027-11-01T00:00:00-04:00", "latestAt": "2027-11-30T00:00:00-05:00"},
    )
    for hour in (5, 6, 7):
        tick(world, datetime(2027, 11, 7, hour, 30, tzinfo=UTC))
        finish_expanding(world)
    assert [slot for slot, _, _ in runs(world)] == [datetime(2027, 11, 7, 5, 30, tzinfo=UTC)]


def finish_expanding(world: Any) -> None:
    world.execute("UPDATE runs SET state = 'finished' WHERE state = 'expanding'")
