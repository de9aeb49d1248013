"""One row of a list on its way to the database: read, placed, and given its first legal opening."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from campaigns.calls.states import CallState
from campaigns.compliance.decision import Opening
from campaigns.compliance.facts import CampaignSwitch, Consent, Plan
from campaigns.customers.row import RowReject, read_row
from campaigns.definition.model import CampaignDefinition
from campaigns.files.customer_problems import SourceItem, SourceProblem
from campaigns.services.duplicates import Candidate
from campaigns.services.gatekeeper import GateKeeper
from campaigns.store.expansion import ExpandingRun
from campaigns.store.expansion_chunks import CustomerEntry, Reject

NO_OPENING = "no_opening_before_latest_at"


@dataclass(frozen=True, slots=True)
class ReadRows:
    """A chunk of the list: every row is one or the other."""

    candidates: list[Candidate]
    rejects: list[Reject]
    last_row: int


@dataclass(frozen=True, slots=True)
class _Schedule:
    """When a call is due, as the database takes it."""

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

    def read(self, items: Sequence[SourceItem]) -> ReadRows:
        """Tell customers from rejects. `items` must not be empty."""
        candidates: list[Candidate] = []
        rejects: list[Reject] = []
        for item in items:
            result = self._read(item)
            if isinstance(result, Candidate):
                candidates.append(result)
            else:
                rejects.append(result)
        return ReadRows(candidates, rejects, last_row=items[-1].row_number)

    def entry(self, candidate: Candidate) -> CustomerEntry:
        """The customer and its call."""
        row = candidate.row
        place = self._gatekeeper.place(row.number, row.evidence, at=self._after)
        group_key = place.problem or place.group
        schedule = self._schedules.get(group_key)
        if schedule is None:
            schedule = self._schedules[group_key] = self._schedule(candidate)
        consent = row.consent
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
            variables=json.dumps(row.variables, ensure_ascii=False) if row.variables else "{}",
            group_key=group_key,
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

    def _schedule(self, candidate: Candidate) -> _Schedule:
        row = candidate.row
        opening = self._gatekeeper.opening(row.number, row.evidence, self._plan, after=self._after)
        if opening is None:
            return _Schedule(CallState.EXPIRED.value, NO_OPENING, None, None)
        return _scheduled(opening)


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _scheduled(opening: Opening) -> _Schedule:
    due_at, closes_at = opening.opens_at.isoformat(), opening.closes_at.isoformat()
    return _Schedule(CallState.SCHEDULED.value, None, due_at, closes_at)


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
