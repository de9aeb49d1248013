"""Webhooks are answered in front of FastAPI; what only resembles one goes through it, with the same answers."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from campaigns.web.app import create_app

TOKEN = "the-token-of-the-campaign"
Event = Callable[..., bytes]


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/", "/webhooks/vapi", "/webhooks//plain", "/webhooks/vapi//1"])
def test_a_path_with_a_part_missing_is_nothing(door: Any, path: str) -> None:
    assert door.post(path) == 404


def test_a_webhook_is_no_page(door: Any) -> None:
    reply = door.client.get(door.path("plain", token=TOKEN))
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


def test_under_a_prefix_a_webhook_is_answered_alike(
    door_campaigns: dict[str, int], event: Event, inbox: Callable[[], list[str]]
) -> None:
    answers = []
    for prefix in ("", "/calls"):
        path = f"{prefix}/webhooks/vapi/plain/{door_campaigns['plain']}/{TOKEN}"
        with TestClient(create_app(), root_path=prefix) as client:
            replies = [client.post(path, content=event()), client.post(f"{path}x", content=event())]
        answers.append([(reply.status_code, reply.json(), reply.headers["content-type"]) for reply in replies])
    assert answers[0] == answers[1]
    assert [status for status, _, _ in answers[0]] == [200, 401]
    assert inbox() == ["status-update"]
