"""Durations and templates, by example."""

from datetime import timedelta

import pytest

from campaigns.definition.durations import DurationError, format_duration, parse_duration
from campaigns.definition.templates import TemplateError, fill, placeholders


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("15d", timedelta(days=15)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", timedelta()),
        (" 2h ", timedelta(hours=2)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "2", "h", "2 h", "-2h", "1.5h", "30m1h", "2h2h", "2w", "２h", "1H", "PT2H", "2hours"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(DurationError, match="such as 90s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["367d", "999999999d", "9999999999s"])
def test_a_duration_is_at_most_a_year(text: str) -> None:
    with pytest.raises(DurationError):
        parse_duration(text)


@pytest.mark.parametrize(("hours", "text"), [(0, "0s"), (2, "2h"), (24, "1d"), (27, "27h"), (48, "2d"), (0.5, "30m")])
def test_a_duration_is_written_as_people_say_it(hours: float, text: str) -> None:
    assert format_duration(timedelta(hours=hours)) == text


def test_placeholders_are_named_once_in_order() -> None:
    assert placeholders("Dear {name}, {full name} and { name }, {{so, {{!}}") == ("name", "full name")


def test_a_template_is_filled_with_the_customers_values() -> None:
    assert fill("Dear {name}: {{{plan }", {"name": "Ann {plan}", "plan": "Gold"}) == "Dear Ann {plan}: {Gold"


def test_a_value_that_is_missing_is_named_and_no_value_told() -> None:
    with pytest.raises(TemplateError, match=r"no value for \{plan\}"):
        fill("{name} {plan}", {"name": "Ann"})
