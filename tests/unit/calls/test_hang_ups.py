from datetime import timedelta

import pytest

from campaigns.calls.hang_ups import is_hang_up


@pytest.mark.parametrize(
    ("seconds", "expected"), [(None, True), (0, True), (29.9, True), (30, False), (300, False)], ids=str
)
def test_who_ends_a_call_within_half_a_minute_hangs_up_on_it(seconds: float | None, expected: bool) -> None:
    duration = None if seconds is None else timedelta(seconds=seconds)
    assert is_hang_up(ended_by_customer=True, duration=duration) is expected


def test_a_call_that_we_ended_is_no_hang_up() -> None:
    assert not is_hang_up(ended_by_customer=False, duration=timedelta(seconds=1))
