"""The engine's world with a provider that holds calls until their time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.calls.permits import LIVE_MARGIN
from campaigns.providers.contract import CallReport, DialRequest, DialResult, Phase, Placed
from campaigns.providers.scheduling import ProviderSpan
from campaigns.services.ask_back import AskBack
from campaigns.services.control import Control
from campaigns.services.pace import Pace
from campaigns.services.provider_schedule import ProviderSchedule
from tests.integration.engine.conftest import ScriptedProvider

ANN, BEN, CID = "+12125550101", "+12125550102", "+12125550103"
NEW_YORK = ZoneInfo("America/New_York")
LONGEST = timedelta(minutes=11) + LIVE_MARGIN
"""Ring time, longest call and margin of the world's account."""


def wednesday_noon() -> datetime:
    """In New York, at least two days from now."""
    local = datetime.now(NEW_YORK) + timedelta(days=2)
    local += timedelta(days=(2 - local.weekday()) % 7)
    return local.replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)


@dataclass
class HoldingProvider(ScriptedProvider):
    """Also holds calls until their time; `holds` says what becomes of each."""

    holds: Callable[[DialRequest], DialResult] = lambda request: Placed(f"call-{request.attempt_id}")
    handed: list[tuple[list[DialRequest], ProviderSpan]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def hand_over(self, requests: Sequence[DialRequest], *, span: ProviderSpan) -> Mapping[UUID, DialResult]:
        await requests[0].permit.turn()
        self.handed.append((list(requests), span))
        self.meanwhile()
        return {request.attempt_id: self.holds(request) for request in requests}

    @property
    def numbers(self) -> list[str]:
        return [request.number for requests, _ in self.handed for request in requests]


@dataclass
class Holding:
    """The world with a provider that holds calls."""

    world: Any
    provider: HoldingProvider
    schedule: ProviderSchedule
    run_async: Any

    @classmethod
    def of(cls, world: Any, run_async: Any) -> Self:
        """Everything around one provider that holds calls."""
        provider = HoldingProvider()
        schedule = ProviderSchedule(
            world.database,
            world.claim,
            Pace(world.database),
            {"sim": provider},
            world.recorder,
            world.publisher,
            simulators=frozenset({"sim"}),
            run_async=run_async,
            public_url=None,
        )
        return cls(world, provider, schedule, run_async)

    def campaign(self, *numbers: str, at: datetime, until: datetime | None = None, **options: Any) -> list[int]:
        """A campaign to hand over, as `submit` and expansion leave it; returns its calls."""
        world, until = self.world, until or at + timedelta(minutes=30)
        campaign_id = world.campaign(options.pop("name", "held"), **options)
        world.sql(
            "UPDATE campaigns SET clock_campaign_at = NULL, clock_machine_at = NULL, clock_speed = 1 WHERE id = :id",
            id=campaign_id,
        )
        world.sql(
            """UPDATE runs SET earliest_at = :at, latest_at = :until + interval '60 s', provider_from = :at,
                provider_until = :until WHERE campaign_id = :id""",
            at=at,
            until=until,
            id=campaign_id,
        )
        calls = [world.call(campaign_id, number, consent=False) for number in numbers]
        for number in numbers:
            self.consent(number, obtained_at=datetime.now(UTC) - timedelta(days=30))
        return calls

    def consent(self, number: str, *, obtained_at: datetime) -> None:
        self.world.sql(
            """INSERT INTO consents (number, level, seller, obtained_at, source, recorded_by)
            VALUES (:number, 'pewc', 'Example Energy, Inc.', :at, 'form', 'test')""",
            number=number,
            at=obtained_at,
        )

    def attempt(self, call_id: int) -> Any:
        (row,) = self.world.sql("SELECT * FROM attempts WHERE call_id = :id", id=call_id)
        return row

    def bring_near(self, call_id: int, *, starts_in: timedelta) -> None:
        """Let time pass until a held call's span begins in so long."""
        self.world.sql(
            """UPDATE attempts SET provider_due_from = clock_timestamp() + CAST(:wait AS interval),
                provider_due_until = clock_timestamp() + CAST(:wait AS interval) + interval '30 min'
            WHERE call_id = :id""",
            wait=starts_in,
            id=call_id,
        )

    def says(self, call_id: int, phase: Phase) -> None:
        """What the provider answers when it is asked after this call."""
        attempt = self.attempt(call_id)
        self.provider.listed.append(CallReport(f"call-{attempt.id}", attempt.id, phase))

    def ask_back(self) -> int:
        return AskBack(self.world.database, {"sim": self.provider}, run_async=self.run_async).run()

    def control(self) -> Control:
        return Control(self.world.database, operator="ann", wait=lambda _: None)
