"""What the gateway's answer to a create proves.

| answer                                  | dialed?       | result                                                     |
|-----------------------------------------|---------------|------------------------------------------------------------|
| 2xx with a `sid`                        | yes           | `Placed`: it comes after the INVITE is on its way          |
| 2xx without a readable `sid`            | nobody knows  | `FateUnknown`                                              |
| 401 403                                 | certainly not | `CREDENTIALS`                                              |
| 400                                     | certainly not | `INVALID_NUMBER` if it names `to`, else `CONFIG_ERROR`     |
| 404 422                                 | certainly not | `CONFIG_ERROR`                                             |
| 429                                     | certainly not | `RATE_LIMITED`, by `Retry-After` or `RateLimit-Reset`      |
| 480                                     | certainly not | `CAPACITY`: no feature server is up                        |
| 500 (text and `{msg}`), 502–504, others | nobody knows  | `FateUnknown`                                              |

Sources: jambonz api-server and feature-server as read in 2026. A 500 is most often a body that the feature server
refused, before any INVITE; but the same status is given when the link to it was lost, so it proves nothing.
"""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta

from campaigns.providers.clock_skew import skew_of
from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.fields import text
from campaigns.providers.http import HttpAnswer
from campaigns.providers.refusals import wait_asked_for, without
from campaigns.providers.words import MOST_CHARACTERS

KIND_BY_STATUS = {
    400: NotDialedKind.CONFIG_ERROR,
    401: NotDialedKind.CREDENTIALS,
    403: NotDialedKind.CREDENTIALS,
    404: NotDialedKind.CONFIG_ERROR,
    422: NotDialedKind.CONFIG_ERROR,
    429: NotDialedKind.RATE_LIMITED,
    480: NotDialedKind.CAPACITY,
}
"""The statuses that prove that nobody was dialed; every other one is ambiguous."""

_NAMES_TO = re.compile(r"\bto (property|parameter)\b|\bto\.(number|name|sipUri)\b|\binvalid to\b", re.IGNORECASE)
_UNTOLD_WAIT = timedelta(seconds=60)
"""For a 429 that does not say how long: the limiter's window is five minutes, and begins anew for us at any time."""

Jitter = Callable[[], timedelta]


def read_create(answer: HttpAnswer, *, private: Iterable[str], to_a_phone: bool, jitter: Jitter) -> DialResult:
    """Turn an answer to a create into what it proves.

    `private`: words of the request that must not come back in a message. `to_a_phone`: the destination was the
    customer's number, so that a word against `to` is one against the number. `jitter`: spreads those who wait.
    """
    skew = skew_of(answer)
    if 200 <= answer.status < 300:
        return _created(answer, skew=skew)
    said = _error_text(answer)
    message = f"{answer.status}: {without(private, text=said)}"
    if answer.status not in KIND_BY_STATUS:
        return FateUnknown(message, clock_skew=skew)
    kind = _kind(answer.status, said=said, to_a_phone=to_a_phone)
    retry_after = None
    if kind is NotDialedKind.RATE_LIMITED:
        asked_for = wait_asked_for(answer)
        retry_after = _UNTOLD_WAIT + jitter() if asked_for is None else asked_for
    return NotDialed(kind, message, retry_after=retry_after, clock_skew=skew)


def _created(answer: HttpAnswer, *, skew: timedelta | None) -> DialResult:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return FateUnknown(f"{answer.status} with a body that is no JSON", clock_skew=skew)
    sid = text(body.get("sid")) if isinstance(body, dict) else None
    if sid is None:
        return FateUnknown(f"{answer.status} without a call sid", clock_skew=skew)
    return Placed(sid, clock_skew=skew)


def _kind(status: int, *, said: str, to_a_phone: bool) -> NotDialedKind:
    if status == 400 and to_a_phone and _NAMES_TO.search(said):
        return NotDialedKind.INVALID_NUMBER
    return KIND_BY_STATUS[status]


def _error_text(answer: HttpAnswer) -> str:
    """`{"msg": "text"}`, or plain text."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return answer.body[:MOST_CHARACTERS].decode("utf-8", errors="replace")
    said = body.get("msg") or body.get("message") if isinstance(body, dict) else body
    return said if isinstance(said, str) and said else "no explanation given"
