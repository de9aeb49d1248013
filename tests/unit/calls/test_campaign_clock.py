"""The campaign clock: an offset and a speed, exact both ways."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.calls.clock import CampaignClock, campaign_time

STARTED_AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)
REHEARSAL = CampaignClock(campaign_at=NOON, machine_at=STARTED_AT, speed=3600)


def test_a_second_of_the_machine_is_an_hour_of_the_campaign() -> None:
    assert REHEARSAL.campaign_time(STARTED_AT) == NOON
    assert REHEARSAL.campaign_time(STARTED_AT + timedelta(seconds=27)) == NOON + timedelta(hours=27)
    assert REHEARSAL.machine_duration(timedelta(hours=27)) == timedelta(seconds=27)


def test_machine_time_takes_campaign_time_back() -> None:
    for seconds in (-5, 0, 0.25, 90):
        instant = STARTED_AT + timedelta(seconds=seconds)
        assert REHEARSAL.machine_time(REHEARSAL.campaign_time(instant)) == instant


def test_without_a_rehearsal_the_campaign_follows_the_machine() -> None:
    assert campaign_time(None, machine_at=STARTED_AT) == STARTED_AT
    assert campaign_time(REHEARSAL, machine_at=STARTED_AT) == NOON


@pytest.mark.parametrize("speed", [0, -1])
def test_a_clock_must_run_forward(speed: float) -> None:
    with pytest.raises(ValueError, match="forward"):
        CampaignClock(campaign_at=NOON, machine_at=STARTED_AT, speed=speed)


def test_a_clock_needs_aware_instants() -> None:
    with pytest.raises(ValueError, match="offset"):
        CampaignClock(campaign_at=NOON.replace(tzinfo=None), machine_at=STARTED_AT, speed=1)
