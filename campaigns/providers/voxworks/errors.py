"""What Voxworks' answer to a create proves.

| answer                        | dialed?       | result                                                             |
|-------------------------------|---------------|--------------------------------------------------------------------|
| 2xx with a `call_id`          | created       | `Placed`                                                           |
| 2xx without one               | nobody knows  | `FateUnknown`                                                      |
| 400                           | certainly not | `INVALID_NUMBER` if it names the contact's number, `CONFIG_ERROR`  |
| 401                           | certainly not | `CREDENTIALS`                                                      |
| 404                           | certainly not | `CONFIG_ERROR`: the script or the number is not this team's        |
| 429                           | certainly not | `RATE_LIMITED`, for as long as `Retry-After` says                  |
| 500 and all that is unlisted  | nobody knows  | `FateUnknown`, and no list can ever tell                           |

Source: the create endpoint's own description, which documents these six statuses and no other.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from campaigns.providers.clock_skew import skew_of
from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.fields import mapping
from campaigns.providers.http import HttpAnswer
from campaigns.providers.refusals import wait_asked_for, without
from campaigns.providers.words import MOST_CHARACTERS, writable

KIND_BY_STATUS: Mapping[int, NotDialedKind] = {
    400: NotDialedKind.CONFIG_ERROR,
    401: NotDialedKind.CREDENTIALS,
    404: NotDialedKind.CONFIG_ERROR,
    429: NotDialedKind.RATE_LIMITED,
}
"""The answers that prove that nothing was dialed."""

RATE_LIMIT, RATE_LEFT = "x-ratelimit-limit", "x-ratelimit-remaining"

_OUR_NUMBER = re.compile(r"from[\s_]?number|call(ing)? from|your team", re.IGNORECASE)
_THEIR_NUMBER = re.compile(r"phone[\s_]?number", re.IGNORECASE)


def read_create(answer: HttpAnswer, *, private: Iterable[str]) -> DialResult:
    """Turn an answer to a create into what it proves.

    `private`: words of the request that must not come back in a message.
    """
    skew = skew_of(answer)
    if 200 <= answer.status < 300:
        return _created(answer, skew=skew)
    text = _said(answer)
    message = f"{answer.status}: {without(private, text=text)}"
    if answer.status not in KIND_BY_STATUS:
        return FateUnknown(message, clock_skew=skew)
    kind = _kind(answer.status, text=text)
    if kind is not NotDialedKind.RATE_LIMITED:
        return NotDialed(kind, message, clock_skew=skew)
    return NotDialed(kind, message + _limit(answer), retry_after=wait_asked_for(answer), clock_skew=skew)


def _created(answer: HttpAnswer, *, skew: timedelta | None) -> DialResult:
    try:
        body: Any = answer.json()
    except (ValueError, RecursionError):
        return FateUnknown(f"{answer.status} with a body that is no JSON", clock_skew=skew)
    call_id = body.get("call_id") if isinstance(body, dict) else None
    if isinstance(call_id, str) and call_id:
        return Placed(writable(call_id), clock_skew=skew, rate_spent=answer.headers.get(RATE_LEFT, "").strip() == "0")
    return FateUnknown(f"{answer.status} without a call_id", clock_skew=skew)


def _kind(status: int, *, text: str) -> NotDialedKind:
    theirs = _THEIR_NUMBER.search(text) and not _OUR_NUMBER.search(text)
    return NotDialedKind.INVALID_NUMBER if status == 400 and theirs else KIND_BY_STATUS[status]


def _said(answer: HttpAnswer) -> str:
    """`{"success": false, "message": "text"}`, or whatever stood in its place."""
    try:
        said = mapping(answer.json()).get("message")
    except (ValueError, RecursionError):
        return answer.body[:MOST_CHARACTERS].decode("utf-8", errors="replace")
    return str(said) if said else "no explanation given"


def _limit(answer: HttpAnswer) -> str:
    """The provider's own words about its limit, for the person who looks."""
    limit, left = (writable(answer.headers.get(name, "").strip()) for name in (RATE_LIMIT, RATE_LEFT))
    return f" (limit {limit or 'not told'}, left {left or 'not told'})" if limit or left else ""
