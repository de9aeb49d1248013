"""SIP status and call status in our words: every row of `outcomes.csv`, looked up by the SIP status first.

The same far end reads `busy`, `no-answer` or `failed` by the gateway's version, so the call status counts only where
there is no SIP status. Who answered is another message's word (`amd.actionHook`) and is joined to this later.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import AnsweredBy, Trouble


@dataclass(frozen=True, slots=True)
class Code:
    """What one row of the table means. `contact`: a person may have picked up, or declined."""

    outcome: Outcome
    retryable: bool
    contact: bool

    @property
    def verdict(self) -> Verdict:
        """Spent unless the phone surely never rang for a fault of the gateway or its settings."""
        spent = self.outcome not in (Outcome.PROVIDER_ERROR, Outcome.CONFIG_ERROR, Outcome.CANCELLED)
        return Verdict(self.outcome, retryable=self.retryable, counts=spent or self.contact)


OTHER_SERVER_ERROR = "5xx"
OTHER = "other"
OK = 200

FULL = frozenset({503})
"""Capacity, or the account's limit of calls: told only after the create was accepted."""


@cache
def table() -> Mapping[tuple[str, str], Code]:
    """(SIP status, who answered) → its row; the second is empty but for answered calls."""
    text = files(__package__).joinpath("outcomes.csv").read_text(encoding="utf-8")
    return {(row["sip_status"], row["answered_by"]): _code(row) for row in csv.DictReader(text.splitlines())}


def _code(row: Mapping[str, str]) -> Code:
    contact = row["customer_contact"] == "connected"
    return Code(Outcome(row["outcome"]), retryable=row["retryable"] == "yes", contact=contact)


_SIP_OF_STATUS = {"completed": "200", "busy": "486", "no-answer": "487"}
"""For a final status without a SIP status; `failed` alone says nothing of why."""


def code_of(sip_status: int | None, *, call_status: str | None, answered_by: AnsweredBy | None) -> Code:
    """The row for a call that is over."""
    sip = str(sip_status) if sip_status else _SIP_OF_STATUS.get(call_status or "", OTHER)
    if sip == str(OK):
        return table()[sip, answered_by.value if answered_by else "none"]
    fallback = OTHER_SERVER_ERROR if sip.startswith("5") and len(sip) == len("500") else OTHER
    return table().get((sip, "")) or table()[fallback, ""]


def trouble_of(sip_status: int | None, *, outcome: Outcome) -> Trouble | None:
    """What an end says beyond its own call."""
    if sip_status in FULL:
        return Trouble.FULL
    return Trouble.SETTINGS if outcome is Outcome.CONFIG_ERROR else None
