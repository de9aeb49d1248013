"""How far a provider's clock is from ours, read from the `Date` header of any answer."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from campaigns.providers.http import HttpAnswer

DATE_RESOLUTION = timedelta(seconds=1)
"""The header has whole seconds, cut and not rounded."""


def skew_of(answer: HttpAnswer) -> timedelta | None:
    """The provider's clock minus ours: the least value that explains the header, so that a slow answer raises no alarm.

    The header was written at an unknown instant between request and answer. None: no readable `Date`.
    """
    stamped_at = http_date(answer.headers.get("date", ""))
    if stamped_at is None:
        return None
    return _least(stamped_at - answer.received_at, stamped_at - answer.sent_at + DATE_RESOLUTION)


def http_date(header: str) -> datetime | None:
    """The instant that a header names; None: it names none."""
    try:
        at = parsedate_to_datetime(header)
        # HTTP dates are GMT by definition; Python leaves those that end in -0000 naive.
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _least(low: timedelta, high: timedelta) -> timedelta:
    if low > timedelta():
        return low
    return high if high < timedelta() else timedelta()
