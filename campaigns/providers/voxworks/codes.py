"""Voxworks' call statuses, in our words: the rows of `outcomes.csv`, and the few that a call has before its end.

Only the final ones are documented, as names in a filter of the automation screen. How the API spells them is not, so
they are compared without case, spaces, `-` and `_`: "rang-out", "Rang Out" and "RANG_OUT" are one status.

| status                     | outcome        | again | why                                                         |
|----------------------------|----------------|-------|-------------------------------------------------------------|
| completed                  | answered       | no    | a conversation took place                                   |
| voicemail                  | voicemail      | yes   |                                                             |
| rang-out, User unavailable | no_answer      | yes   |                                                             |
| User rejected              | rejected       | no    |                                                             |
| hang-up                    | answered       | no    | picked up, and ended by the person                          |
| dropout                    | unknown        | no    | the line was lost, perhaps in the middle of a talk          |
| failed                     | provider_error | yes   | no cause is told, so it counts; how often to try again says |
|                            |                |       | the campaign's ladder for provider_error, by default never  |
| cancelled                  | cancelled      | no    | by us                                                       |
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import Phase

UNKNOWN_END = Verdict(Outcome.UNKNOWN, retryable=False, counts=True)
"""For an end that nobody explains: somebody may have been reached."""

HANG_UP = "hangup"

_WAITING = frozenset({"scheduled", "queued", "pending"})
_RINGING = frozenset({"ringing", "dialing", "dialling", "initiated"})
_TALKING = frozenset({"inprogress", "ongoing", "active", "connected", "live", "started"})
"""Words that a call may have on its way; only `scheduled` is documented. An unknown one says nothing of it."""

_SEPARATORS = re.compile(r"[\s_-]+")
_ALSO = {"canceled": "cancelled"}


@dataclass(frozen=True, slots=True)
class End:
    """What one final status means. `talked`: a conversation may have taken place, and its details may follow."""

    verdict: Verdict
    talked: bool


def folded(status: str) -> str:
    """The status as it is compared."""
    plain = _SEPARATORS.sub("", status.strip().casefold())
    return _ALSO.get(plain, plain)


def end_of(status: str) -> End | None:
    """What the status ends in; None: it is none of the final ones."""
    return _ends().get(folded(status))


def phase_of(status: str) -> Phase:
    """How far a call of this status has come; a final one is at least `ENDED`."""
    word = folded(status)
    if word in _ends():
        return Phase.ENDED
    if word in _TALKING:
        return Phase.CONNECTED
    return Phase.RINGING if word in _RINGING else Phase.QUEUED


@cache
def _ends() -> Mapping[str, End]:
    """The table, read once."""
    text = files(__package__).joinpath("outcomes.csv").read_text(encoding="utf-8")
    return {folded(row["status"]): _end(row) for row in csv.DictReader(text.splitlines())}


def _end(row: Mapping[str, str]) -> End:
    outcome = Outcome(row["outcome"])
    spent = row["customer_contact"] != "no" or outcome not in (Outcome.CANCELLED, Outcome.PROVIDER_ERROR)
    verdict = Verdict(outcome, retryable=row["retryable"] == "yes", counts=spent)
    return End(verdict, talked=row["customer_contact"] == "connected" and outcome is not Outcome.REJECTED)
