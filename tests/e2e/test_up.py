"""`ringfence up` as an operator runs it: all of it in the foreground, found by other commands, gone after Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from campaigns.runtime.embedded.launch import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.xdist_group("up")]

CAMPAIGN = """
campaign: by-hand
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {{id: a-1}}
lines: {{pool: [line-1]}}
customers: {{list: [{{number: "+18885550100"}}, {{number: "+18885550101"}}]}}
window: {{earliestAt: {earliest}, latestAt: {latest}}}
"""


class Place:
    """A home of its own, and the command in it with no service configured."""

    def __init__(self, home: Path, command: str) -> None:
        self.home = home
        self._command = command
        self._environment = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")
        } | {"RINGFENCE_HOME": str(home)}
        simulator = f"http://127.0.0.1:{free_port()}"
        (home / "ringfence.toml").write_text(
            f'[accounts.sim]\nprovider = "vapi"\nbaseUrl = "{simulator}"\nsimulator = true\n'
            'concurrency = 2\ncallsPerSecond = 5.0\nreconcileAfter = ["1s", "3s"]\n'
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self._command, *arguments],
            cwd=self.home,
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [self._command, *arguments],
            cwd=self.home,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    def ask(self, *arguments: str) -> Mapping[str, object]:
        _, out, _ = self.run(*arguments, "--json")
        answer: Mapping[str, object] = json.loads(out)
        return answer


def wait_for_line(process: subprocess.Popen[str], words: str) -> str:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError("ended before it said so:\n" + "".join(seen))


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the servers' account can enter."""
    with tempfile.TemporaryDirectory(prefix="ringfence-up-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def place(home: Path) -> Place:
    return Place(home, str(Path(sys.executable).with_name("ringfence")))


@pytest.fixture(scope="module")
def up(place: Place) -> Iterator[subprocess.Popen[str]]:
    """One instance for the tests that leave it running."""
    yield from running(place)


def running(place: Place) -> Iterator[subprocess.Popen[str]]:
    process = place.start("up", "--port", str(free_port()), "--simulator")
    try:
        wait_for_line(process, "ringfence is up")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_commands_find_the_running_instance_and_a_campaign_runs_on_it(place: Place, up: subprocess.Popen[str]) -> None:
    now = datetime.now(UTC)
    text = CAMPAIGN.format(earliest=(now - timedelta(days=1)).isoformat(), latest=(now + timedelta(days=5)).isoformat())
    (place.home / "by-hand.yaml").write_text(text)
    code, _, err = place.run("submit", "by-hand.yaml")
    assert code == 0, err
    while not place.ask("status", "by-hand")["finished"]:
        assert up.poll() is None
    answer = place.ask("status", "by-hand")
    assert answer["by_state"] == {"blocked": 2}, "toll-free numbers are never dialed, whatever the hour"
    assert answer["dials"] == 0


def test_a_second_one_on_the_same_home_is_refused(place: Place, up: subprocess.Popen[str]) -> None:
    code, _, err = place.run("up", "--port", str(free_port()))
    assert code == 3
    assert "another `ringfence up` runs" in err


def test_a_process_that_ends_is_started_again(place: Place, up: subprocess.Popen[str]) -> None:
    (web,) = [each for each in psutil.Process(up.pid).children() if "uvicorn" in " ".join(each.cmdline())]
    web.kill()
    assert "started again" in wait_for_line(up, "web ended")


def test_an_interrupt_ends_all_of_it(server_folder: Path, ringfence_command: str) -> None:
    place = Place(server_folder, ringfence_command)
    for up in running(place):
        children = psutil.Process(up.pid).children(recursive=True)
        assert len(children) >= 7, "two servers, two workers, beat, web, simulator"
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=60)
        assert up.returncode == 130
        _, alive = psutil.wait_procs(children, timeout=5)
        assert alive == []
        assert place.run("status")[0] == 4, "nobody claims any more that it is running"
