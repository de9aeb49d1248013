"""`ringfence demo` as a newcomer runs it: it ends well, its numbers add up, and it leaves nothing behind."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

KEYS = set(
    "customers rejected_rows final by_state by_outcome dials double_dials refusals_by_rule seconds".split()  # noqa: SIM905
)
FINAL = {"completed", "exhausted", "blocked", "expired", "cancelled", "failed"}


def start(command: str, arguments: Sequence[str], *, temporary: Path) -> subprocess.Popen[str]:
    """The demo in a temporary folder of its own, so that what it leaves there can be seen."""
    environment = dict(os.environ) | {"TMPDIR": str(temporary)}
    return subprocess.Popen(
        [command, "demo", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def temporary(server_folder: Path) -> Path:
    return server_folder


def leftovers(folder: Path) -> list[str]:
    """Processes that work with anything below `folder`, and files in it."""
    processes = [
        " ".join(process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or [])
    ]
    return [*processes, *(str(path) for path in folder.iterdir())]


def test_the_demo_ends_well_and_its_numbers_add_up(ringfence_command: str, temporary: Path) -> None:
    demo = start(ringfence_command, ["--customers", "150", "--speed", "12000", "--json"], temporary=temporary)
    out, err = demo.communicate(timeout=150)
    assert demo.returncode == 0, err
    answer = json.loads(out)
    assert set(answer) == KEYS
    assert answer["customers"] == 150 == answer["rejected_rows"] + answer["final"]
    assert set(answer["by_state"]) <= FINAL
    assert sum(answer["by_state"].values()) == answer["final"]
    assert sum(answer["by_outcome"].values()) == answer["dials"] > 0
    assert answer["double_dials"] == 0
    assert answer["refusals_by_rule"]["CONSENT-PEWC"] > 0
    assert "rehearsal clock ×12000" in err
    assert leftovers(temporary) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_interrupted_while_it_starts_leaves_nothing_behind(
    ringfence_command: str, temporary: Path, number: signal.Signals
) -> None:
    demo = start(ringfence_command, ["--customers", "60"], temporary=temporary)
    assert demo.stderr is not None
    for line in demo.stderr:
        if "starting Valkey" in line:
            break
    demo.send_signal(number)
    demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert leftovers(temporary) == []


def test_a_running_demo_interrupted_again_and_again_leaves_nothing_behind(
    ringfence_command: str, temporary: Path
) -> None:
    demo = start(ringfence_command, ["--customers", "60"], temporary=temporary)
    assert demo.stderr is not None
    for line in demo.stderr:
        if " final · " in line:
            break
    deadline = time.monotonic() + 60
    while demo.poll() is None and time.monotonic() < deadline:
        demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert leftovers(temporary) == []


def test_a_killed_demo_takes_its_processes_with_it(ringfence_command: str, temporary: Path) -> None:
    demo = start(ringfence_command, ["--customers", "60"], temporary=temporary)
    assert demo.stderr is not None
    for line in demo.stderr:
        if " final · " in line:
            break
    demo.kill()
    demo.communicate(timeout=60)
    deadline = time.monotonic() + 20
    mark = str(temporary)
    while time.monotonic() < deadline and any(not each.startswith(mark) for each in leftovers(temporary)):
        pass
    assert all(each.startswith(mark) for each in leftovers(temporary)), "only files may be left, no process"


def test_the_temporary_folder_is_where_the_demo_works(temporary: Path) -> None:
    assert Path(tempfile.gettempdir()) in temporary.parents
