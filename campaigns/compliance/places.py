"""Where a person may be: every candidate time zone and every jurisdiction whose law may bind the call.

An area code is evidence, not proof, for numbers move with people. Evidence that agrees with the code narrows its
zones; evidence that disagrees is added to them, so that a mistake costs hours of dialing and never a law.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from campaigns.compliance.area_codes import AreaCode, AreaCodeTable
from campaigns.compliance.facts import PlaceEvidence
from campaigns.compliance.numbers import NUM_INVALID, NUM_NONGEO, NUM_PREMIUM, NUM_TOLLFREE, area_code_of, country_of
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.zones import UnreadableZoneError, same_rules

JUR_NOT_ENABLED = "JUR-NOT-ENABLED"
ZONE_UNKNOWN = "ZONE-UNKNOWN"

_PROBLEM_BY_KIND = {"toll_free": NUM_TOLLFREE, "premium": NUM_PREMIUM, "personal_non_geographic": NUM_NONGEO}


@dataclass(frozen=True, slots=True)
class Place:
    """Candidate zones and jurisdictions of one number, or the rule that forbids it for want of them."""

    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    """Country first, then the area code's state, then others that the evidence names."""
    why: tuple[str, ...]
    problem: str | None = None
    """A rule id; zones and jurisdictions are then empty."""

    @property
    def group(self) -> str:
        """The same key for all places with the same windows: calls are scheduled by it."""
        return f"{';'.join(sorted(self.zones))}|{';'.join(self.jurisdictions)}"


@dataclass(frozen=True, slots=True)
class ZipPlace:
    """Where a ZIP lies. Evidence like any other: it narrows when it agrees, and widens when it does not."""

    state: str | None
    timezone: str


@dataclass(frozen=True, slots=True)
class _Clues:
    """The part of the evidence that tells of places; a bare ZIP tells nothing without a ZIP table."""

    state: str | None
    zip_state: str | None
    zip_timezone: str | None
    timezone: str | None


def place_of(
    number: str, evidence: PlaceEvidence, *, area_codes: AreaCodeTable, rules: RuleBook, at: datetime
) -> Place:
    """The place of an E.164 number as of the year of `at`. Unknown places are a `problem`, never a guess."""
    clues = _Clues(evidence.state, evidence.zip_state, evidence.zip_timezone, evidence.timezone)
    code = area_code_of(number)
    known = area_codes.get(code) if code else None
    if known is not None:
        return _domestic_place(known, clues, year=at.year, area_codes=area_codes, rules=rules)
    return _foreign_place(country_of(number), clues.timezone, year=at.year, area_codes=area_codes, rules=rules)


@lru_cache(maxsize=65536)
def _domestic_place(code: AreaCode, clues: _Clues, *, year: int, area_codes: AreaCodeTable, rules: RuleBook) -> Place:
    if code.state is None:
        return _nowhere(_PROBLEM_BY_KIND.get(code.kind, NUM_INVALID), f"area code {code.code} belongs to no place")
    if not code.confirmed:
        return _nowhere(NUM_INVALID, f"area code {code.code} is planned, not confirmed to be in service")
    states = tuple(dict.fromkeys(state for state in (code.state, clues.state, clues.zip_state) if state))
    missing = next((state for state in states if rules.state(state) is None), None)
    if missing is not None:
        return _nowhere(JUR_NOT_ENABLED, f"no rule file in force covers the state {missing}")
    zones = _Zones(code.zones, year=year, table=area_codes)
    zones.why.append(f"area code {code.code}: {', '.join(code.zones)}")
    return _weighed(zones, clues, ("US", *(f"US-{state}" for state in states)), rules=rules)


