"""What refusals of different providers have in common: words that may be shown, and how long to wait."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from campaigns.providers.http import HttpAnswer
from campaigns.providers.words import writable

LONGEST_WAIT = timedelta(hours=1)
"""A provider that asks for more than this has mistaken its units; an hour of silence is enough for any limit."""

_DIGITS = re.compile(r"\+?\d[\d\s().-]{5,}\d")
_RESET = re.compile(r"\breset=(\d{1,9})\b")


def without(private: Iterable[str], *, text: str) -> str:
    """The provider's words, at most 200 characters, without numbers and without what we sent about the person."""
    for word in filter(None, private):
        text = text.replace(word, "[hidden]")
    return writable(_DIGITS.sub("[hidden]", text))


def wait_asked_for(answer: HttpAnswer) -> timedelta | None:
    """How long a 429 tells us to wait; None: it does not say.

    `Retry-After` in seconds or as a date, else `RateLimit-Reset` (seconds), else `reset=` within `RateLimit`: the
    header fields of the IETF drafts, as Express's limiter sends them.
    """
    header = answer.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return _bounded(int(header))
    if (until := _http_date(header)) is not None:
        return min(LONGEST_WAIT, max(timedelta(), until - answer.received_at))
    return _reset(answer.headers)


def _reset(headers: Mapping[str, str]) -> timedelta | None:
    plain = headers.get("ratelimit-reset", "").strip()
    if plain.isascii() and plain.isdigit():
        return _bounded(int(plain))
    combined = _RESET.search(headers.get("ratelimit", ""))
    return _bounded(int(combined[1])) if combined else None


def _bounded(seconds: int) -> timedelta:
    return timedelta(seconds=min(seconds, int(LONGEST_WAIT.total_seconds())))


def _http_date(header: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    # HTTP dates are GMT by definition; Python leaves those that end in -0000 naive.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
