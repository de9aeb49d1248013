"""Submit: a campaign file becomes a campaign with its first run, or with its first slot. Once, whoever asks twice."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from sqlalchemy import Connection, Engine

from campaigns.calls.clock import CampaignClock, campaign_time
from campaigns.calls.cron import CronSchedule
from campaigns.compliance.zones import zone
from campaigns.definition.difference import differences
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.pending import PendingKey, pending_keys
from campaigns.definition.storage import dump_definition, load_definition
from campaigns.files.customer_file import inspect_customers
from campaigns.providers.registry import capabilities_of
from campaigns.providers.scheduling import ProviderSpan
from campaigns.services.approvals import record_identification_reason
from campaigns.services.assistant_fit import Misfit, misfits
from campaigns.services.preflight import missing_identification
from campaigns.store import campaigns as rows
from campaigns.store.accounts import account_traits

WEBHOOK_TOKEN_BYTES = 32
"""256 bits: a webhook is believed on this alone."""


class SubmitRefusedError(Exception):
    """A guard says no; nothing was written. The message says what to do."""


class PendingKeysError(SubmitRefusedError):
    """The file uses keys whose effect comes with a later version."""

    def __init__(self, keys: Sequence[PendingKey]) -> None:
        named = "; ".join(f"{key.path} ({key.why})" for key in keys)
        super().__init__(f"these keys have no effect in this version, remove them: {named}")
        self.keys = tuple(keys)


class UnidentifiedError(SubmitRefusedError):
    """A sales campaign does not state what its assistant must say."""

    def __init__(self, keys: Sequence[PendingKey]) -> None:
        named = "; ".join(f"{key.path} ({key.why})" for key in keys)
        super().__init__(
            f"sales calls must identify themselves (47 CFR 64.1200(b)), and the file does not state: {named}. "
            "State it, or record why that is fine with --identification-reason"
        )
        self.keys = tuple(keys)


class ChangedDefinitionError(SubmitRefusedError):
    """A campaign of that name exists, from another file."""

    def __init__(self, name: str, changes: Sequence[str]) -> None:
        super().__init__(
            f"campaign {name} exists already and this file differs: {'; '.join(changes)}. "
            "Submit it under another name, or put the old content back"
        )
        self.differences = tuple(changes)


class UnknownAccountError(SubmitRefusedError):
    """The file names an account that the settings do not have."""

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(f"there is no account {name!r}; configured are: {listed}")
        self.known = tuple(known)
        self.nearest = next(iter(get_close_matches(name, known, n=1)), None)


class UnprovableRedialError(SubmitRefusedError):
    """The file asks for redials that can never happen: its provider lists no calls, so absence is never proven."""

    def __init__(self, account: str, provider: str) -> None:
        super().__init__(
            f"retries.ambiguous is redial, and account {account} is at {provider}, which lists no calls: nobody could "
            "prove that a lost call was not made. Write ambiguous: hold; `ringfence attention` then asks a person"
        )


class AssistantMisfitError(SubmitRefusedError):
    """The account cannot do what the file's assistant asks for."""

    def __init__(self, misfits: Sequence[Misfit]) -> None:
        super().__init__("; ".join(f"{misfit.path}: {misfit.why}" for misfit in misfits))
        self.misfits = tuple(misfits)


class RehearsalRefusedError(SubmitRefusedError):
    """Only a simulator account may run on a clock that is not the real one."""


class WindowOverError(SubmitRefusedError):
    """Nothing of this campaign could ever be dialed."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """`created` False: the same file was submitted before, and nothing was done now.

    `run_id` None: a recurring campaign; its first run starts at `next_run_at` (campaign clock).
    """

    created: bool
    campaign_id: int
    run_id: int | None
    next_run_at: datetime | None
    unstated: tuple[PendingKey, ...] = ()
    """What a real account would have to state of its identification; here it is a warning."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    definition: CampaignDefinition
    source: str
    customers_path: Path | None
    customers_digest: str
    operator: str
    clock: CampaignClock | None
    identification_reason: str | None
    span: ProviderSpan | None

    @property
    def digest(self) -> str:
        return _digest(self.source, self.customers_digest)


class Submit:
    """Register a campaign and launch it, or set its first slot."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(
        self,
        definition: CampaignDefinition,
        *,
        source_text: str,
        customers_path: Path | None,
        operator: str,
        clock: CampaignClock | None = None,
        identification_reason: str | None = None,
        span: ProviderSpan | None = None,
    ) -> Submitted:
        """One transaction; the same file again changes nothing.

        `customers_path` is the list's file, None for inline customers. `identification_reason`: why an operator finds
        it fine that a sales campaign does not state its identification. `span`: its calls are for the provider to hold
        until then. Raises `SubmitRefusedError` in one of its
        kinds, and `CustomerFileError` for a list that cannot be read.
        """
        candidate = _Candidate(
            definition=definition,
            source=source_text,
            customers_path=customers_path.absolute() if customers_path else None,
            customers_digest=_customers_digest(definition, customers_path),
            operator=operator,
            clock=clock,
            identification_reason=(identification_reason or "").strip() or None,
            span=span,
        )
        with self._engine.begin() as connection:
            return _unchanged(connection, candidate) or _create(connection, candidate)


def first_slot(definition: CampaignDefinition, *, campaign_at: datetime) -> datetime | None:
    """The first slot that is not past and lies inside the window; None if there is none."""
    schedule, window = definition.schedule, definition.window
    if schedule is None:
        return None
    cron = CronSchedule(schedule.cron, zone(schedule.timezone))
    slot = cron.first_slot(at_or_after=max(campaign_at, window.earliest_at))
    return slot if slot < window.latest_at - definition.end_guard else None


def _customers_digest(definition: CampaignDefinition, customers_path: Path | None) -> str:
    """Digest of the list's file. A recurring campaign reads its list anew for each run, so there it is left out."""
    if customers_path is None:
        return ""
    digest = inspect_customers(customers_path, required=list(definition.customers.headers().values()))
    return "" if definition.schedule else digest


