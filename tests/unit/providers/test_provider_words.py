"""What providers say is made fit to be kept before anything else sees it."""

import json

import pytest

from campaigns.providers.vapi.webhook import parse_webhook
from campaigns.providers.words import writable


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("customer-ended-call", "customer-ended-call"),
        ("Zoë", "Zoë"),
        ("a\0b", "a?b"),
        ("a\ud800b", "a?b"),
        ("x" * 300, "x" * 200),
        ("", ""),
    ],
)
def test_words_lose_what_no_database_can_hold(words: str, kept: str) -> None:
    assert writable(words) == kept


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "1" + "0" * 400])
def test_a_webhook_full_of_unwritable_values_is_still_a_receipt(cost: str) -> None:
    call = {"id": "c\0-1", "endedAt": "0001-01-01T00:00:00+14:00"}
    message = {"type": "end-of-call-report", "endedReason": "\ud800 and \0", "call": call}
    body = json.dumps({"message": message}).replace('"type"', f'"cost": {cost}, "type"').encode()
    receipt = parse_webhook(body)
    assert receipt.report is not None
    assert receipt.report.provider_call_id == "c?-1"
    assert receipt.report.ended_reason == "? and ?"
    assert receipt.report.cost_usd is None
