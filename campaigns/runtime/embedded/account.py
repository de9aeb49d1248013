"""The operating system's account that an embedded server runs as.

Postgres refuses to run as root, and a server that needs no rights should have none. So when we are root, both servers
run as `nobody`; otherwise they run as we do.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNPRIVILEGED_NAME = "nobody"


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """User and group id that a server process is given."""

    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments of `subprocess` that make a child run as this account, with no further groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """Whether this account passes `test -x`, `-r` or `-w` on `path`; asked by doing it: rights may be ACLs."""
        command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)]
        done = subprocess.run(command, cwd="/", check=False, stderr=subprocess.DEVNULL, **self.popen_arguments())
        return done.returncode == 0

    def take(self, path: Path) -> None:
        """Make `path` (a file or a folder, not what is in it) this account's own."""
        os.chown(path, self.uid, self.gid)


def server_account() -> ServerAccount | None:
    """The account for a server when we are root; None when we are not, and the server runs as we do."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_NAME)
    return ServerAccount(uid=entry.pw_uid, gid=entry.pw_gid)


def popen_arguments(account: ServerAccount | None) -> dict[str, Any]:
    """`ServerAccount.popen_arguments`, or nothing when the server runs as we do."""
    return account.popen_arguments() if account else {}
