"""Ends of Vapi calls whose cause is the account or the line: told by the reason, and never guessed."""

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import Phase, Trouble
from campaigns.providers.vapi.codes import listed_codes, trouble_of
from campaigns.providers.vapi.reports import build_report

TROUBLES = {
    "call.start.error-subscription-concurrency-limit-reached": Trouble.FULL,
    "call.start.error-vapi-number-outbound-daily-limit": Trouble.LINE_SPENT,
    "call.start.error-vapi-number-international": Trouble.LINE_UNFIT,
    "call.start.error-subscription-frozen": Trouble.CREDENTIALS,
    "call.start.error-subscription-insufficient-credits": Trouble.CREDENTIALS,
    "call.start.error-fraud-check-failed": Trouble.CREDENTIALS,
}


@pytest.mark.parametrize(("reason", "trouble"), TROUBLES.items())
def test_an_end_before_dialing_says_whose_trouble_it_is(reason, trouble):
    call = {"id": "call-1", "status": "ended", "endedReason": reason}
    report = build_report("call-1", phase=Phase.REPORTED, call=call, message=call)
    assert report.trouble is trouble
    assert report.verdict.outcome in (Outcome.PROVIDER_ERROR, Outcome.CONFIG_ERROR)
    assert not report.verdict.counts


def test_no_other_published_reason_is_the_accounts_or_the_lines_trouble():
    assert {reason for reason in listed_codes() if trouble_of(reason)} == set(TROUBLES)


def test_a_call_that_goes_on_has_no_trouble_yet():
    call = {"id": "call-1", "status": "ringing"}
    assert build_report("call-1", phase=Phase.RINGING, call=call, message=call).trouble is None
