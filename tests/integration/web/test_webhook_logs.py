"""No token reaches a log: neither ours nor the web server's own, whatever was asked and however it went."""

from pathlib import Path
from typing import Any

import httpx
import pytest

TOKEN = "the-token-of-the-campaign"
WRONG = "a-token-that-somebody-guessed"


@pytest.fixture
def server(web_server: Any) -> tuple[str, Path]:
    """The web process as somebody might start it by hand, with the access log of uvicorn on; its address and log."""
    url, log = web_server("--log-level", "debug")
    return url, log


def test_no_token_is_in_any_log(server: tuple[str, Path], door_campaigns: dict[str, int]) -> None:
    url, log = server
    hook = f"{url}/webhooks/vapi/plain/{door_campaigns['plain']}"
    event = b'{"message": {"type": "hang", "call": {"id": "c"}}}'
    answers = [
        httpx.post(f"{hook}/{TOKEN}", content=event),
        httpx.post(f"{hook}/{TOKEN}", content=b"no json"),
        httpx.post(f"{hook}/{WRONG}", content=event),
        httpx.post(f"{hook}/{TOKEN}/", content=event),
        httpx.post(f"{hook}/{TOKEN}/more", content=event),
        httpx.get(f"{hook}/{TOKEN}"),
        httpx.post(hook, content=event, headers={"X-Ringfence-Token": WRONG}),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 307, 404, 405, 401]
    text = log.read_text()
    assert "webhook_refused account=plain" in text
    assert TOKEN not in text
    assert WRONG not in text
