"""The campaign of a trial: an ordinary one, short, on the demo's invented customers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.stack import Stack

from campaigns.calls.clock import CampaignClock
from campaigns.cli.demo.customers import write_customers
from campaigns.cli.demo.places import AreaCode, read_area_codes
from campaigns.definition import parse_definition
from campaigns.runtime.law import AREA_CODES_FILE
from campaigns.services.submit import Submit
from campaigns.services.suppress import suppress

CUSTOMERS = 150
"""About a hundred of them may be dialed: some three seconds of dialing, in half a dozen claims."""
STARTS_AT = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)
"""A Wednesday, noon in New York: the window is open from coast to coast."""
WINDOW = timedelta(hours=8)
LASTS = timedelta(seconds=64)
"""The window in real time. A silent dial is given up after 31 s, then come two looks and a second try."""
HEAD_START = timedelta(milliseconds=2500)
"""Beat finds the new run within two seconds, and its list takes a moment to read."""
MAX_ATTEMPTS = 3
OPEN_FROM_THE_START = {
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
}
"""Elsewhere it is still too early, and a trial needs its dials in the first seconds."""

_FILE = """\
campaign: {name}
purpose: telemarketing
seller: Example Energy, Inc.
account: {account}
assistant: {{id: 00000000-0000-4000-8000-000000000001, variables: {{customer: "{{name}}", plan: "{{plan}}"}}}}
lines: {{pool: [line-1, line-2]}}
customers:
  file: {customers}
  defaultRegion: US
  columns: {{number: phone, name: full_name, state: st, zip: zip, timezone: tz, consentLevel: consent,
    consentAt: consented_at, consentSource: form, consentSeller: consent_seller}}
window: {{earliestAt: {earliest_at}, latestAt: {latest_at}}}
retries:
  maxAttempts: {max_attempts}
  perDay: {max_attempts}
  ladder: {{no_answer: [45m, 45m], busy: [20m, 20m], voicemail: [1h]}}
  ambiguous: {policy}
"""


@dataclass(frozen=True, slots=True)
class Launched:
    """A campaign under way."""

    id: int
    name: str
    account: str
    rows: int
    latest_at: datetime
    """When its window is over, by the clock on the wall."""


def area_codes(share: int, *, of: int) -> list[AreaCode]:
    """A part of the country for each trial of a stack, so that no two of them know the same person."""
    codes = [code for code in read_area_codes(AREA_CODES_FILE) if set(code.zones) <= OPEN_FROM_THE_START]
    return codes[share::of]


def launch(
    stack: Stack,
    *,
    name: str,
    account: str,
    policy: str,
    codes: list[AreaCode],
    seed: int,
    lasts: timedelta = LASTS,
) -> Launched:
    """Write the list and the file, and submit it; the next tick has it expanded. `lasts`: its window, in real time."""
    listed = write_customers(
        stack.home / f"{name}.csv", customers=CUSTOMERS, area_codes=codes, consented_before=STARTS_AT, seed=seed
    )
    suppress(stack.database, listed.suppressed, list_name="internal", source="e2e", operator="e2e")
    source = _FILE.format(
        name=name,
        account=account,
        customers=listed.path.name,
        earliest_at=STARTS_AT.isoformat(),
        latest_at=(STARTS_AT + WINDOW).isoformat(),
        max_attempts=MAX_ATTEMPTS,
        policy=policy,
    )
    opens_at = datetime.now(UTC) + HEAD_START
    submitted = Submit(stack.database).run(
        parse_definition(source.encode(), file=f"{name}.yaml"),
        source_text=source,
        customers_path=listed.path,
        operator="e2e",
        clock=CampaignClock(campaign_at=STARTS_AT, machine_at=opens_at, speed=WINDOW / lasts),
    )
    return Launched(submitted.campaign_id, name, account, listed.rows, latest_at=opens_at + lasts)
