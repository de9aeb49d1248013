"""Versions of a list on this machine: `lists/<list>/<version>/`, each placed whole by one rename, none ever changed.

A version's name ends with the digest of its manifest, and the manifest holds the digest of each bit file: whoever knows
the name (it is on record in Postgres) can tell whether these are the bits that were imported.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from campaigns.files.list_problems import UnreadableListError
from campaigns.files.number_bits import bit_file, digest_of

MANIFEST = "manifest.json"
DIGEST_LENGTH = 16
"""64 bits: enough to notice any damage and any mix-up."""
_STAGING = ".importing-"


class ListBusyError(Exception):
    """Another import of the same list is going on here. The message says so."""


@contextmanager
def import_folder(home: Path, list_name: str) -> Iterator[Path]:
    """An empty folder to write a version into, ours alone; gone afterwards unless it was placed.

    What an import that was killed left behind is cleared away. Raises `ListBusyError`.
    """
    parent = folder_of(home, list_name)
    parent.mkdir(parents=True, exist_ok=True)
    with _alone(parent):
        for leftover in parent.glob(f"{_STAGING}*"):
            shutil.rmtree(leftover)
        staging = Path(mkdtemp(prefix=_STAGING, dir=parent))
        staging.chmod(0o755)  # a worker of another account reads it
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def place(staging: Path, *, digests: Mapping[str, str], obtained_at: datetime) -> str:
    """Give a finished version its name and its place in one step; returns the name. The same version again is fine."""
    manifest = json.dumps({"schema": "ringfence-list/1", "bits": dict(sorted(digests.items()))}, indent=0).encode()
    (staging / MANIFEST).write_bytes(manifest)
    _sync(staging / MANIFEST)
    _sync(staging)
    name = f"{obtained_at:%Y%m%dT%H%M%SZ}-{_short_digest(manifest)}"
    target = staging.parent / name
    if not _is_whole(target, manifest, digests):
        shutil.rmtree(target, ignore_errors=True)  # a damaged copy of the same version is mended by this
        staging.rename(target)
        _sync(staging.parent)
    return name


def _is_whole(folder: Path, manifest: bytes, digests: Mapping[str, str]) -> bool:
    """Whether this very version is already there, untouched: workers may have it open."""
    try:
        return (folder / MANIFEST).read_bytes() == manifest and all(
            digest_of(bit_file(folder, code).read_bytes()) == digest for code, digest in digests.items()
        )
    except OSError:
        return False


def read_manifest(home: Path, list_name: str, version: str) -> dict[str, str]:
    """The digest of each bit file by area code. Raises `UnreadableListError`."""
    path = folder_of(home, list_name) / version / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableListError(f"version {version} is not on this machine ({error.strerror})") from None
    if not version.endswith(f"-{_short_digest(content)}"):
        raise UnreadableListError(f"the manifest of version {version} is not the one that was imported")
    bits: dict[str, str] = json.loads(content)["bits"]
    return bits


def remove_others(home: Path, list_name: str, *, keep: frozenset[str]) -> None:
    """Delete versions that nobody reads any more."""
    for path in folder_of(home, list_name).iterdir():
        if path.is_dir() and path.name not in keep:
            shutil.rmtree(path)


def folder_of(home: Path, list_name: str) -> Path:
    """Where the versions of a list are."""
    return home / "lists" / list_name


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ListBusyError("another import of this list is going on here; wait until it has ended") from None


def _short_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]


def _sync(path: Path) -> None:
    """Until this returns, a power cut could undo what was written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
