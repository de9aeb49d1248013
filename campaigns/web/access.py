"""Who may read the API: holders of a token, or, while none is configured, this machine only."""

import hmac
from collections.abc import Sequence
from ipaddress import ip_address

from fastapi import HTTPException, Request, status

TOKENS_VARIABLE = "RINGFENCE_API_TOKENS"
"""Environment variable with the tokens, separated by commas."""

FORWARDED_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""A proxy on this machine makes the whole world look local; it says so in one of these."""

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
"""A page elsewhere whose name was pointed at the loopback (DNS rebinding) brings its own name along."""


class ApiAccess:
    """A FastAPI dependency: lets a request pass or ends it with 401 or 403."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tuple(token.encode() for token in tokens if token)

    def __call__(self, request: Request) -> None:
        if self._tokens:
            self._require_token(request.headers.get("authorization", ""))
        elif not is_local(request):
            raise HTTPException(
                status.HTTP_403_FORBIDDEN, f"only this machine may ask; set {TOKENS_VARIABLE} to let others in"
            )

    def _require_token(self, header: str) -> None:
        given = header.removeprefix("Bearer ").encode()
        if not any([hmac.compare_digest(given, token) for token in self._tokens]):  # all of them: no early exit to time
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED, "missing or wrong API token", headers={"WWW-Authenticate": "Bearer"}
            )


def is_local(request: Request) -> bool:
    """Whether the request began on this machine, as far as one can tell."""
    if any(name in request.headers for name in FORWARDED_HEADERS):
        return False
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return name in LOCAL_HOSTS and _is_loopback(request.client.host if request.client else "")


def _is_loopback(address: str) -> bool:
    if address == "testclient":  # Starlette's in-process client has no socket, so nobody far away can be it
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
