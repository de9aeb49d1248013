"""Real Valkey and real Postgres as child processes of this one, for `ringfence demo`, `ringfence up` and the tests."""

from campaigns.runtime.embedded.errors import (
    BinaryNotFoundError,
    EmbeddedServerError,
    FolderInUseError,
    FolderUnreachableError,
    ForeignDataError,
    ServerStartError,
)
from campaigns.runtime.embedded.postgres import PostgresServer, start_postgres
from campaigns.runtime.embedded.processes import ChildProcess, stop_all
from campaigns.runtime.embedded.valkey import ValkeyServer, start_valkey

__all__ = [
    "BinaryNotFoundError",
    "ChildProcess",
    "EmbeddedServerError",
    "FolderInUseError",
    "FolderUnreachableError",
    "ForeignDataError",
    "PostgresServer",
    "ServerStartError",
    "ValkeyServer",
    "start_postgres",
    "start_valkey",
    "stop_all",
]
