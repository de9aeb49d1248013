"""A report goes through the inbox as JSON and comes back as it was."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from campaigns.calls.conversation import Conversation
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import AnsweredBy, Artifacts, CallReport, Phase, Trouble
from campaigns.services.report_json import from_json, to_json

FULL = CallReport(
    "c-1",
    UUID("6f1c2d3e-0000-4000-8000-000000000001"),
    Phase.REPORTED,
    verdict=Verdict(Outcome.ANSWERED, retryable=False, counts=True),
    ended_reason="customer-ended-call",
    occurred_at=datetime(2026, 12, 1, 15, 0, 0, 500, tzinfo=UTC),
    duration=timedelta(seconds=90.5),
    cost_usd=0.21,
    conversation=Conversation("booked", {"slot": "tuesday"}, "12"),
    ended_by_customer=True,
    answered_by=AnsweredBy.HUMAN,
    trouble=Trouble.LINE_UNFIT,
    artifacts=Artifacts('AI: "Grüß Gott."', "Kurz.", "https://files.example/1.wav", {"total": 0.21}),
)


@pytest.mark.parametrize("report", [FULL, CallReport("c-2", None, Phase.RINGING)])
def test_a_report_comes_back_as_it_was(report: CallReport) -> None:
    assert from_json(json.loads(to_json(report))) == report
