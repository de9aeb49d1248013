"""Reading a request's body: bounded in length, in time, and, while its sender has proven nothing, in all together."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from fastapi import HTTPException, status
from starlette.types import Receive

MOST_BODY_BYTES = 10 * 1024 * 1024
"""An end-of-call report carries a whole transcript; a real one is far below this."""
LONGEST_READ = timedelta(seconds=30)
"""For the whole body; providers give up on an answer sooner."""
MOST_UNPROVEN_BYTES = 64 * 1024 * 1024
"""Bodies whose proof is a signature over themselves have to be held before anything is known of their sender."""


class ByteBudget:
    """How many bytes may be held at once by all requests that share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def guarded(self, proven: bool) -> "Iterator[Reading | None]":
        """One request's share of it, given back at the end; None for a sender who has proven itself."""
        reading = None if proven else Reading(self)
        try:
            yield reading
        finally:
            if reading is not None:
                self._held -= reading.held

    def take(self, count: int) -> None:
        """Raises `HTTPException`, 503, if others hold too much."""
        if self._held + count > self._most:
            raise HTTPException(
                status.HTTP_503_SERVICE_UNAVAILABLE, "too much at once; send it again", headers={"Retry-After": "5"}
            )
        self._held += count


class Reading:
    """What one request holds of a budget."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.held = 0

    def take(self, count: int) -> None:
        """Raises `HTTPException`, 503."""
        self._budget.take(count)
        self.held += count


async def read_body(
    receive: Receive, headers: Mapping[str, str], *, most: int = MOST_BODY_BYTES, budget: Reading | None = None
) -> bytes:
    """The whole body; ends the request with 413 as soon as it is longer than `most` bytes, with 408 if it takes too
    long, with 503 if the budget is spent, with 400 if it breaks off."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(LONGEST_READ.total_seconds()):
            return await _read(receive, most=most, budget=budget)
    except TimeoutError:
        raise HTTPException(status.HTTP_408_REQUEST_TIMEOUT, "the body took too long") from None


async def _read(receive: Receive, *, most: int, budget: Reading | None) -> bytes:
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "the body ended early")
        chunk = message.get("body", b"")
        length += len(chunk)
        if budget is not None:
            budget.take(len(chunk))
        if length > most:
            raise _too_large(most)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(most: int) -> HTTPException:
    return HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"a webhook may have at most {most} bytes")
