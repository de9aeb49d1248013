"""One Vapi account: dial, list, fetch, end, and its webhooks."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from campaigns.providers.clock_skew import skew_of
from campaigns.providers.contract import (
    CallReport,
    Capabilities,
    DialRequest,
    DialResult,
    FateUnknown,
    Listing,
    NotDialed,
    NotDialedKind,
    PermitLapsedError,
    ProviderUnavailableError,
    Receipt,
    Sought,
    WebhookRequest,
)
from campaigns.providers.fields import mapping
from campaigns.providers.http import Clock, ExchangeError, HttpClient, NoConnectionError, utc_now
from campaigns.providers.reading import ask, decoded, path_of, require_success
from campaigns.providers.scheduling import ProviderSpan
from campaigns.providers.vapi.batch import hand_over
from campaigns.providers.vapi.errors import read_create
from campaigns.providers.vapi.listing import IncompleteListingError, Page, pages
from campaigns.providers.vapi.reports import report_of
from campaigns.providers.vapi.requests import create_body, encoded
from campaigns.providers.vapi.signature import verify
from campaigns.providers.vapi.unusable import UnusableCustomerError, UnusableRequestError
from campaigns.providers.vapi.webhook import parse_webhook

LIST_READ_TIMEOUT = timedelta(seconds=60)
"""A page of a thousand calls carries a thousand transcripts."""

END_CALL = b'{"type": "end-call"}'

MINUTE_JITTER = timedelta(seconds=5)
"""Vapi's rate limit opens for everybody at the full minute; we do not all come in its first instant."""


WAITING = frozenset({"scheduled", "queued"})
"""Statuses of a call whose phone does not ring yet."""


