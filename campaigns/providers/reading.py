"""Reads at a provider: they may be asked again later, so one error is enough for all that can go wrong."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from campaigns.providers.contract import ProviderUnavailableError
from campaigns.providers.http import HttpAnswer, HttpClient, HttpError


async def ask(
    http: HttpClient,
    method: str,
    target: str,
    *,
    body: bytes | None = None,
    params: Mapping[str, str] | None = None,
    read: timedelta | None = None,
    authorized: bool = True,
) -> HttpAnswer:
    """One request that may be repeated later; `authorized` as in `HttpClient.request`.

    Raises `ProviderUnavailableError` when no answer came.
    """
    try:
        return await http.request(method, target, body=body, params=params, read=read, authorized=authorized)
    except HttpError as error:
        raise ProviderUnavailableError(str(error)) from error


def require_success(answer: HttpAnswer) -> HttpAnswer:
    """Raises `ProviderUnavailableError` for any answer but 2xx."""
    if not 200 <= answer.status < 300:
        raise ProviderUnavailableError(f"the provider answered {answer.status}")
    return answer


def decoded(answer: HttpAnswer) -> Any:
    """The answer's JSON. Raises `ProviderUnavailableError`."""
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise ProviderUnavailableError(f"{answer.status} with a body that is no JSON") from None


def path_of(*parts: str) -> str:
    """`/call/…` of parts that may hold anything."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
