"""Flower with our settings: masks what it shows, is read-only, and keeps /metrics behind the password too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from campaigns.runtime.embedded import ChildProcess
from campaigns.runtime.embedded.launch import free_port

ROOT = Path(__file__).parents[2]
USER = ("operator", "a-password")


@pytest.fixture
def flower_url(tmp_path: Path, valkey_url: str) -> Iterator[str]:
    port = free_port()
    own = {"FLOWER_PORT": str(port), "FLOWER_BASIC_AUTH": ":".join(USER)}
    celery = [sys.executable, "-m", "celery", f"--broker={valkey_url}"]
    process = ChildProcess(
        name="flower",
        command=[*celery, "flower", "--conf=config/flowerconfig.py"],
        log_path=tmp_path / "flower.log",
        environment={**os.environ, **own, "PYTHONPATH": str(ROOT)},
    )
    process.start()
    url = f"http://127.0.0.1:{port}"
    while not answers(url):
        assert process.is_running, process.tail_log()
    yield url
    process.stop(timedelta(seconds=5))


def answers(url: str) -> bool:
    try:
        return status(f"{url}/healthcheck") == 200
    except httpx.ConnectError:
        return False


def status(url: str, *, user: tuple[str, str] | None = None) -> int:
    return httpx.get(url, auth=user, timeout=5).status_code


def test_metrics_ask_for_the_password_like_every_page(flower_url: str) -> None:
    assert status(f"{flower_url}/metrics") == 401
    assert status(f"{flower_url}/tasks") == 401
    assert status(f"{flower_url}/metrics", user=USER) == 200


LOADS_IT = """
import runpy
names = runpy.run_path("config/flowerconfig.py")
class Task: args, kwargs, result = "(7,)", "{'to': '+12125550123'}", None
print(names["address"], names["read_only"], names["format_task"](Task()).kwargs)
"""


def test_flower_is_read_only_on_this_machine_and_masks_numbers() -> None:
    command = [sys.executable, "-c", LOADS_IT]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "127.0.0.1 True {'to': '[number]'}"
