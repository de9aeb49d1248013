"""The providers there are. Adding one is a folder, and a row here."""

from collections.abc import Callable, Mapping

from campaigns.providers.contract import VoiceProvider
from campaigns.providers.http import Clock, HttpClient, Timeouts, utc_now
from campaigns.providers.vapi.client import VapiProvider

DEFAULT_BASE_URL: Mapping[str, str] = {"vapi": "https://api.vapi.ai"}


class UnknownProviderError(ValueError):
    """No provider of that name; the message lists those there are."""


def _vapi(http: HttpClient, now: Clock) -> VoiceProvider:
    return VapiProvider(http, now=now)


_BUILDERS: Mapping[str, Callable[[HttpClient, Clock], VoiceProvider]] = {"vapi": _vapi}


def build_provider(
    kind: str,
    *,
    base_url: str | None,
    api_key: str,
    timeouts: Timeouts | None = None,
    max_connections: int = 256,
    now: Clock = utc_now,
) -> VoiceProvider:
    """One account at one provider. `base_url` None: the provider's own. Raises `UnknownProviderError`."""
    if kind not in _BUILDERS:
        raise UnknownProviderError(f"unknown provider {kind!r}; allowed are {', '.join(sorted(_BUILDERS))}")
    http = HttpClient(
        base_url or DEFAULT_BASE_URL[kind],
        headers={"Authorization": f"Bearer {api_key}"},
        timeouts=timeouts,
        max_connections=max_connections,
        now=now,
    )
    return _BUILDERS[kind](http, now)
