"""Every Vapi call created in a span of time.

`GET /call` has no cursor, no filter on our own keys, and at most 1000 rows a page; so pages follow one another by
`createdAtLe`, newest first, and overlap by a millisecond (the resolution of `createdAt`): two calls of one millisecond
must not fall between two pages. A full page proves nothing about absence.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.providers.fields import instant

PAGE_SIZE = 1000
RESOLUTION = timedelta(milliseconds=1)

Page = Sequence[Mapping[str, Any]]
FetchPage = Callable[[Mapping[str, str]], Awaitable[Page]]


class IncompleteListingError(Exception):
    """A full page brought nothing new: the provider does not let us see past it."""


async def pages(fetch: FetchPage, *, created_from: datetime, created_to: datetime) -> AsyncIterator[Page]:
    """Yields each call of the span once. Raises `IncompleteListingError`, and whatever `fetch` raises."""
    seen: set[str] = set()
    until = created_to
    while True:
        page = await fetch(_query(created_from, until=until))
        fresh = [call for call in page if str(call.get("id")) not in seen]
        yield fresh
        if len(page) < PAGE_SIZE:
            return
        if not fresh:
            raise IncompleteListingError
        seen.update(str(call.get("id")) for call in fresh)
        until = _oldest(page) + RESOLUTION


def _query(created_from: datetime, *, until: datetime) -> dict[str, str]:
    return {"createdAtGe": stamp(created_from), "createdAtLe": stamp(until), "limit": str(PAGE_SIZE)}


def _oldest(page: Page) -> datetime:
    created = [at for call in page if (at := instant(call.get("createdAt"))) is not None]
    if len(created) < len(page):
        raise IncompleteListingError
    return min(created)


def stamp(at: datetime) -> str:
    """`2026-12-01T08:00:00.000Z`, as Vapi writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
