"""Calls in a browser: `POST /call/web`, which takes the account's *public* key. No phone rings, so no gate is asked."""

from collections.abc import Mapping
from typing import Any

from campaigns.providers.changing import change
from campaigns.providers.extras import FateUnknownError, KeyRefusedError, ProviderRefusedError, WebCall
from campaigns.providers.http import HttpAnswer, HttpClient
from campaigns.providers.vapi.errors import error_text
from campaigns.providers.vapi.reports import id_of
from campaigns.providers.vapi.requests import assistant_part, encoded
from campaigns.providers.vapi.unusable import UnusableRequestError
from campaigns.providers.words import writable_text

MOST_URL = 2_000


class VapiWebCalls:
    """Implements `extras.WebCalls` over an `HttpClient` whose headers carry the public key."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def create(self, assistant: Mapping[str, Any]) -> WebCall:
        """Raises `ProviderRefusedError`, `ProviderUnavailableError`, `FateUnknownError`."""
        try:
            body = encoded(assistant_part(assistant))
            return _web_call(await change(self._http, "POST", "/call/web", said=error_text, body=body))
        except UnusableRequestError as error:
            raise ProviderRefusedError(str(error)) from error
        except KeyRefusedError as error:
            raise KeyRefusedError(f"{error} (a web call takes the account's public key)") from error

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()


def _web_call(answer: HttpAnswer) -> WebCall:
    try:
        body = answer.json()
    except ValueError:
        body = None
    call_id = id_of(body) if isinstance(body, Mapping) else None
    if call_id is None:
        raise FateUnknownError(f"{answer.status} without a call id; a web call may be open at the provider")
    url = body.get("webCallUrl")
    return WebCall(call_id, writable_text(url, most=MOST_URL) if isinstance(url, str) and url else None)
