"""A small world for the tests of submit, expansion, launches, control and status: real Postgres, real rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from campaigns.calls.clock import CampaignClock
from campaigns.definition.parse import parse_definition
from campaigns.runtime.law import gatekeeper as load_gatekeeper
from campaigns.services.accounts import AccountRecord, activate_rules, sync_accounts
from campaigns.services.expand import Expand, Expanded
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.submit import Submit, Submitted

TUESDAY_NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)
"""Noon in New York, inside every state's hours that the tests use."""

ACCOUNT = AccountRecord(
    name="rehearsal",
    provider="vapi",
    limit_group="group-1",
    simulator=True,
    concurrency=10,
    calls_per_second=5.0,
    ring_timeout=timedelta(seconds=60),
    max_duration=timedelta(minutes=10),
    reconcile_after=(timedelta(seconds=1), timedelta(seconds=3)),
    webhooks=True,
)

PLAN: Mapping[str, Any] = {
    "campaign": "spring",
    "purpose": "telemarketing",
    "seller": "Example Energy, Inc.",
    "account": ACCOUNT.name,
    "assistant": {"id": "assistant-1"},
    "lines": {"pool": ["line-1"]},
    "customers": {"file": "list.csv", "defaultRegion": "US", "columns": {"number": "phone"}},
    "consent": {"level": "pewc", "obtainedAt": "2026-09-01T00:00:00Z", "source": "Renewal form v3"},
    "window": {"earliestAt": "2026-12-01T08:00:00-05:00", "latestAt": "2026-12-12T20:00:00-05:00"},
}


def clock_at(campaign_at: datetime, *, speed: float = 1.0) -> CampaignClock:
    return CampaignClock(campaign_at=campaign_at, machine_at=datetime.now(UTC), speed=speed)


@dataclass
class World:
    """One installation with one simulator account, and a folder for campaign files."""

    engine: Engine
    folder: Path
    gatekeeper: GateKeeper

    def write_list(self, *rows: str, header: str = "phone") -> Path:
        path = self.folder / "list.csv"
        path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        return path

    def submit(
        self,
        *rows: str,
        header: str = "phone",
        at: datetime = TUESDAY_NOON,
        clock: CampaignClock | None = None,
        remark: str = "",
        **changes: Any,
    ) -> Submitted:
        """Write the list (if rows are given) and submit the plan with `changes`, on a rehearsal clock."""
        if rows:
            self.write_list(*rows, header=header)
        plan = {key: value for key, value in {**PLAN, **changes}.items() if value is not None}
        source = yaml.safe_dump(plan) + (f"# {remark}\n" if remark else "")
        definition = parse_definition(source.encode(), file="spring.yaml")
        path = self.folder / definition.customers.file if definition.customers.file else None
        submit = Submit(self.engine)
        return submit.run(
            definition, source_text=source, customers_path=path, operator="ann", clock=clock or clock_at(at)
        )

    def expand(self, run_id: int | None, *, chunk_rows: int = 1000) -> Expanded | None:
        assert run_id is not None
        return Expand(self.engine, self.gatekeeper, chunk_rows=chunk_rows).run(run_id)

    def launched(self, *rows: str, chunk_rows: int = 1000, **changes: Any) -> int:
        """Submitted and expanded: the run's id."""
        run_id = self.submit(*rows, **changes).run_id
        assert run_id is not None
        self.expand(run_id, chunk_rows=chunk_rows)
        return run_id

    def query(self, statement: str, **values: Any) -> list[Any]:
        """Rows of a query: tuples, or bare values if there is one column."""
        with self.engine.begin() as connection:
            rows: Sequence[Any] = connection.execute(text(statement), values).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def set_campaign_time(self, at: datetime, *, campaign: str = "spring") -> None:
        """Turn the campaign's clock to `at`."""
        self.execute(
            "UPDATE campaigns SET clock_campaign_at = :at, clock_machine_at = clock_timestamp() WHERE name = :name",
            at=at,
            name=campaign,
        )


@pytest.fixture(scope="session")
def gatekeeper() -> GateKeeper:
    return load_gatekeeper()


@pytest.fixture
def world(database: Engine, tmp_path: Path, gatekeeper: GateKeeper) -> World:
    sync_accounts(database, [ACCOUNT])
    activate_rules(database, digest=gatekeeper.rules_digest, tzdata_version=gatekeeper.tzdata_version)
    return World(engine=database, folder=tmp_path, gatekeeper=gatekeeper)
