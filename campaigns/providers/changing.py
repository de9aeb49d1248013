"""Changes at a provider beside the create of a call: sent once, and told apart by whether they happened."""

from collections.abc import Callable, Iterable

from campaigns.providers.contract import ProviderUnavailableError
from campaigns.providers.extras import (
    FateUnknownError,
    KeyRefusedError,
    NotFoundAtProviderError,
    ProviderRefusedError,
)
from campaigns.providers.http import ExchangeError, HttpAnswer, HttpClient, NoConnectionError
from campaigns.providers.refusals import without

REFUSED = frozenset({400, 402, 405, 413, 415, 422})
"""Answers that say no to what was asked: nothing happened."""
NOT_ALLOWED = frozenset({401, 403})


async def change(
    http: HttpClient,
    method: str,
    target: str,
    *,
    said: Callable[[HttpAnswer], str],
    body: bytes | None = None,
    private: Iterable[str] = (),
) -> HttpAnswer:
    """A request that changes something.

    `said` reads the provider's words out of an answer; `private` are words that must not come back in a message.
    Raises `ProviderRefusedError` and its kinds, `ProviderUnavailableError`: nothing happened; `FateUnknownError`:
    nobody knows, and nobody repeats it by itself.
    """
    try:
        answer = await http.request(method, target, body=body)
    except NoConnectionError as error:
        raise ProviderUnavailableError(f"nothing was sent: {error}") from error
    except ExchangeError as error:
        raise FateUnknownError(str(error)) from error
    if not 200 <= answer.status < 300:
        raise _failure(answer.status, words=f"{answer.status}: {without(private, text=said(answer))}")
    return answer


def _failure(status: int, *, words: str) -> Exception:
    if status == 404:
        return NotFoundAtProviderError(words)
    if status in NOT_ALLOWED:
        return KeyRefusedError(words)
    if status in REFUSED:
        return ProviderRefusedError(words)
    if status == 429:
        return ProviderUnavailableError(f"{words}; try again in a minute")
    return FateUnknownError(words)
