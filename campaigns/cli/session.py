"""What a command that asks or changes something works with: settings, and an engine on the database."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.runtime.addresses import Addresses, find_addresses
from campaigns.runtime.settings import Settings, load_settings
from campaigns.store.engine import open_engine
from campaigns.store.migrate import is_current


@dataclass(frozen=True, slots=True)
class Session:
    """One command's view of an installation."""

    settings: Settings
    addresses: Addresses
    engine: Engine

    @property
    def operator(self) -> str:
        """Who acts; recorded on every write."""
        return self.settings.operator


@contextmanager
def open_session() -> Iterator[Session]:
    """Connect as the environment says. Raises `NoServicesError`, `SettingsError`, `CommandError` for an old schema."""
    settings = load_settings(os.environ, cwd=Path.cwd())
    addresses = find_addresses(settings)
    engine = open_engine(addresses.database_url, pool_size=1)
    try:
        _require_schema(engine)
        yield Session(settings=settings, addresses=addresses, engine=engine)
    finally:
        engine.dispose()


def wait(duration: timedelta) -> None:
    """Really wait; the services take this as a parameter."""
    time.sleep(duration.total_seconds())


def _require_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        if not is_current(connection):
            raise CommandError(
                "the database has the schema of another version: run `ringfence migrate`, then this again.",
                exit_code=ExitCode.REFUSED,
            )
