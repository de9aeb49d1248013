"""Every `endedReason` that Vapi has published, and those it has not."""

import csv
from importlib.resources import files

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.vapi.codes import PATTERNS, UNKNOWN, Contact, Retry, code_for, listed_codes, verdict_for

TABLE = files("campaigns.providers.vapi").joinpath("ended_reasons.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TABLE.splitlines()))

SPENT_WHATEVER_RANG = {"answered", "voicemail", "no_answer", "busy", "rejected", "invalid_number", "unknown"}


def test_the_table_holds_all_published_values_once() -> None:
    assert len(ROWS) == len(listed_codes()) == 606


@pytest.mark.parametrize("row", ROWS, ids=[row["ended_reason"] for row in ROWS])
def test_each_listed_reason_gives_its_outcome(row: dict[str, str]) -> None:
    silent = verdict_for(row["ended_reason"], connected=False)
    connected = verdict_for(row["ended_reason"], connected=True)

    assert silent.outcome == connected.outcome == row["outcome"]
    assert silent.retryable == (row["retryable"] in ("yes", "if_not_connected"))
    assert connected.retryable == (row["retryable"] == "yes")
    assert silent.counts == (row["outcome"] in SPENT_WHATEVER_RANG or row["customer_contact"] != "no")


def test_nothing_is_retryable_that_is_final_by_the_glossary() -> None:
    final = {Outcome.ANSWERED, Outcome.REJECTED, Outcome.INVALID_NUMBER, Outcome.CONFIG_ERROR, Outcome.CANCELLED}

    assert [reason for reason, code in listed_codes().items() if code.outcome in final and code.retry != "no"] == []


def test_an_attempt_is_unspent_only_where_the_phone_surely_never_rang() -> None:
    for reason, code in listed_codes().items():
        if not verdict_for(reason, connected=False).counts:
            assert code.contact is Contact.NO


def test_no_pattern_contradicts_the_table() -> None:
    """So that a value younger than the table is treated as its elder sisters are."""
    contradictions = {
        reason: guessed
        for reason, code in listed_codes().items()
        if (guessed := next((guess for pattern, guess in PATTERNS if pattern.search(reason)), UNKNOWN))
        not in (UNKNOWN, code)
    }

    assert contradictions == {}


@pytest.mark.parametrize(
    ("reason", "outcome", "retry"),
    [
        ("call.in-progress.error-providerfault-newai-500-server-error", Outcome.PROVIDER_ERROR, Retry.IF_NOT_CONNECTED),
        ("pipeline-error-newai-llm-failed", Outcome.PROVIDER_ERROR, Retry.IF_NOT_CONNECTED),
        ("pipeline-error-newai-401-unauthorized", Outcome.CONFIG_ERROR, Retry.NO),
        ("call.in-progress.error-vapifault-newai-429-exceeded-quota", Outcome.CONFIG_ERROR, Retry.NO),
        ("call.in-progress.error-vapifault-newai-voice-not-found", Outcome.CONFIG_ERROR, Retry.NO),
        ("call.start.error-vapifault-something-new", Outcome.PROVIDER_ERROR, Retry.YES),
        ("call.start.error-subscription-something-new", Outcome.CONFIG_ERROR, Retry.NO),
        ("assistant-request-returned-something-new", Outcome.CONFIG_ERROR, Retry.NO),
        ("customer-ended-call-while-holding", Outcome.ANSWERED, Retry.NO),
        ("telnyx-completed-call", Outcome.ANSWERED, Retry.NO),
        ("hangup", Outcome.UNKNOWN, Retry.NO),
        ("", Outcome.UNKNOWN, Retry.NO),
    ],
)
def test_an_unlisted_reason_goes_by_its_pattern(reason: str, outcome: Outcome, retry: Retry) -> None:
    code = code_for(reason)

    assert (code.outcome, code.retry) == (outcome, retry)


@pytest.mark.parametrize("reason", [None, "", "something Vapi invents tomorrow", "x" * 10_000])
def test_what_nobody_knows_is_spent_and_not_retried(reason: str | None) -> None:
    verdict = verdict_for(reason, connected=False)

    assert (verdict.outcome, verdict.retryable, verdict.counts) == (Outcome.UNKNOWN, False, True)
