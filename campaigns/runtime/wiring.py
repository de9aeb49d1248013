"""The composition root: the one place that knows every part, and builds a process's services from the settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from campaigns.files.ledger_heads import HEADS_NAME, HeadsFile
from campaigns.providers.contract import VoiceProvider
from campaigns.providers.registry import build_provider
from campaigns.runtime.addresses import find_addresses
from campaigns.runtime.feeds_here import FeedsHere
from campaigns.runtime.http_loop import HttpLoop
from campaigns.runtime.law import gatekeeper_at
from campaigns.runtime.provider_access import access_to
from campaigns.runtime.settings import Settings, load_settings
from campaigns.services.artifacts import Purge
from campaigns.services.ask_back import AskBack
from campaigns.services.callers import Callers
from campaigns.services.claim import Claim
from campaigns.services.daily_audit import DailyAudit
from campaigns.services.dispatch import Dispatch
from campaigns.services.expand import Expand
from campaigns.services.feed import Feed
from campaigns.services.inbox import Inbox
from campaigns.services.late_ring import LateRing
from campaigns.services.launch_due import LaunchDue
from campaigns.services.pace import Pace
from campaigns.services.plans import Definitions
from campaigns.services.poll import Poll
from campaigns.services.ports import Publisher
from campaigns.services.provider_audit import ProviderAudit
from campaigns.services.provider_schedule import ProviderSchedule
from campaigns.services.reconcile import Reconcile
from campaigns.services.record import Recorder
from campaigns.services.rescue import Rescue
from campaigns.services.restored import Restored
from campaigns.services.results import ResultWriter
from campaigns.services.roll_on import RollOn
from campaigns.services.seal import Seal
from campaigns.store.engine import open_engine

POOL_SIZE = 12
"""Connections of a worker: one a thread, the result writer, and a few for tasks that overlap."""


class Runtime:
    """A worker process's services. `start` before the first task, `stop` after the last."""

    def __init__(self, settings: Settings, *, database_url: str, publisher: Publisher) -> None:
        """Raises `SettingsError` for an account without its key, `RuleFileError` for rules that are not sound."""
        gate = gatekeeper_at(settings.home)
        self._loop = HttpLoop()
        self._engine = open_engine(database_url, pool_size=POOL_SIZE)
        self._providers = self._loop.submit(_build_providers(settings)).result()
        engine, run_async = self._engine, self._loop.submit
        definitions = Definitions()
        self._feeds = publisher = FeedsHere(publisher)
        recorder = Recorder(engine, gate, definitions, keep_conversations=settings.retention.conversations)
        self._results = ResultWriter(recorder, publisher)
        claim = Claim(engine, gate, definitions)
        simulators = frozenset(name for name, each in settings.accounts.items() if each.settings.simulator)
        self.feed = Feed(engine, publisher)
        publisher.feed_by(self.feed.run)
        self.dispatch = Dispatch(
            engine,
            claim,
            Pace(engine),
            self._providers,
            self._results,
            simulators=simulators,
            run_async=run_async,
            public_url=settings.public_url,
        )
        self.provider_schedule = ProviderSchedule(
            engine,
            claim,
            Pace(engine),
            self._providers,
            recorder,
            publisher,
            simulators=simulators,
            run_async=run_async,
            public_url=settings.public_url,
        )
        self.inbox = Inbox(engine, recorder, publisher)
        self.callers = Callers(engine)
        self.ask_back = AskBack(engine, self._providers, simulators=simulators, run_async=run_async)
        self.late_ring = LateRing(
            engine, recorder, self._providers, publisher, simulators=simulators, run_async=run_async
        )
        self.purge = Purge(engine, conversations=settings.retention.conversations, receipts=settings.retention.webhooks)
        self.restored = Restored(engine)
        self.rescue = Rescue(engine, recorder, publisher)
        self.poll = Poll(engine, recorder, self._providers, publisher, simulators=simulators, run_async=run_async)
        self.reconcile = Reconcile(
            engine, recorder, self._providers, publisher, simulators=simulators, run_async=run_async
        )
        audit = ProviderAudit(engine, recorder, self._providers, simulators=simulators, run_async=run_async)
        self.daily_audit = DailyAudit(engine, audit, self._providers, simulators=simulators)
        self.roll_on = RollOn(engine, gate, definitions)
        self.launch_due = LaunchDue(engine)
        self.seal = Seal(engine, HeadsFile(settings.home / HEADS_NAME))
        self.expand = Expand(engine, gate)

    @classmethod
    def from_environment(cls, *, publisher: Publisher) -> Self:
        """As this process's environment and working directory say."""
        settings = load_settings(os.environ, cwd=Path.cwd())
        return cls(settings, database_url=find_addresses(settings).database_url, publisher=publisher)

    def start(self) -> None:
        """Begin to write results."""
        self._results.start()

    def stop(self) -> None:
        """Claim nothing more, write what is known, close every connection."""
        self.dispatch.stop()
        self.dispatch.drain()
        self._results.stop()
        self._feeds.stop()
        self._loop.submit(_close(self._providers)).result()
        self._loop.stop()
        self._engine.dispose()


async def _build_providers(settings: Settings) -> dict[str, VoiceProvider]:
    """On the loop that will use them: their connections belong to it."""
    return {
        account.name: build_provider(account.settings.provider.value, access_to(account))
        for account in settings.accounts.values()
    }


async def _close(providers: Mapping[str, VoiceProvider]) -> None:
    for provider in providers.values():
        await provider.aclose()
