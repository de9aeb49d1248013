"""Folders that an embedded server can reach, and the lock that says a server works in one.

Run by root, a server works as `nobody`, who cannot enter a private home (mode 0700). We never loosen the rights of
anybody's folders. What `nobody` has to reach is put under `SHARED_ROOT` instead, and a symbolic link at the place that
was asked for shows where it went.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from campaigns.runtime.embedded.account import ServerAccount
from campaigns.runtime.embedded.errors import FolderInUseError, FolderUnreachableError

SHARED_ROOT = Path("/var/lib/ringfence")
"""Only root may write in /var/lib, so nobody can put a program there for us to run."""

PASSWORD_FILE = "password"  # noqa: S105 - the name of a file

ORPHAN_GRACE = timedelta(seconds=10)
"""A server whose parent was killed is told by the kernel to stop; this is how long it may take about it."""

LOCK_POLL = timedelta(milliseconds=50)


def server_folder(wanted: Path, account: ServerAccount | None) -> Path:
    """The folder to use for `wanted`, made if missing: the same one, or another that `account` can reach.

    It stays ours; only `own_part` of it is the account's. Raises `FolderUnreachableError` if there is no such place.
    """
    wanted = wanted.absolute()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if account is None:
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    real = wanted.resolve()
    _drop_if_empty(real)
    if not real.exists() and not account.can("-x", real.parent):
        real = _elsewhere(wanted)
    if not real.exists():
        real.mkdir(mode=0o711)
        real.chmod(0o711)  # whatever the umask was: the account has to get through, and sees nothing on the way
    if not account.can("-x", real):
        raise FolderUnreachableError(_unreachable(real))
    return real


def own_part(folder: Path, name: str, *, account: ServerAccount | None) -> Path:
    """The part of a server's folder in which the server itself may write."""
    part = folder / name
    part.mkdir(mode=0o700, exist_ok=True)
    if account:
        account.take(part)
    return part


def kept_password(folder: Path, *, account: ServerAccount | None) -> str:
    """The password of the folder's server, made up at the first call; so a server comes back at the same URL."""
    path = folder / PASSWORD_FILE
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
        if account:
            account.take(path)  # initdb, which runs as this account, has to read it
    return path.read_text()


def _drop_if_empty(folder: Path) -> None:
    """An empty folder is made anew with the rights it needs; one with something in it is left as it is."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _elsewhere(wanted: Path) -> Path:
    """A reachable place for a folder whose parents are closed, linked from where it was asked for."""
    name = f"{wanted.name}-{_digest(bytes(wanted))}"
    is_temporary = Path(tempfile.gettempdir()).resolve() in wanted.resolve().parents
    real = Path(tempfile.mkdtemp(prefix="ringfence-")) / name if is_temporary else _shared_root(wanted) / name
    real.parent.chmod(0o755)
    if wanted.is_symlink():
        wanted.unlink()
    wanted.symlink_to(real)
    return real


def _shared_root(wanted: Path) -> Path:
    try:
        SHARED_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnreachableError(_unreachable(wanted)) from error
    return SHARED_ROOT


def _unreachable(path: Path) -> str:
    return (
        f"The data folder {path} cannot be entered by the account nobody, as which servers run when you are root. "
        "Set RINGFENCE_HOME to a folder outside private homes, or run ringfence as a normal user."
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def reachable_copy(folders: tuple[Path, ...], *, base: Path, probe: Path, account: ServerAccount | None) -> Path:
    """Where `probe`, a program inside one of `folders`, can be run by `account`.

    That is `probe` itself if the account reaches it. Else all `folders`, which lie under `base`, are copied to a place
    it reaches, at the same distance from each other (programs find libraries by relative path); the copy is kept for
    every installation that has the same program.
    """
    if account is None or account.can("-x", probe):
        return probe
    kept = _copies_root() / f"{probe.name}-{_digest(probe.read_bytes())}"
    if not kept.exists():
        _copy_whole(folders, base=base, target=kept)
    return kept / probe.relative_to(base)


def _copies_root() -> Path:
    """The folder for copied programs: root's own, or a fresh temporary one where /var/lib is read-only."""
    try:
        root = SHARED_ROOT / "programs"
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError:
        root = Path(tempfile.mkdtemp(prefix="ringfence-programs-"))
    root.chmod(0o755)
    return root


def _copy_whole(folders: tuple[Path, ...], *, base: Path, target: Path) -> None:
    """Copy under another name first and rename at the end, so that a half copy is never run."""
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=target.parent))
    for folder in folders:
        shutil.copytree(folder, partial / folder.relative_to(base), symlinks=True)
    partial.chmod(0o755)
    try:
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial)
        if not target.exists():
            raise


def lock_folder(folder: Path, *, grace: timedelta = ORPHAN_GRACE) -> int:
    """Take the folder's lock and return its descriptor, which the server is to inherit.

    The kernel drops the lock when the last process that holds the descriptor is gone, the server's own children too.
    So a lock that can be had means that nobody works in the folder, whatever a stale pid file says.
    Raises `FolderInUseError` if a server still holds it after `grace`.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + grace.total_seconds()
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise FolderInUseError(
                f"The data folder {folder} is in use by a server that is still running. "
                "Stop that one first (another ringfence up or demo?), or set RINGFENCE_HOME to another folder."
            )
        time.sleep(LOCK_POLL.total_seconds())
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
