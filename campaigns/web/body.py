"""Reading a request's body, bounded."""

from fastapi import HTTPException, Request, status

MOST_BODY_BYTES = 10 * 1024 * 1024
"""An end-of-call report carries a whole transcript; a real one is far below this."""


async def read_body(request: Request, *, most: int = MOST_BODY_BYTES) -> bytes:
    """The whole body; ends the request with 413 as soon as it is longer than `most` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> HTTPException:
    return HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"a webhook may have at most {most} bytes")
