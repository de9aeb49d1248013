"""Files that are right, and what they mean."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.compliance.facts import ConsentLevel, DayHours, Purpose
from campaigns.definition import parse_definition, pending_keys

EXAMPLES = Path(__file__).parents[3] / "examples"
Spoil = Callable[[str, str], str]


def test_the_whole_example_means_what_it_says(good: str) -> None:
    campaign = parse_definition(good.encode(), file="spring.yaml")
    assert campaign.campaign == "spring-renewal"
    assert campaign.purpose is Purpose.TELEMARKETING
    assert campaign.seller == "Example Energy, Inc."
    assert campaign.assistant == {"id": "6f1c2a90", "variables": {"firstName": "{name}", "plan": "{plan}"}}
    assert campaign.lines.pool == ("pn-1", "pn-2")
    assert campaign.lines.per_line_daily_limit == 200
    assert campaign.customers.file == "customers.csv"
    assert campaign.customers.headers()["consentLevel"] == "consent"
    assert campaign.consent is not None
    assert campaign.consent.level is ConsentLevel.PEWC
    assert campaign.window.earliest_at == datetime(2026, 12, 1, 13, tzinfo=UTC)
    assert campaign.schedule is not None
    assert campaign.schedule.cron == "0 9 * * 1-5"
    assert campaign.schedule.run_for == timedelta(hours=10)
    assert campaign.retries.ladder[Outcome.NO_ANSWER] == (timedelta(hours=2), timedelta(hours=27))
    assert campaign.retries.waits_after(Outcome.PROVIDER_ERROR) == ()
    assert campaign.budget is not None
    assert campaign.budget.cost == Decimal("500.00")


def test_a_line_may_have_a_limit_by_the_hour_beside_the_one_by_the_day(good: str, spoil: Spoil) -> None:
    text = spoil("perLineDailyLimit: 200", "perLineDailyLimit: 200, perLineHourlyLimit: 30")
    lines = parse_definition(text.encode(), file="spring.yaml").lines
    assert (lines.per_line_daily_limit, lines.per_line_hourly_limit) == (200, 30)


def test_what_is_left_out_has_its_default(inline: str) -> None:
    campaign = parse_definition(inline.encode(), file="hello.yaml")
    assert campaign.end_guard == timedelta(seconds=60)
    assert campaign.retries.max_attempts == 1
    assert campaign.retries.ambiguous == "hold"
    assert campaign.lines.choose == "rotate"
    assert (campaign.priority, campaign.weight) == (0, 1)
    assert (campaign.consent, campaign.schedule, campaign.calling_hours) == (None, None, None)


def test_instants_are_held_in_utc(good: str) -> None:
    campaign = parse_definition(good.encode(), file="spring.yaml")
    assert campaign.window.latest_at.tzinfo is UTC


def test_words_and_digits_keep_the_text_they_were_written_with(inline: str) -> None:
    customers = parse_definition(inline.encode(), file="hello.yaml").customers.list
    assert customers is not None
    assert customers[0].zip == "02134"
    assert customers[1].variables == {"plan": "on"}


def test_an_inline_customer_is_a_row_with_our_own_headers(inline: str) -> None:
    source = parse_definition(inline.encode(), file="hello.yaml").customers
    assert source.list is not None
    assert source.list[1].cells() == {
        "number": "+13035550142",
        "consentLevel": "pec",
        "consentAt": "2026-09-01T00:00:00+00:00",
        "consentSource": "form",
        "plan": "on",
    }
    assert source.headers()["consentAt"] == "consentAt"


def test_without_columns_only_the_number_is_a_column(spoil: Spoil) -> None:
    text = spoil(
        "  columns: {number: phone, name: full_name, zip: zip, state: st, timezone: tz, consentLevel: consent}\n", ""
    )
    assert parse_definition(text.encode(), file="spring.yaml").customers.headers() == {"number": "number"}


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("{mon-fri: 09:00-19:00}", "MTWTF.."),
        ("{sat: 09:00-19:00}", ".....S."),
        ("{sat-mon: 09:00-19:00}", "M....SS"),
        ("{mon: 09:00-19:00, wed-thu: 09:00-19:00}", "M.WT..."),
    ],
)
def test_a_day_left_out_of_the_calling_hours_is_closed(spoil: Spoil, written: str, days: str) -> None:
    campaign = parse_definition(spoil("{mon-fri: 09:00-19:00, sat: 10:00-16:00}", written).encode(), file="a.yaml")
    assert campaign.calling_hours is not None
    assert [hours is not None for hours in campaign.calling_hours.days] == [day != "." for day in days]


def test_twenty_four_hundred_ends_a_day_of_calling_hours(spoil: Spoil) -> None:
    text = spoil("sat: 10:00-16:00", "sat: 0:00-24:00")
    campaign = parse_definition(text.encode(), file="a.yaml")
    assert campaign.calling_hours is not None
    assert campaign.calling_hours.days[5] == DayHours(opens=time(0), closes=time.max)


def test_an_inline_assistant_has_the_types_that_json_gives_it(spoil: Spoil) -> None:
    assistant = (
        "{inline: {model: {temperature: 0.7, maxTokens: 250, stop: null}, recording: true, says: no, at: 09:00, "
        'phone: +12125550123, code: 007, quoted: "12", long: 1234567890123456}, metadata: {cohort: 3}}'
    )
    good = '{id: 6f1c2a90, variables: {firstName: "{name}", plan: "{plan}"}}'
    assert parse_definition(spoil(good, assistant).encode(), file="a.yaml").assistant == {
        "inline": {
            "model": {"temperature": 0.7, "maxTokens": 250, "stop": None},
            "recording": True,
            "says": "no",
            "at": "09:00",
            "phone": "+12125550123",
            "code": "007",
            "quoted": "12",
            "long": "1234567890123456",
        },
        "metadata": {"cohort": 3},
    }


def test_an_id_of_digits_stays_text(spoil: Spoil) -> None:
    assert parse_definition(spoil("6f1c2a90", "12345678").encode(), file="a.yaml").assistant["id"] == "12345678"


def test_a_rate_below_one_call_a_second_is_fine(spoil: Spoil) -> None:
    campaign = parse_definition(spoil("callsPerSecond: 2", "callsPerSecond: 0.1").encode(), file="a.yaml")
    assert campaign.pacing.calls_per_second == 0.1


def test_an_alias_stands_for_the_value_it_names(inline: str) -> None:
    text = inline.replace("consent: {level", "consent: &given {level").replace(
        "zip: 02134,", "zip: 02134, consent: *given,"
    )
    # An anchor must come before its aliases.
    first, second = text.index('    - {number: "+1212'), text.index('    - number: "+1303')
    end = text.index("window:")
    swapped = text[:first] + text[second:end] + text[first:second] + text[end:]
    customers = parse_definition(swapped.encode(), file="a.yaml").customers.list
    assert customers is not None
    assert customers[0].consent == customers[1].consent


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(good: str) -> None:
    source = b"\xef\xbb\xbf" + good.replace("\n", "\r\n").encode()
    assert parse_definition(source, file="a.yaml") == parse_definition(good.encode(), file="a.yaml")


@pytest.mark.parametrize("name", ["minimal.yaml", "spring-renewal.yaml"])
def test_the_examples_can_be_submitted(name: str) -> None:
    campaign = parse_definition((EXAMPLES / name).read_bytes(), file=name)
    assert pending_keys(campaign) == ()


def test_the_minimal_example_is_short() -> None:
    assert len((EXAMPLES / "minimal.yaml").read_text().splitlines()) <= 20


def test_the_example_campaign_maps_headers_that_its_customer_file_has() -> None:
    campaign = parse_definition((EXAMPLES / "spring-renewal.yaml").read_bytes(), file="spring-renewal.yaml")
    header = (EXAMPLES / "customers.csv").read_text().splitlines()[0].split(",")
    assert set(campaign.customers.headers().values()) <= set(header)
    assert "plan" in header
