"""A good campaign file to spoil, and the problems that come of it."""

from collections.abc import Callable

import pytest

from campaigns.definition import DefinitionError, Problem, parse_definition

GOOD = """\
campaign: spring-renewal
purpose: telemarketing
seller: Example Energy, Inc.
account: vapi-main
assistant: {id: 6f1c2a90, variables: {firstName: "{name}", plan: "{plan}"}}
lines: {pool: [pn-1, pn-2], choose: nearest, perLineDailyLimit: 200}
customers:
  file: customers.csv
  defaultRegion: US
  columns: {number: phone, name: full_name, zip: zip, state: st, timezone: tz, consentLevel: consent}
consent: {level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: "Renewal form v3"}
window: {earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}
callingHours: {mon-fri: 09:00-19:00, sat: 10:00-16:00}
schedule: {cron: "0 9 * * 1-5", timezone: America/New_York, runFor: 10h, overlap: skip}
pacing: {callsPerSecond: 2, concurrency: 20}
retries: {maxAttempts: 4, perDay: 2, ladder: {no_answer: [2h, 27h], busy: [10m, 1h], voicemail: [29h]}, ambiguous: hold}
voicemail: {action: hangUp}
budget: {dials: 10000, cost: 500.00}
stopWhen: {dispositions: [booked, opt_out]}
"""

INLINE = """\
campaign: hello
purpose: informational
seller: Example Energy, Inc.
account: vapi-main
assistant: {id: a1, variables: {plan: "{plan}"}}
lines: {pool: [pn-1]}
customers:
  list:
    - {number: "+12125550123", name: Ann, zip: 02134, variables: {plan: gold}}
    - number: "+13035550142"
      consent: {level: pec, obtainedAt: 2026-09-01T00:00:00Z, source: form}
      variables: {plan: on}
window: {earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}
"""

Problems = Callable[[str | bytes], tuple[Problem, ...]]
Spoil = Callable[[str, str], str]


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def inline() -> str:
    return INLINE


@pytest.fixture
def spoil() -> Spoil:
    """The good file with one piece of text exchanged; the piece must be in it once."""

    def exchange(old: str, new: str) -> str:
        assert GOOD.count(old) == 1, old
        return GOOD.replace(old, new)

    return exchange


@pytest.fixture
def spoil_inline() -> Spoil:
    def exchange(old: str, new: str) -> str:
        assert INLINE.count(old) == 1, old
        return INLINE.replace(old, new)

    return exchange


@pytest.fixture
def problems_of() -> Problems:
    """All problems of a file that must have some."""

    def read(source: str | bytes) -> tuple[Problem, ...]:
        data = source.encode() if isinstance(source, str) else source
        with pytest.raises(DefinitionError) as caught:
            parse_definition(data, file="spring.yaml")
        return caught.value.problems

    return read
