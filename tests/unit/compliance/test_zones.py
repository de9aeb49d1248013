from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.compliance.zones import (
    UnreadableZoneError,
    local_date,
    midnight_after,
    offset_at,
    offset_segments,
    same_rules,
    tzdata_version,
    use_packaged_zones,
    zone,
)

HOUR = timedelta(hours=1)


def test_zones_come_from_the_package_whose_version_goes_on_record() -> None:
    use_packaged_zones()
    assert tzdata_version().startswith("20")
    # British Columbia stopped changing its clocks in 2026: the operating system's older files say -8 h.
    assert offset_at("America/Vancouver", datetime(2026, 12, 1, tzinfo=UTC)) == -7 * HOUR


@pytest.mark.parametrize("name", ["America/Gotham", "America", "../etc/passwd", "", "/etc/localtime", "a\x00b"])
def test_what_is_no_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnreadableZoneError, match="is not a time zone; use an IANA name"):
        zone(name)


def test_a_year_is_cut_at_the_second_at_which_the_clock_changes() -> None:
    segments = offset_segments("America/New_York", datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    assert [(segment.start, segment.offset) for segment in segments] == [
        (datetime(2027, 1, 1, tzinfo=UTC), -5 * HOUR),
        (datetime(2027, 3, 14, 7, tzinfo=UTC), -4 * HOUR),
        (datetime(2027, 11, 7, 6, tzinfo=UTC), -5 * HOUR),
    ]


def test_a_change_at_the_very_end_of_a_span_belongs_to_the_next_one() -> None:
    change = datetime(2027, 3, 14, 7, tzinfo=UTC)
    before = offset_segments("America/New_York", change - timedelta(days=1), change)
    after = offset_segments("America/New_York", change, change + timedelta(days=1))
    assert [segment.offset for segment in (*before, *after)] == [-5 * HOUR, -4 * HOUR]


def test_boise_keeps_the_clock_of_denver_and_phoenix_does_not_even_in_winter() -> None:
    assert same_rules("America/Boise", "America/Denver", year=2026)
    assert same_rules("America/Detroit", "America/New_York", year=2026)
    assert not same_rules("America/Phoenix", "America/Denver", year=2026)
    assert same_rules("America/Denver", "America/Denver", year=2026)


def test_the_date_on_the_wall_is_the_zones_own() -> None:
    assert local_date("America/Los_Angeles", datetime(2026, 11, 24, 7, 59, tzinfo=UTC)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("name", "instant", "midnight"),
    [
        ("America/New_York", "2026-11-24T04:00", "2026-11-24T05:00"),
        # Santiago sets its clock back from 24:00 to 23:00: the old date has 25 hours …
        ("America/Santiago", "2027-04-04T01:00", "2027-04-04T04:00"),
        # … and forward from 24:00 to 01:00: the new date begins where the clock jumps.
        ("America/Santiago", "2027-09-04T20:00", "2027-09-05T04:00"),
        # Havana goes back from 01:00 to 00:00: the new date has begun by then.
        ("America/Havana", "2027-11-07T03:00", "2027-11-07T04:00"),
        # Newfoundland went back from 00:01 to 23:01: the new date lasted a minute, and began again.
        ("America/St_Johns", "2010-11-07T02:00", "2010-11-07T02:30"),
        ("America/St_Johns", "2010-11-07T03:00", "2010-11-07T03:30"),
    ],
)
def test_midnight_is_where_the_next_date_begins_whatever_the_clock_does(name: str, instant: str, midnight: str) -> None:
    asked, expected = (datetime.fromisoformat(f"{text}+00:00") for text in (instant, midnight))
    assert midnight_after(name, asked) == expected
