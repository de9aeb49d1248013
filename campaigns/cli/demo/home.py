"""The demo's folder: settings with one simulator account, the customer list, the campaign file."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

CAMPAIGN = "demo-renewal"
ACCOUNT = "demo-simulator"

CONCURRENCY = 300
CALLS_PER_SECOND = 150.0
"""What two processor cores carry with everything on them, the provider's stand-in included."""

WINDOW = timedelta(hours=62)
"""From the first dial on Monday, say, until Wednesday ends in Hawaii: the 27 hour rungs of both days come due."""

_SETTINGS = """\
publicUrl = "{web_url}"

[accounts.{account}]
provider = "vapi"
baseUrl = "{simulator_url}"
simulator = true
concurrency = {concurrency}
callsPerSecond = {calls_per_second}
reconcileAfter = ["1s", "3s"]
ringTimeout = "3s"
maxDuration = "5s"
"""

_CAMPAIGN = """\
campaign: {campaign}
purpose: telemarketing
seller: Example Energy, Inc.
account: {account}
assistant:
  id: 00000000-0000-4000-8000-000000000001
  variables: {{customer: "{{name}}", plan: "{{plan}}"}}
lines: {{pool: [{lines}]}}
customers:
  file: customers.csv
  defaultRegion: US
  columns:
    number: phone
    name: full_name
    state: st
    zip: zip
    timezone: tz
    consentLevel: consent
    consentAt: consented_at
    consentSource: form
    consentSeller: consent_seller
window:
  earliestAt: {earliest_at}
  latestAt: {latest_at}
callingHours: {{mon-sat: 08:00-21:00, sun: 12:00-18:00}}
retries:
  maxAttempts: 4
  perDay: 2
  ladder: {{no_answer: [2h, 27h], busy: [10m, 1h], voicemail: [27h], provider_error: [30m]}}
voicemail: {{action: hangUp}}
"""


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The folder and what is in it."""

    folder: Path

    @property
    def customers(self) -> Path:
        return self.folder / "customers.csv"

    @property
    def campaign(self) -> Path:
        return self.folder / f"{CAMPAIGN}.yaml"

    def write_settings(self, *, web_url: str, simulator_url: str) -> None:
        """`ringfence.toml` with the account that points at the simulator."""
        text = _SETTINGS.format(
            web_url=web_url,
            account=ACCOUNT,
            simulator_url=simulator_url,
            concurrency=CONCURRENCY,
            calls_per_second=CALLS_PER_SECOND,
        )
        (self.folder / "ringfence.toml").write_text(text, encoding="utf-8")

    def write_campaign(self, *, earliest_at: datetime, lines: list[str]) -> None:
        """The campaign file, as a user would write it."""
        text = _CAMPAIGN.format(
            campaign=CAMPAIGN,
            account=ACCOUNT,
            lines=", ".join(lines),
            earliest_at=earliest_at.isoformat(timespec="seconds"),
            latest_at=(earliest_at + WINDOW).isoformat(timespec="seconds"),
        )
        self.campaign.write_text(text, encoding="utf-8")
