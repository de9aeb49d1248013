"""Starting a child that cannot outlive us, and finding it a port."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from campaigns.runtime.embedded.account import ServerAccount, popen_arguments

LOOPBACK = "127.0.0.1"
PR_SET_PDEATHSIG = 1
"""Number of the option in Linux's prctl(2): the signal this process gets when its parent ends."""


def end_with_parent(end_signal: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send the child `end_signal` when we end in whatever way; None off Linux.

    The kernel means the *thread* that started the child, so start children from a thread that lives as long as they.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # looked up here: the child may only do the bare minimum between fork and exec
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(end_signal))
        if os.getppid() != parent:  # we ended between fork and prctl: no signal will ever come
            os._exit(1)

    return in_child


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log_path: Path,
    end_signal: signal.Signals,
    account: ServerAccount | None = None,
    cwd: Path | None = None,
    lock_descriptor: int | None = None,
    stdin_text: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that Ctrl-C at the terminal reaches us and not our servers.

    Both outputs are appended to `log_path`. `stdin_text` is given whole, then stdin is closed.
    """
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin_text is None else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if lock_descriptor is None else (lock_descriptor,),
            preexec_fn=end_with_parent(end_signal),
            **popen_arguments(account),
        )
    if process.stdin is not None and stdin_text is not None:
        process.stdin.write(stdin_text.encode())
        process.stdin.close()
    return process


def free_port() -> int:
    """A port of the loopback that was free a moment ago; whoever binds it must be ready to lose the race."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log_path: Path, *, lines: int = 20) -> str:
    """The last `lines` lines of a log; empty if there is none."""
    if not log_path.exists():
        return ""
    return "\n".join(log_path.read_text(errors="replace").splitlines()[-lines:])


def begin_log(log_path: Path) -> None:
    """Put the log of the start before aside as `….1`, so that a log tells of one start only."""
    if log_path.exists():
        log_path.replace(log_path.with_name(log_path.name + ".1"))
