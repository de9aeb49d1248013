"""How long a permit may be used."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.calls.permits import usable_for
from campaigns.providers.contract import PermitLapsedError
from campaigns.services.machine_clock import MachinePermit

NOON = datetime(2026, 12, 2, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until_window_ends", "speed", "usable"),
    [
        (timedelta(hours=1), 1.0, timedelta(seconds=1)),
        (timedelta(milliseconds=300), 1.0, timedelta(milliseconds=300)),
        (timedelta(minutes=50), 6000.0, timedelta(milliseconds=500)),
        (timedelta(seconds=-5), 1.0, timedelta(0)),
    ],
)
def test_a_permit_lives_a_second_and_never_past_its_window(until_window_ends, speed, usable):
    assert usable_for(campaign_at=NOON, window_ends_at=NOON + until_window_ends, clock_speed=speed) == usable


def test_a_permit_is_refused_from_its_last_instant_on():
    now = 100.0
    permit = MachinePermit(101.0, clock=lambda: now)
    permit.check()
    now = 101.0
    with pytest.raises(PermitLapsedError):
        permit.check()
