"""The providers there are. Adding one is a folder, and a row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from campaigns.providers.contract import VoiceProvider
from campaigns.providers.http import Clock, HttpClient, Timeouts, utc_now
from campaigns.providers.vapi.client import VapiProvider


class UnknownProviderError(ValueError):
    """No provider of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAccess:
    """What it takes to talk to one account."""

    base_url: str | None = None
    """None: the provider's own address."""
    api_key: str
    account_sid: str | None = None
    """The account's id, where it is part of the provider's paths."""
    timeouts: Timeouts | None = None
    max_connections: int = 256
    now: Clock = utc_now


@dataclass(frozen=True, slots=True)
class _Kind:
    base_url: str
    build: Callable[[HttpClient, AccountAccess], VoiceProvider]


def _vapi(http: HttpClient, access: AccountAccess) -> VoiceProvider:
    return VapiProvider(http, now=access.now)


_KINDS: Mapping[str, _Kind] = {"vapi": _Kind("https://api.vapi.ai", _vapi)}


def build_provider(kind: str, access: AccountAccess) -> VoiceProvider:
    """One account at one provider. Raises `UnknownProviderError`."""
    if kind not in _KINDS:
        raise UnknownProviderError(f"unknown provider {kind!r}; allowed are {', '.join(sorted(_KINDS))}")
    http = HttpClient(
        access.base_url or _KINDS[kind].base_url,
        headers={"Authorization": f"Bearer {access.api_key}"},
        timeouts=access.timeouts,
        max_connections=access.max_connections,
        now=access.now,
    )
    return _KINDS[kind].build(http, access)
