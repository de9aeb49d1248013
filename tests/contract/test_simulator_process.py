"""The simulator as a program of its own: starts, serves, stops."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest

CREATE = {"assistantId": "a", "phoneNumberId": "pn-1", "customer": {"number": "+12125550123"}}
HEADERS = {"Authorization": "Bearer any", "Content-Type": "application/json"}


MODULE = (sys.executable, "-m", "campaigns.simulator")
COMMAND = (sys.executable, "-c", "from campaigns.cli.main import main; main()", "simulator")


@contextmanager
def a_simulator(*arguments: str, program: Sequence[str] = MODULE) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("program", [MODULE, COMMAND], ids=["module", "command"])
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_url_serves_and_stops_when_told(program: Sequence[str], told: signal.Signals) -> None:
    with a_simulator("--speed", "100", program=program) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with urlopen(Request(ready["url"] + "/call", json.dumps(CREATE).encode(), HEADERS)) as answer:  # noqa: S310 - loopback
            assert answer.status == 201
        process.send_signal(told)

        assert process.wait(timeout=10) == 0
        assert ready["event"] == "simulator_ready"


@pytest.mark.parametrize("program", [MODULE, COMMAND], ids=["module", "command"])
def test_a_taken_port_is_one_sentence_and_exit_code_4(program: Sequence[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with a_simulator("--port", port, program=program) as process:
            _, complaint = process.communicate(timeout=20)

            assert process.returncode == 4
            assert "choose another --port" in complaint
            assert "Traceback" not in complaint
