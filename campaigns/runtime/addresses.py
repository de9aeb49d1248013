"""Where Postgres and Redis are: from the settings, else from the `ringfence up` that runs on this machine."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from campaigns.runtime.settings import Settings, load_settings

SERVICES_FILE = Path("run") / "services.json"
"""Below `RINGFENCE_HOME`. It holds passwords, so only its owner may read it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The two services everything needs, and our own web process where one is known to run."""

    database_url: str
    redis_url: str
    web_url: str | None = None


class NoServicesError(Exception):
    """No Postgres or Redis is configured, and no `ringfence up` is running. The message says what to do."""


def find_addresses(settings: Settings | None = None) -> Addresses:
    """Addresses for this process; `settings` as loaded from the environment unless given. Raises `NoServicesError`."""
    known = settings or load_settings(os.environ, cwd=Path.cwd())
    running = running_services(known.home)
    database_url = known.database_url or (running.database_url if running else None)
    redis_url = known.redis_url or (running.redis_url if running else None)
    if not database_url or not redis_url:
        missing = " and ".join(
            name for name, url in (("DATABASE_URL", database_url), ("REDIS_URL", redis_url)) if not url
        )
        raise NoServicesError(
            f"{missing}: not set, and no `ringfence up` is running in {known.home}: "
            f"start `ringfence up` in another terminal, or set {missing}."
        )
    return Addresses(database_url=database_url, redis_url=redis_url, web_url=running.web_url if running else None)


def running_services(home: Path) -> Addresses | None:
    """What the `ringfence up` of this home wrote; None when there is none or it has ended."""
    path = home / SERVICES_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pid = int(record.pop("pid"))
        return Addresses(**record) if _is_alive(pid) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no file, or one torn by a power cut: the same as no running instance


def write_services(home: Path, addresses: Addresses) -> Path:
    """Publish our addresses to other commands of the same user. Returns the file, to be removed at the end."""
    path = home / SERVICES_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(addresses) | {"pid": os.getpid()}, file)
    draft.replace(path)
    return path


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
