"""The simulator as a program of its own: starts, serves, stops."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

CREATE = {"assistantId": "a", "phoneNumberId": "pn-1", "customer": {"number": "+12125550123"}}
HEADERS = {"Authorization": "Bearer any", "Content-Type": "application/json"}


@contextmanager
def a_simulator(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "campaigns.simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_prints_its_url_serves_and_stops_on_sigterm() -> None:
    with a_simulator("--speed", "100") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with urlopen(Request(ready["url"] + "/call", json.dumps(CREATE).encode(), HEADERS)) as answer:  # noqa: S310 - loopback
            assert answer.status == 201
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 0
        assert ready["event"] == "simulator_ready"


def test_a_taken_port_is_one_sentence_and_exit_code_4() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, a_simulator("--port", str(taken.getsockname()[1])) as process:
        _, complaint = process.communicate(timeout=20)

        assert process.returncode == 4
        assert "choose another --port" in complaint
        assert "Traceback" not in complaint