class VapiProvider:
    """Implements `contract.VoiceProvider` over an `HttpClient` whose headers carry the account's key, and
    `scheduling.SchedulingProvider`."""

    capabilities = Capabilities(lists_calls=True, cancels_waiting=True, ends_live=True, signs_webhooks=True)

    def __init__(self, http: HttpClient, *, now: Clock = utc_now) -> None:
        self._http = http
        self._now = now

    async def dial(self, request: DialRequest) -> DialResult:
        """Send one create. Never repeats it; `NotDialed` only when that is certain."""
        try:
            body = encoded(create_body(request))
            answer = await self._http.request("POST", "/call", body=body, permit=request.permit)
        except UnusableRequestError as error:
            return NotDialed(NotDialedKind.CONFIG_ERROR, str(error))
        except UnusableCustomerError as error:
            return NotDialed(NotDialedKind.INVALID_NUMBER, str(error))
        except PermitLapsedError:
            return NotDialed(NotDialedKind.PERMIT_LAPSED, "the permit was over before the request could leave")
        except NoConnectionError as error:
            return NotDialed(NotDialedKind.NO_CONNECTION, str(error))
        except ExchangeError as error:
            return FateUnknown(str(error))
        return read_create(answer, private=_private_words(request), jitter=_jitter)

    async def hand_over(self, requests: Sequence[DialRequest], *, span: ProviderSpan) -> Mapping[UUID, DialResult]:
        """Let Vapi hold these calls until their time, by one create. Never repeats it."""
        return await hand_over(self._http, requests, span=span, jitter=_jitter)

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        """Every call created in the span, of all lines. Raises `ProviderUnavailableError`."""
        reader = _PageReader(self._http)
        reports: list[CallReport] = []
        try:
            async for page in pages(reader.fetch, created_from=created_from, created_to=created_to):
                reports.extend(self._reports(page))
        except IncompleteListingError:
            return Listing(reports, complete=False, clock_skew=reader.clock_skew)
        return Listing(reports, complete=True, clock_skew=reader.clock_skew)

    async def find(self, sought: Sequence[Sought], *, created_from: datetime, created_to: datetime) -> Listing:
        """By our attempt id, which Vapi keeps as the call's name. Raises `ProviderUnavailableError`."""
        wanted = {each.attempt_id for each in sought}
        listing = await self.list_calls(created_from=created_from, created_to=created_to)
        return replace(listing, reports=[report for report in listing.reports if report.attempt_id in wanted])

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        """One call; None: Vapi does not know it. Raises `ProviderUnavailableError`."""
        call = await self._call(provider_call_id)
        if call is None:
            return None
        report = report_of(call, now=self._now())
        if report is None:
            raise ProviderUnavailableError("the call's answer has no id")
        return report

    async def cancel(self, provider_call_id: str) -> bool:
        """Take back a scheduled or queued call; False: too late. Raises `ProviderUnavailableError`."""
        call = await self._call(provider_call_id)
        return call is not None and call.get("status") in WAITING and await self._stop(provider_call_id, call)

    async def end(self, provider_call_id: str) -> bool:
        """Hang up a live call, delete a scheduled one; False when it was over. Raises `ProviderUnavailableError`."""
        call = await self._call(provider_call_id)
        return call is not None and call.get("status") != "ended" and await self._stop(provider_call_id, call)

    async def delete_data(self, provider_call_id: str) -> bool:
        """Delete what Vapi keeps of a call that is over. False: it knows no such call.

        Of a call that waits it would be a cancellation, and one that rings or talks goes on without a trace: callers
        look first. Raises `ProviderUnavailableError`: not deleted; 503 is Vapi's own word for "try again".
        """
        answer = await ask(self._http, "DELETE", path_of("call", provider_call_id))
        if answer.status == 404:
            return False
        require_success(answer)
        return True

    def verify_webhook(self, request: WebhookRequest, *, secret: str) -> None:
        """Raises `WebhookForgedError`."""
        verify(request, secret=secret)

    def parse_webhook(self, body: bytes) -> Receipt:
        """Parse one body (already authenticated). Raises `WebhookRejectedError`."""
        return parse_webhook(body)

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    def _reports(self, page: Page) -> list[CallReport]:
        now = self._now()
        return [report for call in page if (report := report_of(call, now=now)) is not None]

    async def _call(self, provider_call_id: str) -> Mapping[str, Any] | None:
        answer = await ask(self._http, "GET", path_of("call", provider_call_id))
        if answer.status == 404:
            return None
        call = decoded(require_success(answer))
        if not isinstance(call, Mapping):
            raise ProviderUnavailableError("the call's answer is no object")
        return call

    async def _stop(self, provider_call_id: str, call: Mapping[str, Any]) -> bool:
        if call.get("status") == "scheduled":
            require_success(await ask(self._http, "DELETE", path_of("call", provider_call_id)))
            return True
        return await self._hang_up(call)

    async def _hang_up(self, call: Mapping[str, Any]) -> bool:
        """The control URL lies on another host than the API and is its own secret: the account's key stays here."""
        url = mapping(call.get("monitor")).get("controlUrl")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", "http"):
            raise ProviderUnavailableError("the call has no control URL, so it cannot be ended from here")
        answer = await ask(self._http, "POST", url, body=END_CALL, authorized=False)
        if answer.status == 404:
            return False
        require_success(answer)
        return True


class _PageReader:
    """Fetches pages and keeps the clock skew that the last one showed."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self.clock_skew: timedelta | None = None

    async def fetch(self, query: Mapping[str, str]) -> Page:
        answer = require_success(await ask(self._http, "GET", "/call", params=query, read=LIST_READ_TIMEOUT))
        self.clock_skew = skew_of(answer)
        page = decoded(answer)
        if not isinstance(page, list) or not all(isinstance(call, Mapping) for call in page):
            raise ProviderUnavailableError("the list of calls is no array of objects")
        return page


def _private_words(request: DialRequest) -> list[str]:
    return [word for word in (request.number, request.customer_name, request.external_id) if word]


def _jitter() -> timedelta:
    return random.random() * MINUTE_JITTER  # noqa: S311 - spreads load, guards nothing
