"""One account's provider for the length of a command, and the same for what stands beside it."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from campaigns.providers.contract import VoiceProvider
from campaigns.providers.extras import WebCalls
from campaigns.providers.numbers import PhoneNumbers
from campaigns.providers.registry import AccountAccess, build_numbers, build_provider, build_web_calls
from campaigns.runtime.http_loop import HttpLoop
from campaigns.runtime.settings import Account


class _Closable(Protocol):
    def aclose(self) -> Awaitable[None]: ...


ClientT = TypeVar("ClientT", bound=_Closable)
RunAsync = Callable[[Coroutine[Any, Any, Any]], Future[Any]]

LOOKS_AT_ONCE = 24
"""Connections beside one for each call: a poll and an audit ask after ten calls each, other ticks one at a time.
Without them a provider that is slow to tell keeps small accounts from dialing."""


def access_to(account: Account, *, api_key: str | None = None) -> AccountAccess:
    """What it takes to talk to the account. Raises `SettingsError` without its key; `api_key`: another one."""
    told = account.settings
    return AccountAccess(
        base_url=told.base_url,
        api_key=api_key if api_key is not None else account.require_api_key(),
        account_sid=told.account_sid,
        ring_timeout=told.ring_timeout,
        max_duration=told.max_duration,
        notify_url=told.notify_url,
        webhook_fields=told.webhook_fields,
        attempt_object=told.attempt_object,
        max_connections=told.concurrency + LOOKS_AT_ONCE,
    )


@contextmanager
def opened_provider(account: Account) -> Iterator[tuple[VoiceProvider, RunAsync]]:
    """The account's provider, and what runs its coroutines."""
    access, kind = access_to(account), account.settings.provider.value
    with _opened(lambda: build_provider(kind, access)) as opened:
        yield opened


@contextmanager
def opened_numbers(account: Account) -> Iterator[tuple[PhoneNumbers, RunAsync]]:
    """The account's phone numbers. Raises `NotOfferedError`."""
    access, kind = access_to(account), account.settings.provider.value
    with _opened(lambda: build_numbers(kind, access)) as opened:
        yield opened


@contextmanager
def opened_web_calls(account: Account) -> Iterator[tuple[WebCalls, RunAsync]]:
    """The account's calls in a browser. Raises `NotOfferedError`, `SettingsError` without the public key."""
    access, kind = access_to(account, api_key=account.require_public_key()), account.settings.provider.value
    with _opened(lambda: build_web_calls(kind, access)) as opened:
        yield opened


@contextmanager
def _opened(build: Callable[[], ClientT]) -> Iterator[tuple[ClientT, RunAsync]]:
    """Built on the loop that will use it: its connections belong to it."""
    loop = HttpLoop()

    async def built() -> ClientT:
        return build()

    async def closed(client: ClientT) -> None:
        await client.aclose()

    try:
        client = loop.submit(built()).result()
        try:
            yield client, loop.submit
        finally:
            loop.submit(closed(client)).result()
    finally:
        loop.stop()
