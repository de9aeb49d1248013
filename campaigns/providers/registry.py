"""The providers there are. Adding one is a folder, and a row here."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from campaigns.providers.cognigy.client import CognigyProvider
from campaigns.providers.contract import Capabilities, VoiceProvider
from campaigns.providers.extras import WebCalls
from campaigns.providers.http import Clock, HttpClient, Timeouts, utc_now
from campaigns.providers.numbers import PhoneNumbers
from campaigns.providers.vapi.client import VapiProvider
from campaigns.providers.vapi.numbers import VapiNumbers
from campaigns.providers.vapi.web_calls import VapiWebCalls
from campaigns.providers.voxworks.client import VoxworksProvider


class UnknownProviderError(ValueError):
    """No provider of that name; the message lists those there are."""


class IncompleteAccessError(ValueError):
    """The provider cannot be reached with what is known of the account; the message says what is missing."""


class NotOfferedError(ValueError):
    """This provider has no such thing, or none that can be reached from here. The message says where it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAccess:
    """What it takes to talk to one account."""

    base_url: str | None = None
    """None: the provider's own address."""
    api_key: str
    account_sid: str | None = None
    """The account's id, where it is part of the provider's paths."""
    ring_timeout: timedelta = timedelta(seconds=60)
    """Longest that a phone rings there, and longest call: by these a provider that forgets calls proves absence."""
    max_duration: timedelta = timedelta(minutes=10)
    notify_url: bool = True
    """False: a gateway that does not know `notifyUrl` and would refuse a create with it."""
    webhook_fields: Mapping[str, str] = field(default_factory=dict)
    """Where the user's own webhook bodies hold what; only for providers whose webhooks have no shape of their own."""
    attempt_object: str | None = None
    """`type.field`: where our attempt id may travel at a provider that has no place of its own for it."""
    timeouts: Timeouts | None = None
    max_connections: int = 256
    tls: ssl.SSLContext | None = None
    """Another trust store than the browsers' one."""
    now: Clock = utc_now


@dataclass(frozen=True, slots=True)
class _Kind:
    base_url: str | None
    """None: every account has an address of its own."""
    build: Callable[[HttpClient, AccountAccess], VoiceProvider]
    capabilities: Capabilities


def _vapi(http: HttpClient, access: AccountAccess) -> VoiceProvider:
    return VapiProvider(http, now=access.now)


def _cognigy(http: HttpClient, access: AccountAccess) -> VoiceProvider:
    if not access.account_sid:
        raise IncompleteAccessError("a cognigy account needs its accountSid: it is part of every address there")
    return CognigyProvider(
        http,
        account_sid=access.account_sid,
        ring_timeout=access.ring_timeout,
        max_duration=access.max_duration,
        notify=access.notify_url,
        now=access.now,
    )


def _voxworks(http: HttpClient, access: AccountAccess) -> VoiceProvider:
    return VoxworksProvider(
        http, webhook_fields=access.webhook_fields, attempt_object=access.attempt_object, now=access.now
    )


_KINDS: Mapping[str, _Kind] = {
    "vapi": _Kind("https://api.vapi.ai", _vapi, VapiProvider.capabilities),
    "cognigy": _Kind(None, _cognigy, CognigyProvider.capabilities),
    "voxworks": _Kind("https://api.voxworks.ai", _voxworks, VoxworksProvider.capabilities),
}

_HOLDS_CALLS = frozenset({"vapi"})
"""Voxworks can hold a call too, but an answer that gets lost there is never found again."""


def build_provider(kind: str, access: AccountAccess) -> VoiceProvider:
    """One account at one provider. Raises `UnknownProviderError`, `IncompleteAccessError`."""
    return _kind(kind).build(_client(kind, access), access)


def capabilities_of(kind: str) -> Capabilities:
    """What accounts of this provider can do. Raises `UnknownProviderError`."""
    return _kind(kind).capabilities


def build_numbers(kind: str, access: AccountAccess) -> PhoneNumbers:
    """The phone numbers of one account. Raises `NotOfferedError`, `UnknownProviderError`."""
    if kind != "vapi":
        _kind(kind)
        raise NotOfferedError(f"{kind} has no API for phone numbers: set them up in its portal, and name them as lines")
    return VapiNumbers(_client(kind, access), now=access.now)


def build_web_calls(kind: str, access: AccountAccess) -> WebCalls:
    """Calls in a browser; `access.api_key` is the *public* key. Raises `NotOfferedError`, `UnknownProviderError`."""
    if kind != "vapi":
        _kind(kind)
        raise NotOfferedError(f"{kind} makes no calls in a browser")
    return VapiWebCalls(_client(kind, access))


def holds_calls(kind: str) -> bool:
    """Whether accounts of this provider implement `scheduling.SchedulingProvider`."""
    return kind in _HOLDS_CALLS


def _kind(kind: str) -> _Kind:
    if kind not in _KINDS:
        raise UnknownProviderError(f"unknown provider {kind!r}; allowed are {', '.join(sorted(_KINDS))}")
    return _KINDS[kind]


def _client(kind: str, access: AccountAccess) -> HttpClient:
    base_url = access.base_url or _kind(kind).base_url
    if base_url is None:
        raise IncompleteAccessError(f"a {kind} account needs its baseUrl: every gateway has an address of its own")
    return HttpClient(
        base_url,
        headers={"Authorization": f"Bearer {access.api_key}"},
        timeouts=access.timeouts,
        max_connections=access.max_connections,
        tls=access.tls,
        now=access.now,
    )
