"""One row of a list on its way to the database: read, placed, and given its first legal opening."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from json.encoder import encode_basestring
from pathlib import Path

from campaigns.calls.states import CallState
from campaigns.compliance.decision import Opening
from campaigns.compliance.facts import CampaignSwitch, Consent, PlaceEvidence, Plan
from campaigns.compliance.numbers import area_code_of
from campaigns.customers.row import RowReject, read_row
from campaigns.definition.model import CampaignDefinition
from campaigns.files.customer_problems import SourceItem, SourceProblem
from campaigns.services.duplicates import Candidate
from campaigns.services.gatekeeper import GateKeeper
from campaigns.store.expansion import ExpandingRun
from campaigns.store.expansion_chunks import CustomerEntry, Reject

NO_OPENING = "no_opening_before_latest_at"
KEPT_PLACES = 16_384
"""Places of a list by area code and evidence: some 10 MB at most, and a list sorted in any way rarely needs more."""


@dataclass(frozen=True, slots=True)
class ReadRows:
    """A chunk of the list: every row is one or the other."""

    candidates: list[Candidate]
    entries: dict[int, CustomerEntry]
    """By row number: what is written of each candidate that stays."""
    rejects: list[Reject]
    last_row: int


@dataclass(frozen=True, slots=True)
class _Schedule:
    """The zone group of a call and when it is due, as the database takes them."""

    group_key: str
    call_state: str
    reason: str | None
    due_at: str | None
    closes_at: str | None


class RowReader:
    """Reads rows for one run. Openings are kept by zone group: a million rows share some hundred of them."""

    def __init__(self, definition: CampaignDefinition, run: ExpandingRun, gatekeeper: GateKeeper) -> None:
        self._definition = definition
        self._columns = definition.customers.headers()
        self._source_name = Path(run.customers_path).name if run.customers_path else f"{definition.campaign} (inline)"
        self._default_consent = _default_consent(definition)
        self._gatekeeper = gatekeeper
        self._plan = _plan(definition, run)
        self._after = max(run.earliest_at, run.campaign_at)
        self._schedules: dict[str, _Schedule] = {}
        self._by_place: dict[tuple[str, PlaceEvidence], _Schedule] = {}

    def read(self, items: Iterable[SourceItem], *, most: int) -> ReadRows | None:
        """Take up to `most` rows and tell customers from rejects; None when no row is left.

        One row after the other: what was read of a row is gone before the next one is looked at.
        """
        candidates: list[Candidate] = []
        entries: dict[int, CustomerEntry] = {}
        rejects: list[Reject] = []
        last_row = 0
        for item in islice(items, most):
            last_row = item.row_number
            result = self._read(item)
            if isinstance(result, Candidate):
                candidates.append(result)
                entries[last_row] = self._entry(result)
            else:
                rejects.append(result)
        return ReadRows(candidates, entries, rejects, last_row) if last_row else None

    def _entry(self, candidate: Candidate) -> CustomerEntry:
        """The customer and its call."""
        row, consent = candidate.row, candidate.row.consent
        schedule = self._schedule(row.number, row.evidence)
        return CustomerEntry(
            row_number=candidate.row_number,
            number=row.number,
            name=row.name,
            external_id=row.external_id,
            person=row.person,
            state=row.evidence.state,
            zip=row.evidence.zip,
            timezone=row.evidence.timezone,
            line_type=row.line_type,
            debt=row.debt,
            exemption=row.exemption,
            ebr_transaction_at=_text(row.relationship.transaction_at) if row.relationship else None,
            ebr_inquiry_at=_text(row.relationship.inquiry_at) if row.relationship else None,
            consent_level=consent.level.value if consent else None,
            consent_at=consent.obtained_at.isoformat() if consent else None,
            consent_source=consent.source if consent else None,
            consent_seller=consent.seller if consent else None,
            restriction=row.restriction,
            variables=_json(row.variables),
            group_key=schedule.group_key,
            call_state=schedule.call_state,
            reason=schedule.reason,
            due_at=schedule.due_at,
            closes_at=schedule.closes_at,
        )

    def _read(self, item: SourceItem) -> Candidate | Reject:
        if isinstance(item, SourceProblem):
            return Reject(item.row_number, item.reason, item.detail, item.original)
        row = read_row(
            item.values,
            columns=self._columns,
            default_region=self._definition.customers.default_region,
            default_consent=self._default_consent,
            seller=self._definition.seller,
            source_name=self._source_name,
        )
        if isinstance(row, RowReject):
            return Reject(item.row_number, row.reason, row.message, item.original)
        return Candidate(item.row_number, row, item.original)

    def _schedule(self, number: str, evidence: PlaceEvidence) -> _Schedule:
        """Kept by all that a place depends on: of a number with an area code that we know, no more than the code."""
        code = area_code_of(number)
        key = (code if code and self._gatekeeper.area_codes.get(code) else number, evidence)
        known = self._by_place.get(key)
        if known is None:
            if len(self._by_place) >= KEPT_PLACES:
                self._by_place.clear()
            known = self._by_place[key] = self._schedule_of_group(number, evidence)
        return known

    def _schedule_of_group(self, number: str, evidence: PlaceEvidence) -> _Schedule:
        place = self._gatekeeper.place(number, evidence, at=self._after)
        group_key = place.problem or place.group
        known = self._schedules.get(group_key)
        if known is None:
            opening = self._gatekeeper.opening(number, evidence, self._plan, after=self._after)
            known = self._schedules[group_key] = _scheduled(group_key, opening)
        return known


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _json(variables: Mapping[str, str]) -> str:
    """An object of texts; the standard encoder, made anew for every row, takes ten times as long."""
    pairs = [f"{encode_basestring(name)}: {encode_basestring(value)}" for name, value in variables.items()]
    return "{" + ", ".join(pairs) + "}"


def _scheduled(group_key: str, opening: Opening | None) -> _Schedule:
    if opening is None:
        return _Schedule(group_key, CallState.EXPIRED.value, NO_OPENING, None, None)
    due_at, closes_at = opening.opens_at.isoformat(), opening.closes_at.isoformat()
    return _Schedule(group_key, CallState.SCHEDULED.value, None, due_at, closes_at)


def _default_consent(definition: CampaignDefinition) -> Consent | None:
    given = definition.consent
    if given is None:
        return None
    return Consent(
        id=None,
        level=given.level,
        seller=definition.seller,
        purpose=None,
        obtained_at=given.obtained_at.astimezone(UTC),
        source=given.source,
    )


def _plan(definition: CampaignDefinition, run: ExpandingRun) -> Plan:
    """What openings depend on; the gate reads everything afresh when the time has come."""
    return Plan(
        campaign=definition.campaign,
        purpose=definition.purpose,
        seller=definition.seller,
        switch=CampaignSwitch.ACTIVE,
        earliest_at=run.earliest_at,
        latest_at=run.latest_at,
        end_guard=definition.end_guard,
        calling_hours=definition.calling_hours,
        fictional_allowed=run.simulator,
    )
