"""The web process: `uvicorn --factory campaigns.web.app:create_app`."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import Depends, FastAPI

from campaigns.definition.problems import Problem
from campaigns.providers.registry import build_provider
from campaigns.runtime.addresses import find_addresses
from campaigns.runtime.provider_access import access_to
from campaigns.runtime.publisher import publisher_at
from campaigns.runtime.settings import FILE_NAME, Settings, SettingsError, load_settings
from campaigns.runtime.settings_problems import problem_of
from campaigns.services.inbox import Intake
from campaigns.store.engine import open_engine
from campaigns.web import campaigns_api, health, metrics, status_page
from campaigns.web.access import TOKENS_VARIABLE, ApiAccess
from campaigns.web.front import Front
from campaigns.web.intake_groups import IntakeGroups
from campaigns.web.large_bodies import LargeBodies, ParserOf
from campaigns.web.services import KnownProvider, WebServices
from config.logging import configure_logging

POOL_SIZE = 8


def create_app() -> FastAPI:
    """The application, as the environment and the working directory say."""
    access = ApiAccess(os.environ.get(TOKENS_VARIABLE, "").split(","))
    app = Front(lifespan=_lifespan)  # each webhook proves itself: see `webhook_proof.py`
    app.include_router(health.router)
    app.include_router(metrics.router, dependencies=[Depends(access)])
    app.include_router(campaigns_api.router, dependencies=[Depends(access)])
    app.include_router(status_page.router, dependencies=[Depends(access)])
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configure_logging()
    services = _build(load_settings(os.environ, cwd=Path.cwd()))
    app.state.services = services
    grouping = asyncio.create_task(services.intake.run())
    try:
        yield
    finally:
        grouping.cancel()
        with suppress(asyncio.CancelledError):
            await grouping
        services.large_bodies.close()
        for known in services.providers.values():
            await known.provider.aclose()
        services.intake_engine.dispose()
        services.engine.dispose()


def _build(settings: Settings) -> WebServices:
    addresses = find_addresses(settings)
    intake_engine = open_engine(addresses.database_url, pool_size=1)
    intake = Intake(intake_engine, keeps_conversations=bool(settings.retention.conversations))
    return WebServices(
        engine=open_engine(addresses.database_url, pool_size=POOL_SIZE),
        intake_engine=intake_engine,
        providers={name: _known(settings, name) for name in settings.accounts},
        intake=IntakeGroups(intake.accept_all),
        large_bodies=LargeBodies({name: _parser_of(settings, name) for name in settings.accounts}),
        publisher=publisher_at(addresses.redis_url),
    )


def _known(settings: Settings, name: str) -> KnownProvider:
    """For webhooks only, so it needs no key: this process can dial nobody. Raises `SettingsError` for a secret that is
    named and not there, and for signatures that the provider cannot make."""
    account = settings.account(name)
    told, secret = account.settings, account.require_webhook_secret()
    parser = _parser_of(settings, name)
    kind, provider = parser.kind, build_provider(parser.kind, parser.access)
    signs = provider.capabilities.signs_webhooks
    if told.webhook_auth == "both" and not signs:
        raise SettingsError([_unsigned(name, kind)])
    return KnownProvider(
        kind=kind,
        provider=provider,
        secret=secret,
        signed_campaigns=signs and secret is not None and told.webhook_auth != "token",
    )


def _parser_of(settings: Settings, name: str) -> ParserOf:
    account = settings.account(name)
    return ParserOf(account.settings.provider.value, access_to(account, api_key=""))


def _unsigned(name: str, kind: str) -> Problem:
    return problem_of(
        FILE_NAME, path=f"accounts.{name}.webhookAuth", found=f"both, and {kind} signs no webhooks", allowed="token"
    )