@lru_cache(maxsize=4096)
def _foreign_place(
    country: str | None, timezone: str | None, *, year: int, area_codes: AreaCodeTable, rules: RuleBook
) -> Place:
    if country in (None, "US"):
        return _nowhere(NUM_INVALID, "the area code is in no table we have")
    law = rules.jurisdictions.get(str(country))
    if law is None:
        return _nowhere(JUR_NOT_ENABLED, f"the number belongs to {country}, whose rules are not enabled")
    zones = _Zones(law.zones, year=year, table=area_codes)
    zones.why.append(f"country {country}: {', '.join(law.zones)}")
    return _weighed(zones, _Clues(None, None, None, timezone), (law.key,), rules=rules)


def _weighed(zones: "_Zones", clues: _Clues, jurisdictions: tuple[str, ...], *, rules: RuleBook) -> Place:
    try:
        for label, names in _evidence_zones(clues, zones, rules=rules):
            zones.weigh(label, names)
        return Place(zones=zones.settled(), jurisdictions=jurisdictions, why=tuple(zones.why))
    except UnreadableZoneError as error:
        return _nowhere(ZONE_UNKNOWN, str(error))


def _evidence_zones(clues: _Clues, zones: "_Zones", *, rules: RuleBook) -> list[tuple[str, tuple[str, ...]]]:
    """Each piece of evidence with the zones that it points to; a ZIP inside a stated state narrows that state."""
    evidence: list[tuple[str, tuple[str, ...]]] = []
    zip_zones = (clues.zip_timezone,) if clues.zip_timezone else ()
    for label, state in _stated_states(clues):
        law = rules.state(state)
        in_state = law.zones if law else ()
        narrowed = zones.agreeing(in_state, zip_zones)
        evidence.append((f"{label} {state}", narrowed or in_state))
    if zip_zones:
        evidence.append(("ZIP", zip_zones))
    if clues.timezone:
        evidence.append(("stated zone", (clues.timezone,)))
    return evidence


def _stated_states(clues: _Clues) -> list[tuple[str, str]]:
    stated = [("state", clues.state)]
    if clues.zip_state != clues.state:
        stated.append(("ZIP in state", clues.zip_state))
    return [(label, state) for label, state in stated if state]


def _nowhere(problem: str, why: str) -> Place:
    return Place(zones=(), jurisdictions=(), why=(why,), problem=problem)


class _Zones:
    """The candidate zones while evidence is weighed, one piece after the other."""

    def __init__(self, origin: tuple[str, ...], *, year: int, table: AreaCodeTable) -> None:
        self._origin = origin
        self._year = year
        self._table = table
        self._supported: list[tuple[str, ...]] = []
        self._added: dict[str, None] = {}
        self.why: list[str] = []

    def weigh(self, label: str, names: tuple[str, ...]) -> None:
        """Let one piece of evidence narrow the origin's zones, or add its own. Raises `UnreadableZoneError`."""
        agreed = self.agreeing(self._origin, names)
        if agreed:
            self._supported.append(agreed)
            self.why.append(f"{label} agrees: {', '.join(agreed)}")
        else:
            added = tuple(self._canonical(name) for name in names)
            self._added.update(dict.fromkeys(added))
            self.why.append(f"{label} disagrees, added: {', '.join(added)}")

    def settled(self) -> tuple[str, ...]:
        """The zones left: those that all agreeing evidence supports, else that any does, and all that was added."""
        zones = [name for name in self._origin if all(name in agreed for agreed in self._supported)]
        zones = zones or [name for name in self._origin if any(name in agreed for agreed in self._supported)]
        return tuple(dict.fromkeys([*zones, *self._added]))

    def agreeing(self, ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
        """Those of our zones that keep the same clock as one of theirs."""
        return tuple(name for name in ours if any(self._same(name, other) for other in theirs))

    def _canonical(self, name: str) -> str:
        """The name that the area-code table uses for a zone with this clock, else its own."""
        if name in self._table.zones:
            return name
        return next((known for known in self._table.zones if self._same(known, name)), name)

    def _same(self, first: str, second: str) -> bool:
        return same_rules(first, second, year=self._year)