def _digest(source: str, customers_digest: str) -> str:
    return hashlib.sha256(f"{source}\0{customers_digest}".encode()).hexdigest()


def _unchanged(connection: Connection, candidate: _Candidate) -> Submitted | None:
    """What was created before from the same file; None for a new name. Raises `ChangedDefinitionError`."""
    stored = rows.find_campaign(connection, candidate.definition.campaign)
    if stored is None:
        return None
    if stored.digest != candidate.digest and (changes := _changes(stored, candidate)):
        raise ChangedDefinitionError(stored.name, changes)
    return Submitted(False, stored.id, stored.latest_run_id, stored.next_run_at)


def _changes(stored: rows.StoredCampaign, candidate: _Candidate) -> tuple[str, ...]:
    """Differences in meaning; a file that was only laid out differently is the same file."""
    changes = differences(load_definition(stored.definition), candidate.definition)
    same_customers = stored.digest == _digest(stored.source, candidate.customers_digest)
    return changes if same_customers else (*changes, "the content of the customer file changed")


def _create(connection: Connection, candidate: _Candidate) -> Submitted:
    definition = candidate.definition
    campaign_at = campaign_time(candidate.clock, machine_at=rows.machine_now(connection))
    _check_guards(connection, candidate, campaign_at=campaign_at)
    next_run_at = first_slot(definition, campaign_at=campaign_at)
    if definition.schedule and next_run_at is None:
        raise WindowOverError("schedule.cron has no slot left between now (or earliestAt) and latestAt")
    campaign_id = rows.add_campaign(connection, _new_campaign(candidate, next_run_at), clock=candidate.clock)
    if campaign_id is None:
        return _submitted_elsewhere(connection, candidate)
    version_id = rows.add_version(
        connection,
        campaign_id,
        digest=candidate.digest,
        source=candidate.source,
        definition=dump_definition(definition),
        customers_path=str(candidate.customers_path) if candidate.customers_path else None,
        submitted_by=candidate.operator,
    )
    unstated = missing_identification(definition)
    if unstated and candidate.identification_reason:
        reason, operator = candidate.identification_reason, candidate.operator
        record_identification_reason(connection, version_id, reason=reason, operator=operator)
    run_id = None if definition.schedule else _add_run(connection, candidate, campaign_id, version_id)
    rows.record_operation(connection, operator=candidate.operator, action="submit", subject=definition.campaign)
    return Submitted(True, campaign_id, run_id, next_run_at, unstated)


def _submitted_elsewhere(connection: Connection, candidate: _Candidate) -> Submitted:
    """Somebody else submitted this name between our look and our insert; their row is visible now."""
    submitted = _unchanged(connection, candidate)
    if submitted is None:
        raise SubmitRefusedError(f"campaign {candidate.definition.campaign} is being submitted right now; try again")
    return submitted


def _check_guards(connection: Connection, candidate: _Candidate, *, campaign_at: datetime) -> None:
    definition = candidate.definition
    if keys := pending_keys(definition):
        raise PendingKeysError(keys)
    accounts = account_traits(connection)
    if definition.account not in accounts:
        raise UnknownAccountError(definition.account, known=list(accounts))
    account = accounts[definition.account]
    if found := misfits(definition, account):
        raise AssistantMisfitError(found)
    if candidate.clock is not None and not account.simulator:
        raise RehearsalRefusedError(
            f"account {definition.account} dials real people, and a rehearsal clock is only for simulator accounts"
        )
    if campaign_at >= definition.window.latest_at - definition.end_guard:
        raise WindowOverError(
            f"window.latestAt {definition.window.latest_at.isoformat()} is over, endGuard counted; choose a later one"
        )
    if definition.retries.ambiguous == "redial" and not capabilities_of(account.provider).lists_calls:
        raise UnprovableRedialError(definition.account, account.provider)
    unstated = missing_identification(definition)
    if unstated and not account.simulator and candidate.identification_reason is None:
        raise UnidentifiedError(unstated)


def _new_campaign(candidate: _Candidate, next_run_at: datetime | None) -> rows.NewCampaign:
    definition = candidate.definition
    return rows.NewCampaign(
        name=definition.campaign,
        account=definition.account,
        webhook_token=secrets.token_urlsafe(WEBHOOK_TOKEN_BYTES),
        priority=definition.priority,
        weight=definition.weight,
        calls_per_second=definition.pacing.calls_per_second,
        concurrency=definition.pacing.concurrency,
        dial_budget=definition.budget.dials if definition.budget else None,
        lines=definition.lines.pool,
        line_daily_limit=definition.lines.per_line_daily_limit,
        line_hourly_limit=definition.lines.per_line_hourly_limit,
        next_run_at=next_run_at,
        created_by=candidate.operator,
    )


def _add_run(connection: Connection, candidate: _Candidate, campaign_id: int, version_id: int) -> int | None:
    window = candidate.definition.window
    return rows.add_run(
        connection,
        rows.NewRun(
            campaign_id=campaign_id,
            version_id=version_id,
            slot_at=None,
            earliest_at=window.earliest_at,
            latest_at=window.latest_at,
            source_digest=candidate.customers_digest or None,
            provider_from=candidate.span.due_from if candidate.span else None,
            provider_until=candidate.span.due_until if candidate.span else None,
        ),
    )
