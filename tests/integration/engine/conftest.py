"""A small world for the engine's tests: real Postgres, the real gate, a provider that answers as it is told."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.definition.parse import parse_definition
from campaigns.definition.storage import dump_definition
from campaigns.providers.contract import (
    CallReport,
    Capabilities,
    DialRequest,
    DialResult,
    Listing,
    NotDialed,
    NotDialedKind,
    PermitLapsedError,
    Phase,
    Placed,
    ProviderUnavailableError,
    Receipt,
    Sought,
    WebhookRequest,
)
from campaigns.runtime.law import gatekeeper
from campaigns.services.claim import Claim
from campaigns.services.dispatch import Dispatch
from campaigns.services.feed import Feed
from campaigns.services.inbox import Inbox, Intake
from campaigns.services.pace import Pace
from campaigns.services.plans import Definitions
from campaigns.services.poll import Poll
from campaigns.services.ports import CallRef
from campaigns.services.reconcile import Reconcile
from campaigns.services.record import Recorder
from campaigns.services.rescue import Rescue
from campaigns.services.results import ResultWriter
from campaigns.services.roll_on import RollOn

WEDNESDAY_NOON = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)
"""12:00 in New York, 09:00 in Los Angeles: every state's window is open."""

CAMPAIGN = """
campaign: {name}
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {{id: assistant-1, variables: {{firstName: "{{name}}"}}}}
lines: {{pool: [line-1, line-2]}}
customers: {{file: customers.csv, columns: {{number: phone}}}}
consent: {{level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}}
window: {{earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}}
retries: {{maxAttempts: 4, ladder: {{no_answer: [2h, 27h], busy: [10m, 1h]}}, ambiguous: {ambiguous}}}
"""


