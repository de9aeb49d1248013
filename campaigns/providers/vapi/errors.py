"""What Vapi's answer to a create proves.

| answer                                     | dialed?       | result                                       |
|--------------------------------------------|---------------|----------------------------------------------|
| 2xx with an `id`                           | created       | `Placed`, even with `concurrencyBlocked`     |
| 2xx without a readable `id`                | nobody knows  | `FateUnknown`                                |
| 400 404 405 413 415 422                    | certainly not | by text, else `CONFIG_ERROR`                 |
| 401 402 403                                | certainly not | `CREDENTIALS`                                |
| 429                                        | certainly not | `RATE_LIMITED`                               |
| 409, 408, 3xx, 5xx, 52x and all unlisted   | nobody knows  | `FateUnknown`                                |

Sources: Vapi's OpenAPI documents 400 and 500 only; the rest are field reports, so what is not listed is ambiguous.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from campaigns.providers.clock_skew import skew_of
from campaigns.providers.contract import DialResult, FateUnknown, NotDialed, NotDialedKind, Placed
from campaigns.providers.http import HttpAnswer
from campaigns.providers.refusals import wait_asked_for, without
from campaigns.providers.words import MOST_CHARACTERS, writable

CERTAINLY_NOT_DIALED = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})

KIND_BY_TEXT: tuple[tuple[re.Pattern[str], NotDialedKind], ...] = (
    (re.compile(r"over concurrency limit|concurrency limit (was )?reached", re.IGNORECASE), NotDialedKind.CAPACITY),
    (re.compile(r"daily outbound call limit", re.IGNORECASE), NotDialedKind.LINE_LIMIT),
    (re.compile(r"international call", re.IGNORECASE), NotDialedKind.LINE_UNFIT),
    (re.compile(r"rate limit exceeded", re.IGNORECASE), NotDialedKind.RATE_LIMITED),
    (re.compile(r"customer\.number", re.IGNORECASE), NotDialedKind.INVALID_NUMBER),
)
"""Texts that change what a 400 means; the first that fits counts."""

Jitter = Callable[[], timedelta]


def read_create(answer: HttpAnswer, *, private: Iterable[str], jitter: Jitter) -> DialResult:
    """Turn an answer to `POST /call` into what it proves.

    `private`: words of the request that must not come back in a message. `jitter`: spreads those who wait.
    """
    skew = skew_of(answer)
    if 200 <= answer.status < 300:
        return _created(answer, skew=skew)
    text = error_text(answer)
    message = f"{answer.status}: {without(private, text=text)}"
    if answer.status not in CERTAINLY_NOT_DIALED:
        return FateUnknown(message, clock_skew=skew)
    kind = _kind(answer.status, text=text)
    retry_after = _retry_after(answer, jitter=jitter) if kind is NotDialedKind.RATE_LIMITED else None
    return NotDialed(kind, message, retry_after=retry_after, clock_skew=skew)


def _created(answer: HttpAnswer, *, skew: timedelta | None) -> DialResult:
    try:
        call = answer.json()
    except ValueError:
        return FateUnknown(f"{answer.status} with a body that is no JSON", clock_skew=skew)
    call_id = call.get("id") if isinstance(call, dict) else None
    if isinstance(call_id, str) and call_id:
        return Placed(writable(call_id), clock_skew=skew)
    return FateUnknown(f"{answer.status} without a call id", clock_skew=skew)


def _kind(status: int, *, text: str) -> NotDialedKind:
    if status == 429:
        return NotDialedKind.RATE_LIMITED
    if status in (401, 402, 403):
        return NotDialedKind.CREDENTIALS
    return next((kind for pattern, kind in KIND_BY_TEXT if pattern.search(text)), NotDialedKind.CONFIG_ERROR)


def error_text(answer: HttpAnswer) -> str:
    """What went wrong, in Vapi's words.

    `{"message": "text" | ["text", …], "error": "Bad Request"}`; older answers have `error` alone.
    """
    try:
        body = answer.json()
    except ValueError:
        return answer.body[:MOST_CHARACTERS].decode("utf-8", errors="replace")
    if not isinstance(body, dict):
        return "no explanation given"
    said: Any = body.get("message") or body.get("error") or "no explanation given"
    return "; ".join(map(str, said)) if isinstance(said, list) else str(said)


def _retry_after(answer: HttpAnswer, *, jitter: Jitter) -> timedelta:
    """What the answer asks for, else to the next UTC minute: Vapi's limit tumbles there."""
    asked_for = wait_asked_for(answer)
    return asked_for if asked_for is not None else _to_next_minute(answer.received_at) + jitter()


def _to_next_minute(now: datetime) -> timedelta:
    return timedelta(seconds=60 - now.second, microseconds=-now.microsecond)
