"""The web process: `uvicorn --factory campaigns.web.app:create_app`."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import Depends, FastAPI

from campaigns.providers.registry import AccountAccess, build_provider
from campaigns.runtime.addresses import find_addresses
from campaigns.runtime.publisher import publisher_at
from campaigns.runtime.settings import Settings, load_settings
from campaigns.services.inbox import Intake
from campaigns.store.engine import open_engine
from campaigns.web import campaigns_api, health, status_page, webhooks
from campaigns.web.access import TOKENS_VARIABLE, ApiAccess
from campaigns.web.intake_groups import IntakeGroups
from campaigns.web.services import KnownProvider, WebServices
from config.logging import configure_logging

POOL_SIZE = 8


def create_app() -> FastAPI:
    """The application, as the environment and the working directory say."""
    access = ApiAccess(os.environ.get(TOKENS_VARIABLE, "").split(","))
    app = FastAPI(title="Ringfence", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    app.include_router(health.router)
    app.include_router(webhooks.router)  # each webhook proves itself by its campaign's token
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
        for known in services.providers.values():
            await known.provider.aclose()
        services.engine.dispose()


def _build(settings: Settings) -> WebServices:
    addresses = find_addresses(settings)
    engine = open_engine(addresses.database_url, pool_size=POOL_SIZE)
    return WebServices(
        engine=engine,
        providers={name: _known(settings, name) for name in settings.accounts},
        intake=IntakeGroups(Intake(engine).accept_all),
        publisher=publisher_at(addresses.redis_url),
    )


def _known(settings: Settings, name: str) -> KnownProvider:
    """For parsing only, so it needs no key: this process can dial nobody."""
    told = settings.account(name).settings
    kind = told.provider.value
    access = AccountAccess(
        base_url=told.base_url, api_key="", account_sid=told.account_sid, webhook_fields=told.webhook_fields
    )
    return KnownProvider(kind=kind, provider=build_provider(kind, access))
