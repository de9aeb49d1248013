"""Vapi's `endedReason`, in our words.

Every value that Vapi has published is a row of `ended_reasons.csv` (604 of its SDK and OpenAPI, August 2026). The list
grows every few weeks, so an unlisted value goes through the patterns below, and what no pattern knows is `unknown`:
spent, not retried, left to a person.

`call.start…` means before dialing. A pipeline, model, voice or transcriber fault often means that the person picked up
and heard silence: such a call is retryable only where it surely never connected.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import Trouble


class Retry(StrEnum):
    """The `retryable` column."""

    YES = "yes"
    NO = "no"
    IF_NOT_CONNECTED = "if_not_connected"


class Contact(StrEnum):
    """The `customer_contact` column: what the phone of the person did."""

    NO = "no"
    RANG = "rang"
    CONNECTED = "connected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Code:
    """What one `endedReason` means."""

    outcome: Outcome
    retry: Retry
    contact: Contact


UNKNOWN = Code(Outcome.UNKNOWN, Retry.NO, Contact.UNKNOWN)
_ANSWERED = Code(Outcome.ANSWERED, Retry.NO, Contact.CONNECTED)
_NO_ANSWER = Code(Outcome.NO_ANSWER, Retry.YES, Contact.UNKNOWN)
_PROVIDER_BEFORE_DIALING = Code(Outcome.PROVIDER_ERROR, Retry.YES, Contact.NO)
_PROVIDER_FAULT = Code(Outcome.PROVIDER_ERROR, Retry.IF_NOT_CONNECTED, Contact.UNKNOWN)
_CONFIG_BEFORE_DIALING = Code(Outcome.CONFIG_ERROR, Retry.NO, Contact.NO)
_CONFIG_FAULT = Code(Outcome.CONFIG_ERROR, Retry.NO, Contact.UNKNOWN)

_AI_FAULT = r"^(pipeline-error-|call\.in-progress\.error-(vapifault|providerfault|pipeline)-)"
_ACCOUNT_OR_SETTING = (
    r".*(invalid|not-found|unauthori[sz]ed|denied|credits|payment|quota|not-allowed|not-fine-tuned|only-for-|free-plan|"
    r"disabled-by-owner|blocked-|must-be-|missing-|exceeded|requested-upgrade)"
)

PATTERNS: tuple[tuple[re.Pattern[str], Code], ...] = tuple(
    (re.compile(pattern), code)
    for pattern, code in (
        (r"hook-executed|inbound", UNKNOWN),
        (
            r"^(customer|assistant)-ended-call|^assistant-said-|^assistant-forwarded-",
            _ANSWERED,
        ),
        (
            r"^call\.forwarding\.|-completed-call$|error-warm-transfer-|error-transfer-failed",
            _ANSWERED,
        ),
        (r"outbound-sip-(408|480)-", _NO_ANSWER),
        (
            r"outbound-sip-503-|transport-never-connected|worker-not-available",
            _PROVIDER_BEFORE_DIALING,
        ),
        (r"outbound-sip-40[137]-", _CONFIG_BEFORE_DIALING),
        (
            r"^call\.start\.error-(vapifault-|get-(org|subscription|transport)$)|^call\.start\..*(concurrency|daily)-limit",
            _PROVIDER_BEFORE_DIALING,
        ),
        (r"^call\.start\.|^assistant-request-|^assistant-not-", _CONFIG_BEFORE_DIALING),
        (r"error-configfault-", _CONFIG_FAULT),
        (
            _AI_FAULT + r".*(rate-limit|concurrent-requests|system-busy)",
            _PROVIDER_FAULT,
        ),
        (_AI_FAULT + r".*-(40[0-9]|429)-", _CONFIG_FAULT),
        (_AI_FAULT + r".*(auth-failed|api-key|no-available-llm-model)", _CONFIG_FAULT),
        (
            _AI_FAULT + r".*(-50[0-9]-|-(llm|voice|transcriber)-failed$|timed?-?out)",
            _PROVIDER_FAULT,
        ),
        (_AI_FAULT + _ACCOUNT_OR_SETTING, _CONFIG_FAULT),
        (_AI_FAULT, _PROVIDER_FAULT),
    )
)
"""For values younger than the table; the first that fits counts."""

TROUBLES: tuple[tuple[re.Pattern[str], Trouble], ...] = (
    (re.compile(r"^call\.start\..*concurrency-limit-reached"), Trouble.FULL),
    (re.compile(r"vapi-number-outbound-daily-limit"), Trouble.LINE_SPENT),
    (re.compile(r"vapi-number-international"), Trouble.LINE_UNFIT),
    (
        re.compile(r"^call\.start\.error-(subscription-(frozen|insufficient-credits)|fraud-check-failed)"),
        Trouble.CREDENTIALS,
    ),
)
"""Ends before any phone rang whose cause is the account's or the line's, and not the call's."""

_ALWAYS_SPENT = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED,
                           Outcome.INVALID_NUMBER, Outcome.UNKNOWN})  # fmt: skip


@cache
def listed_codes() -> Mapping[str, Code]:
    """The table, read once."""
    text = files(__package__).joinpath("ended_reasons.csv").read_text(encoding="utf-8")
    return {row["ended_reason"]: _code(row) for row in csv.DictReader(text.splitlines())}


def _code(row: Mapping[str, str]) -> Code:
    return Code(
        Outcome(row["outcome"]),
        Retry(row["retryable"]),
        Contact(row["customer_contact"]),
    )


def code_for(ended_reason: str | None) -> Code:
    """The listed code, else that of the first pattern that fits, else `UNKNOWN`."""
    if not ended_reason:
        return UNKNOWN
    if (listed := listed_codes().get(ended_reason)) is not None:
        return listed
    return next((code for pattern, code in PATTERNS if pattern.search(ended_reason)), UNKNOWN)


def trouble_of(ended_reason: str | None) -> Trouble | None:
    """What the end says beyond its own call; None: nothing."""
    return next((trouble for pattern, trouble in TROUBLES if ended_reason and pattern.search(ended_reason)), None)


def verdict_for(ended_reason: str | None, *, connected: bool) -> Verdict:
    """What may follow from an ended call. `connected`: a conversation took place, or it cannot be ruled out."""
    code = code_for(ended_reason)
    retryable = code.retry is Retry.YES or (code.retry is Retry.IF_NOT_CONNECTED and not connected)
    counts = code.outcome in _ALWAYS_SPENT or code.contact is not Contact.NO
    return Verdict(code.outcome, retryable=retryable, counts=counts)
