"""Days on which clocks change, minute by minute, against an oracle that shares no code with the gate.

The oracle reads the rule files as plain YAML and the wall clock from `zoneinfo`: no segments, no chunks, no caches.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

import config
from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.decision import Permit
from campaigns.compliance.facts import (
    CallingHours,
    CampaignSwitch,
    Consent,
    ConsentLevel,
    DayHours,
    Facts,
    Plan,
    Purpose,
)
from campaigns.compliance.gate import evaluate
from campaigns.compliance.law import campaign_window
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.windows import Timeline
from campaigns.compliance.zones import use_packaged_zones
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules

DATA = Path(config.__file__).parent
SELLER = "Example Energy, Inc."
MINUTE = timedelta(minutes=1)
CHANGES = [
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2027, 3, 14),
    date(2027, 11, 7),
    date(2028, 3, 12),
    date(2028, 11, 5),
]
ODD_HOURS = ("00:30", "02:30")
"""Hours that the clocks skip in part each spring and repeat in part each autumn."""

CODES_OF_EVERY_ZONE = {
    "212": ["America/New_York"],
    "860": ["America/New_York"],
    "205": ["America/Chicago"],
    "423": ["America/New_York", "America/Chicago"],
    "303": ["America/Denver"],
    "702": ["America/Los_Angeles"],
    "602": ["America/Phoenix"],
    "208": ["America/Denver", "America/Los_Angeles"],
    "928": ["America/Phoenix", "America/Denver"],
    "907": ["America/Anchorage", "America/Adak"],
    "808": ["Pacific/Honolulu"],
    "787": ["America/Puerto_Rico"],
    "340": ["America/St_Thomas"],
    "671": ["Pacific/Guam"],
    "670": ["Pacific/Saipan"],
    "684": ["Pacific/Pago_Pago"],
}
STATE = {
    "212": "ny", "860": "ct", "205": "al", "423": "tn", "208": "id", "928": "az", "907": "ak", "808": "hi",
    "787": "pr", "340": "vi", "671": "gu", "670": "mp", "684": "as", "303": "co", "702": "nv", "602": "az",
}  # fmt: skip


@lru_cache(maxsize=1)
def law() -> tuple[RuleBook, AreaCodeTable]:
    use_packaged_zones()
    return load_rules(DATA / "rules"), load_area_codes(DATA / "area_codes.csv")


def plan(purpose: Purpose, *, hours: CallingHours | None, fictional: bool = True) -> Plan:
    return Plan(
        campaign="spring-renewal",
        purpose=purpose,
        seller=SELLER,
        switch=CampaignSwitch.ACTIVE,
        earliest_at=datetime(2026, 1, 1, tzinfo=UTC),
        latest_at=datetime(2029, 1, 1, tzinfo=UTC),
        end_guard=timedelta(),
        calling_hours=hours,
        fictional_allowed=fictional,
    )


@pytest.mark.parametrize("changes_on", CHANGES, ids=str)
@pytest.mark.parametrize("code", CODES_OF_EVERY_ZONE)
def test_sales_calls_are_permitted_in_exactly_the_minutes_that_the_oracle_allows(code: str, changes_on: date) -> None:
    facts = Facts(
        number=f"+1{code}5550123",
        plan=plan(Purpose.TELEMARKETING, hours=None),
        consents=(Consent(1, ConsentLevel.PEWC, SELLER, None, datetime(2026, 1, 1, tzinfo=UTC), "form"),),
        counsel_allows=frozenset({"US-AK"}),
    )
    compare(facts, changes_on, code, week=state_hours(STATE[code]), banned=banned_dates(STATE[code]))


@pytest.mark.parametrize("changes_on", CHANGES, ids=str)
@pytest.mark.parametrize("code", ["212", "208", "928", "907"])
def test_hours_that_a_clock_skips_or_repeats_are_kept_to_the_minute(code: str, changes_on: date) -> None:
    opens, closes = (time.fromisoformat(text) for text in ODD_HOURS)
    odd = CallingHours((DayHours(opens, closes),) * 7)
    facts = Facts(number=f"+1{code}5550123", plan=plan(Purpose.EMERGENCY, hours=odd))
    compare(facts, changes_on, code, week=[ODD_HOURS] * 7, banned=set())


US_COUNTRIES = frozenset({"US", "PR", "VI", "GU", "MP", "AS"})


def us_zones() -> list[str]:
    """Every zone that tzdata places in the United States and its territories."""
    lines = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return sorted(row[2] for row in rows if row[0] in US_COUNTRIES)


def change_days(zone: ZoneInfo) -> list[date]:
    """Days of 2026 to 2028 that do not have 24 hours there, found one by one."""
    days = [date(2026, 1, 1) + number * timedelta(days=1) for number in range(1096)]
    return [day for day in days if noon(day, zone).utcoffset() != noon(day - timedelta(days=1), zone).utcoffset()]


def noon(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(12), tzinfo=zone)


def test_the_zones_tried_are_all_that_area_codes_lie_in_and_more() -> None:
    assert {zone for zones in CODES_OF_EVERY_ZONE.values() for zone in zones} == set(law()[1].zones)
    assert set(law()[1].zones) < set(us_zones())
    assert len(us_zones()) >= 34


@pytest.mark.parametrize("name", us_zones())
def test_every_minute_of_every_change_in_every_zone_is_as_the_wall_clock_there_says(name: str) -> None:
    law()
    zone = ZoneInfo(name)
    assert len(change_days(zone)) in (0, 6)
    opens, closes = (time.fromisoformat(text) for text in ODD_HOURS)
    timeline = Timeline((campaign_window(CallingHours((DayHours(opens, closes),) * 7)),), (name,))
    for day in change_days(zone) or CHANGES:
        midnight = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
        for minute in range(-60, 26 * 60):
            instant = midnight + minute * MINUTE
            assert (timeline.at(instant) is not None) == allowed_at(instant.astimezone(zone), [ODD_HOURS] * 7, set())


def compare(
    facts: Facts, changes_on: date, code: str, *, week: list[tuple[str, str] | None], banned: set[date]
) -> None:
    """Every minute from an hour before the first zone changes to the next morning; the first that differs is shown."""
    rules, area_codes = law()
    start = datetime.combine(changes_on, time(5), tzinfo=UTC)
    zones = [ZoneInfo(name) for name in CODES_OF_EVERY_ZONE[code]]
    for minute in range(26 * 60):
        instant = start + minute * MINUTE
        got = isinstance(evaluate(facts, rules, instant, area_codes=area_codes), Permit)
        assert got == all(allowed_at(instant.astimezone(zone), week, banned) for zone in zones), instant


def allowed_at(local: datetime, week: list[tuple[str, str] | None], banned: set[date]) -> bool:
    hours = week[local.weekday()]
    if hours is None or local.date() in banned or (banned and local.date() > max(banned)):
        return False
    return hours[0] <= local.strftime("%H:%M") < hours[1]


@lru_cache(maxsize=64)
def raw(name: str) -> dict[str, Any]:
    content = yaml.safe_load((DATA / "rules" / name).read_text())
    assert isinstance(content, dict)
    return content


def state_hours(state: str) -> list[tuple[str, str] | None]:
    """The hours of each weekday, by plain comparison of the texts in the federal file and the state's own."""
    laws = [raw("us.yaml"), raw(f"us-{state}.yaml")]
    weeks = [file[key] for file in laws for key in ("solicitation_hours", "automated_voice_hours") if key in file]
    kinds = ["weekday"] * 5 + ["saturday", "sunday"]
    return [narrowest([week[kind] for week in weeks]) for kind in kinds]


def narrowest(spans: list[str]) -> tuple[str, str] | None:
    if "none" in spans:
        return None
    return max(span.split("-")[0] for span in spans), min(span.split("-")[1] for span in spans)


def banned_dates(state: str) -> set[date]:
    ban = raw(f"us-{state}.yaml").get("holiday_ban")
    return {date.fromisoformat(day) for day in ban["dates"]} if ban else set()
