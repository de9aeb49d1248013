"""Children of `ringfence up`: started, stopped in good order, and gone with all they started."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from campaigns.runtime.embedded import ChildProcess, stop_all

READS_FOR_EVER = "import signal; print('ready', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)\nwhile 1: signal.pause()"
)
WITH_CHILD = "import subprocess; c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True); c.wait()"
SHORT = timedelta(milliseconds=300)


def child(tmp_path: Path, code: str, *, name: str = "child") -> ChildProcess:
    return ChildProcess(name=name, command=[sys.executable, "-c", code], log_path=tmp_path / "logs" / f"{name}.log")


def started(process: ChildProcess) -> ChildProcess:
    process.start()
    while not process.tail_log() and process.is_running:
        pass
    return process


def test_a_child_that_obeys_is_stopped_by_its_signal(tmp_path: Path) -> None:
    process = started(child(tmp_path, READS_FOR_EVER))
    process.stop()

    assert process.poll() == -signal.SIGTERM
    assert process.tail_log() == "ready"


def test_a_child_that_does_not_obey_is_killed_after_its_time(tmp_path: Path) -> None:
    process = started(child(tmp_path, DEAF))
    process.stop(SHORT)

    assert process.poll() == -signal.SIGKILL


def test_what_a_child_left_behind_goes_with_it(tmp_path: Path) -> None:
    process = started(child(tmp_path, WITH_CHILD))
    grandchild = int(process.tail_log())
    process.stop()

    while psutil.pid_exists(grandchild) and psutil.Process(grandchild).status() != psutil.STATUS_ZOMBIE:
        pass  # killed, and gone in a moment; if it were not, the time limit of the test would tell


def test_several_children_share_one_time_limit(tmp_path: Path) -> None:
    children = [started(child(tmp_path, DEAF, name=f"deaf-{n}")) for n in range(3)]
    stop_all(children, SHORT)

    assert [process.poll() for process in children] == [-signal.SIGKILL] * 3


def test_a_child_can_be_started_again_after_its_end_but_not_twice(tmp_path: Path) -> None:
    process = started(child(tmp_path, READS_FOR_EVER))
    with pytest.raises(RuntimeError, match="is running already"):
        process.start()
    process.kill()
    process.start()

    assert process.is_running
    process.stop()


def test_a_child_that_fails_tells_why_in_its_log(tmp_path: Path) -> None:
    process = child(tmp_path, "raise SystemExit('no such campaign')")
    process.start()
    while process.is_running:
        pass

    assert process.poll() == 1
    assert process.tail_log() == "no such campaign"


def test_ctrl_c_at_the_terminal_does_not_reach_a_child(tmp_path: Path) -> None:
    process = started(child(tmp_path, READS_FOR_EVER))

    assert process.pid is not None
    assert os.getpgid(process.pid) != os.getpgrp()
    process.stop()


def test_a_child_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    process = child(tmp_path, READS_FOR_EVER)
    process.stop()

    assert process.poll() is None
    assert process.pid is None
