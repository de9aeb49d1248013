"""Where a campaign stands: customers, states, outcomes, dials, pace, and what waits for what."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from campaigns.calls.states import FINAL_CALL_STATES
from campaigns.services.control import UnknownCampaignError
from campaigns.store import status as rows
from campaigns.store.campaigns import campaign_names

PACE_SPAN = timedelta(seconds=10)
"""Machine time over which the pace is measured: short enough to be live, long enough to be calm."""
WAITING_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """Calls of one zone group that wait; the next of them is due at `due_at` (campaign clock)."""

    group: str
    calls: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One launch; instants on the campaign's clock. `reason` says why it was skipped or why it waits for a person."""

    id: int
    state: str
    reason: str | None
    slot_at: datetime | None
    earliest_at: datetime
    latest_at: datetime
    rows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """One campaign, over all its runs, at `machine_at`.

    `customers` counts rows of the lists, so `customers = rejected + the sum of by_state`.
    `by_outcome` counts attempts, `by_reason` calls that are final. `dials` are requests made or possibly made.
    `pace` is dials per machine second over the last ten.
    """

    campaign: str
    account: str
    state: str
    state_reason: str | None
    held_by: str | None
    campaign_at: datetime
    machine_at: datetime
    clock_speed: float
    rehearsal: bool
    next_run_at: datetime | None
    customers: int
    rejected: int
    final: int
    by_state: dict[str, int]
    by_reason: dict[str, int]
    by_outcome: dict[str, int]
    rejects_by_reason: dict[str, int]
    refusals_by_rule: dict[str, int]
    dials: int
    in_flight: int
    unknown: int
    needs_person: int
    pace: float
    waiting: tuple[Waiting, ...]
    runs: tuple[RunStatus, ...]

    @property
    def finished(self) -> bool:
        """Whether every customer is final and no run is to come."""
        expanding = any(run.state == "expanding" for run in self.runs)
        return self.final == sum(self.by_state.values()) and not expanding and self.next_run_at is None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: instants as ISO text."""
        return {name: _plain(value) for name, value in asdict(self).items()} | {"finished": self.finished}


def campaign_status(engine: Engine, name: str) -> CampaignStatus:
    """The campaign of that name. Raises `UnknownCampaignError`, which names the nearest ones."""
    with snapshot(engine) as connection:
        found = rows.campaign_rows(connection, name=name)
        if not found:
            raise UnknownCampaignError(name, known=campaign_names(connection))
        return _status(connection, found[0])


def campaign_statuses(engine: Engine) -> tuple[CampaignStatus, ...]:
    """Every campaign, by name."""
    with snapshot(engine) as connection:
        return tuple(_status(connection, row) for row in rows.campaign_rows(connection, name=None))


def demo_summary(engine: Engine, name: str) -> dict[str, Any]:
    """The part of the demo's closing object that the database knows: customers = rejected_rows + final at the end."""
    status = campaign_status(engine, name)
    return {
        "customers": status.customers,
        "rejected_rows": status.rejected,
        "final": status.final,
        "by_state": status.by_state,
        "by_outcome": status.by_outcome,
        "dials": status.dials,
        "refusals_by_rule": status.refusals_by_rule,
    }


def _status(connection: Connection, campaign: rows.CampaignRow) -> CampaignStatus:
    calls = rows.calls_by_state(connection, campaign.id)
    attempts = rows.attempt_counts(connection, campaign.id, recent=PACE_SPAN)
    runs = rows.run_rows(connection, campaign.id)
    by_state = _summed((state, count) for (state, _), count in calls.items())
    return CampaignStatus(
        campaign=campaign.name,
        account=campaign.account,
        state=campaign.state,
        state_reason=campaign.state_reason,
        held_by=_held_by(campaign),
        campaign_at=campaign.campaign_at,
        machine_at=campaign.machine_at,
        clock_speed=campaign.clock_speed,
        rehearsal=campaign.rehearsal,
        next_run_at=campaign.next_run_at,
        customers=sum(run.rows_read for run in runs),
        rejected=sum(run.rows_rejected for run in runs),
        final=sum(by_state.get(state, 0) for state in FINAL_CALL_STATES),
        by_state=by_state,
        by_reason=_summed((reason, count) for (_, reason), count in calls.items() if reason),
        by_outcome=attempts.by_outcome,
        rejects_by_reason=rows.rejects_by_reason(connection, campaign.id),
        refusals_by_rule=rows.refusals_by_rule(connection, campaign.id),
        dials=attempts.dials,
        in_flight=attempts.in_flight,
        unknown=attempts.unknown,
        needs_person=attempts.needs_person,
        pace=attempts.recent_dials / PACE_SPAN.total_seconds(),
        waiting=tuple(
            Waiting(group.key, group.calls, group.due_at)
            for group in rows.waiting_groups(connection, campaign.id, most=WAITING_SHOWN)
        ),
        runs=tuple(_run(run) for run in runs),
    )


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One view of all tables: sums must agree although workers go on."""
    with engine.connect() as connection:
        reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with reading.begin():
            yield reading


def _held_by(campaign: rows.CampaignRow) -> str | None:
    """What keeps the campaign from dialing although calls may be due."""
    if campaign.stopped:
        return "all campaigns are stopped; `ringfence start` lets them go on"
    if campaign.state != "active":
        return campaign.state_reason or campaign.state
    if campaign.account_paused:
        return f"the account is paused: {campaign.account_paused}"
    if campaign.cooling_until:
        return f"the provider asked for a pause until {campaign.cooling_until.isoformat()}"
    return None if campaign.slowed_to is None else slowed(campaign.slowed_to)


def slowed(calls_per_second: float) -> str:
    """A sentence for an account that keeps below its rate."""
    return f"slowed to {calls_per_second:.3g} calls a second, for the provider said that it was full"


def _run(run: rows.RunRow) -> RunStatus:
    return RunStatus(
        id=run.id,
        state=run.state,
        reason=run.state_reason,
        slot_at=run.slot_at,
        earliest_at=run.earliest_at,
        latest_at=run.latest_at,
        rows=run.rows_read,
        rejected=run.rows_rejected,
    )


def _summed(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for key, count in counts:
        sums[key] = sums.get(key, 0) + count
    return sums


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
