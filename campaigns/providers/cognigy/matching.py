"""Which of the gateway's calls is an attempt's: by number, line and time, for the lists hold nothing of ours.

    one call fits, and it fits no other attempt          found
    several fit, or one that may be another attempt's    not found, and not proven absent
    none fits                                            absent, once the gateway must show it

What may be the attempt's call without being surely so (no time known, another caller ID, a SIP user instead of a
number) adopts nothing, but it keeps the attempt from being called absent: then somebody would be rung twice.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from campaigns.providers.cognigy.listing import Longest, Seen, leaves_a_trace
from campaigns.providers.contract import CallReport, Sought

CLOCKS = timedelta(seconds=10)
"""How far the gateway's clock, which dates the calls, may be from the database's, which dates the attempts; with more
than 2 s between them nothing is dialed. An earlier attempt at the same person lies further back."""
DOUBT = timedelta(seconds=60)
"""A call just outside that is not taken for the attempt's, and not ruled out either."""
SETTING_UP = timedelta(minutes=2)
"""From the last instant at which a create may have left to the INVITE, or to the ring time-out's record."""
SHORTEST_NUMBER = 7
"""Digits: a carrier may cut country code or trunk prefix, and what is shorter than this is no number of a person."""

_ADDRESS = re.compile(r"(?:(?:sips?|tel):)?([^@;]+)", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[\d\s().-]+")


def matched(
    sought: Sequence[Sought], seen: Sequence[Seen], *, now: datetime, longest: Longest
) -> tuple[list[CallReport], bool]:
    """The reports of the attempts that were found, and whether all the others were surely not dialed.

    The second holds even if a call that was found here turns out to be an older attempt's: nothing else may be there.
    """
    fitting = {each.attempt_id: [call for call in seen if fits(each, call)] for each in sought}
    wanted_by = Counter(call.report.provider_call_id for calls in fitting.values() for call in calls)
    found, complete = list[CallReport](), True
    for each in sought:
        calls, doubtful = fitting[each.attempt_id], [call for call in seen if may_be(each, call)]
        if len(calls) == 1 and wanted_by[calls[0].report.provider_call_id] == 1:
            found.append(replace(calls[0].report, attempt_id=each.attempt_id))
            doubtful.remove(calls[0])
        if doubtful or not _must_show(each, now=now, longest=longest):
            complete = False
    return found, complete


def fits(sought: Sought, call: Seen) -> bool:
    """The same number, the same line, and of its time; a live call without a time is of now."""
    if not (same_number(call.to, sought.number) and same_number(call.line, sought.line)):
        return False
    return _in_time(sought, call, CLOCKS) if call.attempted_at is not None else not call.is_over


def may_be(sought: Sought, call: Seen) -> bool:
    """Not to be ruled out: of its time or without one, and to the same number or, from its line, to no number.
    Whatever fits is among them."""
    if call.attempted_at is not None and not _in_time(sought, call, DOUBT):
        return False
    to_somebody = digits_of(call.to) is None and same_number(call.line, sought.line)
    return same_number(call.to, sought.number) or to_somebody


def undated(sought: Sequence[Sought], seen: Sequence[Seen]) -> list[str]:
    """The ids of calls that are over, have no time yet, and might be an attempt's: a record of each would tell."""
    return [
        call.report.provider_call_id
        for call in seen
        if call.attempted_at is None and call.is_over and any(may_be(each, call) for each in sought)
    ]


def same_number(shown: str, ours: str) -> bool:
    """Whether both are one number, whatever prefix either lacks; names and addresses must be the same text."""
    left, right = digits_of(shown), digits_of(ours)
    if left is None or right is None:
        return shown.strip().casefold() == ours.strip().casefold()
    shorter, longer = sorted((left.lstrip("0"), right.lstrip("0")), key=len)
    return left == right or (len(shorter) >= SHORTEST_NUMBER and longer.endswith(shorter))


def digits_of(address: str) -> str | None:
    """The digits of a number, however it is written; None for the address of a user."""
    user = _ADDRESS.match(address.strip())
    if user is None or not _NUMBER.fullmatch(user[1]):
        return None
    return re.sub(r"\D", "", user[1])


def _in_time(sought: Sought, call: Seen, clocks: timedelta) -> bool:
    if call.attempted_at is None:
        return False
    return sought.claimed_at - clocks <= call.attempted_at <= sought.send_by + SETTING_UP


def _must_show(sought: Sought, *, now: datetime, longest: Longest) -> bool:
    """Long enough ago that the phone has rung out, and not so long that the gateway has forgotten."""
    rung_out = now >= sought.send_by + longest.ring + SETTING_UP
    return rung_out and leaves_a_trace(sought.claimed_at, now=now, longest=longest)