class HeldPublisher:
    """Keeps messages instead of sending them; a test delivers, repeats or loses them."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, list[CallRef]]] = []
        self.feeds_requested: list[str] = []

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        self.messages.append((campaign_id, list(group)))

    def request_feed(self, limit_group: str) -> None:
        self.feeds_requested.append(limit_group)

    def backlog(self) -> int:
        return len(self.messages)


@dataclass
class ScriptedProvider:
    """Answers each dial by `answer`; lists what `listed` holds."""

    answer: Callable[[DialRequest], DialResult] = lambda request: Placed(f"call-{request.attempt_id}")
    dials: list[DialRequest] = field(default_factory=list)
    listed: list[CallReport] = field(default_factory=list)
    complete: bool = True
    unavailable: bool = False
    ended: list[str] = field(default_factory=list)

    async def dial(self, request: DialRequest) -> DialResult:
        try:
            await request.permit.turn()
        except PermitLapsedError:
            return NotDialed(NotDialedKind.PERMIT_LAPSED, "too late")
        self.dials.append(request)
        return self.answer(request)

    capabilities: ClassVar[Capabilities] = Capabilities(
        lists_calls=True, cancels_waiting=True, ends_live=True, signs_webhooks=False
    )

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        if self.unavailable:
            raise ProviderUnavailableError("503")
        return Listing(self.listed, self.complete)

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        if self.unavailable:
            raise ProviderUnavailableError("503")
        return next((each for each in self.listed if each.provider_call_id == provider_call_id), None)

    async def find(self, sought: Sequence[Sought], *, created_from: datetime, created_to: datetime) -> Listing:
        wanted = {each.attempt_id for each in sought}
        listing = await self.list_calls(created_from=created_from, created_to=created_to)
        return replace(listing, reports=[report for report in listing.reports if report.attempt_id in wanted])

    async def cancel(self, provider_call_id: str) -> bool:
        return await self.end(provider_call_id)

    async def end(self, provider_call_id: str) -> bool:
        self.ended.append(provider_call_id)
        return True

    def verify_webhook(self, request: WebhookRequest, *, secret: str) -> None:
        raise NotImplementedError

    def parse_webhook(self, body: bytes) -> Receipt:
        raise NotImplementedError

    async def aclose(self) -> None:
        return None


class World:
    """One account `sim`, campaigns on a clock that shows Wednesday noon, and every service on one database."""

    def __init__(self, database: Engine, run_async: Callable[[Coroutine[Any, Any, Any]], Future[Any]]) -> None:
        self.database = database
        self.publisher = HeldPublisher()
        self.provider = ScriptedProvider()
        self.gate = gatekeeper()
        definitions = Definitions()
        providers = {"sim": self.provider}
        self.recorder = Recorder(database, self.gate, definitions)
        self.results = ResultWriter(self.recorder, self.publisher)
        self.claim = Claim(database, self.gate, definitions)
        self.feed = Feed(database, self.publisher)
        self.dispatch = Dispatch(
            database,
            self.claim,
            Pace(database),
            providers,
            self.results,
            simulators=frozenset({"sim"}),
            run_async=run_async,
            public_url="http://127.0.0.1:1",
        )
        self.intake = Intake(database)
        self.inbox = Inbox(database, self.recorder, self.publisher)
        self.rescue = Rescue(database, self.recorder, self.publisher)
        self.poll = Poll(database, self.recorder, providers, self.publisher, run_async=run_async)
        self.reconcile = Reconcile(database, self.recorder, providers, self.publisher, run_async=run_async)
        self.roll_on = RollOn(database, self.gate, definitions)

    # --- building ----------------------------------------------------------------------------------------------

    def sql(self, statement: str, **values: Any) -> Any:
        """Run one statement in its own transaction; returns all rows, or None."""
        with self.database.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def one(self, statement: str, **values: Any) -> Any:
        """The single value of a query."""
        ((value,),) = self.sql(statement, **values)
        return value

    def set_up(self) -> None:
        self.sql(
            """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second,
                ring_timeout, max_duration, reconcile_after, webhooks)
            VALUES ('sim', 'vapi', 'g', true, 100, 1000, '1 min', '10 min', ARRAY[interval '0', interval '0'], true)"""
        )
        self.sql(
            "UPDATE system SET rules_digest = :rules, tzdata_version = :tzdata",
            rules=self.gate.rules_digest,
            tzdata=self.gate.tzdata_version,
        )

    def campaign(
        self,
        name: str = "spring",
        *,
        at: datetime = WEDNESDAY_NOON,
        speed: float = 1.0,
        ambiguous: str = "hold",
        **columns: Any,
    ) -> int:
        """A campaign with one active run, as expansion leaves it; returns its id."""
        source = CAMPAIGN.format(name=name, ambiguous=ambiguous)
        definition = parse_definition(source.encode(), file="test.yaml")
        campaign_id: int = self.one(
            """INSERT INTO campaigns (name, account, webhook_token, lines, created_by, clock_campaign_at,
                clock_machine_at, clock_speed)
            VALUES (:name, 'sim', 'token', ARRAY['line-1', 'line-2'], 'test', :at, clock_timestamp(), :speed)
            RETURNING id""",
            name=name,
            at=at,
            speed=speed,
        )
        for column, value in columns.items():
            self.sql(f"UPDATE campaigns SET {column} = :value WHERE id = :id", value=value, id=campaign_id)
        self.sql(
            """WITH v AS (INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                VALUES (:id, 1, 'd', '', CAST(:definition AS jsonb), 'test') RETURNING id),
            r AS (INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
                SELECT :id, id, :earliest, :latest, 'active' FROM v RETURNING id)
            INSERT INTO zone_groups (run_id, key) SELECT id, 'all' FROM r""",
            id=campaign_id,
            definition=_json(dump_definition(definition)),
            earliest=definition.window.earliest_at,
            latest=definition.window.latest_at,
        )
        return campaign_id

    def call(self, campaign_id: int, number: str, *, consent: bool = True, **columns: Any) -> int:
        """A scheduled call that is due; returns its id."""
        call_id: int = self.one(
            """WITH u AS (INSERT INTO customers (run_id, row_number, number, name, restriction)
                SELECT id, 1, :number, 'Ann', 0 FROM runs WHERE campaign_id = :campaign_id RETURNING id, run_id)
            INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, due_at, closes_at)
            SELECT u.id, u.run_id, :campaign_id, g.id, :number, 'scheduled', r.earliest_at, r.latest_at
            FROM u JOIN zone_groups g ON g.run_id = u.run_id JOIN runs r ON r.id = u.run_id RETURNING id""",
            campaign_id=campaign_id,
            number=number,
        )
        if consent:
            self.sql(
                """INSERT INTO consents (number, level, seller, obtained_at, source, recorded_by)
                VALUES (:number, 'pewc', 'Example Energy, Inc.', '2026-09-01', 'form', 'test')
                ON CONFLICT DO NOTHING""",
                number=number,
            )
        for column, value in columns.items():
            self.sql(f"UPDATE calls SET {column} = :value WHERE id = :id", value=value, id=call_id)
        return call_id

    # --- acting ------------------------------------------------------------------------------------------------

    def deliver(self, *, times: int = 1) -> None:
        """Hand every held message to a worker, `times` times over."""
        messages, self.publisher.messages = self.publisher.messages, []
        for campaign_id, refs in messages:
            for _ in range(times):
                self.dispatch.run(refs, campaign_id=campaign_id, task_id="task-1")

    def dial_all(self) -> None:
        """Feed and deliver once."""
        self.feed.run("g")
        self.deliver()

    def report(self, call_id: int, phase: Phase, verdict: Verdict | None = None, **values: Any) -> CallReport:
        """What the provider would say of the call's newest attempt."""
        attempt_id = self.newest_attempt(call_id)
        provider_call_id = values.pop("provider_call_id", f"call-{attempt_id}")
        return CallReport(provider_call_id, attempt_id, phase, verdict, **values)

    def receive(self, report: CallReport, *, key: str | None = None) -> None:
        """A webhook arrives and is processed."""
        self.intake.accept("sim", Receipt(key or f"{report}", "end-of-call-report", report))
        self.inbox.process()

    def finish(self, call_id: int, outcome: Outcome, *, retryable: bool = False, counts: bool = True) -> None:
        """The provider reports how the call's newest attempt ended."""
        self.receive(self.report(call_id, Phase.REPORTED, Verdict(outcome, retryable, counts)))

    def pass_time(self, duration: timedelta) -> None:
        """Let machine time pass for every deadline: each is moved back by `duration`."""
        seconds = duration.total_seconds()
        for table, column in (
            ("calls", "lease_until"),
            ("attempts", "check_at"),
            ("attempts", "claimed_at"),
            ("attempts", "requested_at"),
            ("attempts", "ring_look_at"),
            ("live", "hold_until"),
            ("inbox", "next_try_at"),
            ("inbox", "received_at"),
        ):
            self.sql(f"UPDATE {table} SET {column} = {column} - :seconds * interval '1 second'", seconds=seconds)

    def set_campaign_clock(self, campaign_id: int, at: datetime) -> None:
        self.sql(
            "UPDATE campaigns SET clock_campaign_at = :at, clock_machine_at = clock_timestamp() WHERE id = :id",
            at=at,
            id=campaign_id,
        )

    # --- looking -----------------------------------------------------------------------------------------------

    def state(self, call_id: int) -> str:
        value: str = self.one("SELECT state FROM calls WHERE id = :id", id=call_id)
        return value

    def reason(self, call_id: int) -> str | None:
        value: str | None = self.one("SELECT reason FROM calls WHERE id = :id", id=call_id)
        return value

    def newest_attempt(self, call_id: int) -> UUID:
        value: UUID = self.one(
            "SELECT id FROM attempts WHERE call_id = :id ORDER BY attempt_no DESC LIMIT 1", id=call_id
        )
        return value

    def attempt_states(self, call_id: int) -> list[str]:
        return [
            row.state
            for row in self.sql("SELECT state FROM attempts WHERE call_id = :id ORDER BY attempt_no", id=call_id)
        ]

    def live_numbers(self) -> dict[str, bool]:
        """Number → whether it holds a slot."""
        return {row.number: row.holds_slot for row in self.sql("SELECT number, holds_slot FROM live")}

    def dials_by_number(self) -> dict[str, int]:
        counts = defaultdict[str, int](int)
        for request in self.provider.dials:
            counts[request.number] += 1
        return dict(counts)


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


@pytest.fixture(scope="session")
def run_async() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Future[Any]]]:
    """Submit to one event loop in a thread, as a worker process has it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def world(database: Engine, run_async: Callable[[Coroutine[Any, Any, Any]], Future[Any]]) -> Iterator[World]:
    """The engine with everything around it."""
    world = World(database, run_async)
    world.set_up()
    world.results.start()
    yield world
    world.results.stop()


@pytest.fixture
def holding(world: World, run_async: Callable[[Coroutine[Any, Any, Any]], Future[Any]]) -> Any:
    """The same with a provider that holds calls until their time."""
    from tests.integration.engine.holding import Holding  # late: it builds on this file

    return Holding.of(world, run_async)
