"""One account at a Cognigy Voice Gateway, or at any jambonz: dial, list, find, fetch, cancel, end, and its webhooks."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from campaigns.providers.clock_skew import skew_of
from campaigns.providers.cognigy.errors import read_create
from campaigns.providers.cognigy.listing import (
    LIVE_STORE_EMPTY,
    LIVE_STORE_FORGETS,
    RECORD_DELAY,
    Longest,
    Seen,
    joined,
    live_calls,
    records,
    span_leaves_a_trace,
)
from campaigns.providers.cognigy.matching import matched, undated
from campaigns.providers.cognigy.reports import fields_of, moment, record_report, sid_of, status_report, with_origin
from campaigns.providers.cognigy.requests import (
    UnusableCustomerError,
    UnusableRequestError,
    create_body,
    dials_a_phone,
    encoded,
)
from campaigns.providers.cognigy.signature import verify
from campaigns.providers.cognigy.webhook import parse_webhook
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
    Phase,
    ProviderUnavailableError,
    Receipt,
    Sought,
    WebhookRequest,
)
from campaigns.providers.http import Clock, ExchangeError, HttpAnswer, HttpClient, NoConnectionError, utc_now
from campaigns.providers.reading import ask, decoded, path_of, require_success

LIST_READ_TIMEOUT = timedelta(seconds=60)
"""The live store is listed whole, and a page holds 500 records."""

JITTER = timedelta(seconds=15)
"""The gateway counts the requests of all its accounts together; we do not all come back in one instant."""

HANG_UP: Mapping[Phase, bytes] = {
    Phase.QUEUED: b'{"call_status": "no-answer"}',
    Phase.RINGING: b'{"call_status": "no-answer"}',
    Phase.CONNECTED: b'{"call_status": "completed"}',
}
"""The gateway takes the first only before the answer, the second only after it."""
NOT_IN_THIS_STATE = 422
GONE = 404
MOST_DATED = 20
"""Earlier calls to people who are looked for, still in the live store: one request each."""
LOOKS_TO_END = 3
"""A call may be answered between our look and our word: then look again and say the other one."""


class CognigyProvider:
    """Implements `contract.VoiceProvider` over an `HttpClient` whose headers carry the account's key."""

    capabilities = Capabilities(
        lists_calls=True, cancels_waiting=True, ends_live=True, signs_webhooks=True, webhook_headers=False
    )

    def __init__(
        self,
        http: HttpClient,
        *,
        account_sid: str,
        ring_timeout: timedelta,
        max_duration: timedelta,
        notify: bool = True,
        now: Clock = utc_now,
    ) -> None:
        """`ring_timeout`, `max_duration`: the account's longest, by which absence is judged. `notify`: the gateway
        knows `notifyUrl`; one that does not refuses every create that has it."""
        self._http = http
        self._path = f"/v1/Accounts{path_of(account_sid)}"
        self._longest = Longest(ring_timeout, max_duration)
        self._notify = notify
        self._now = now

    async def dial(self, request: DialRequest) -> DialResult:
        """Send one create. Never repeats it; `NotDialed` only when that is certain."""
        try:
            body = encoded(create_body(request, notify=self._notify))
            answer = await self._http.request("POST", f"{self._path}/Calls", body=body, permit=request.permit)
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
        return read_create(answer, private=_private_words(request), to_a_phone=dials_a_phone(request), jitter=_jitter)

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        """Every call that we made in the span, and live ones that may be of it. Raises `ProviderUnavailableError`."""
        now = self._now()
        seen, all_read, skew = await self._look(created_from=created_from, created_to=created_to, now=now)
        # A live call without a time began at most one longest call ago.
        undated_from = now - self._longest.call - RECORD_DELAY
        reports = [
            call.report
            for call in seen
            if (created_to >= undated_from if call.attempted_at is None
                else created_from <= call.attempted_at <= created_to)
        ]  # fmt: skip
        complete = all_read and span_leaves_a_trace(created_from, created_to, now=now, longest=self._longest)
        return Listing(reports, complete, clock_skew=skew)

    async def find(self, sought: Sequence[Sought], *, created_from: datetime, created_to: datetime) -> Listing:
        """By number, line and time. Raises `ProviderUnavailableError`."""
        now = self._now()
        seen, all_read, skew = await self._look(created_from=created_from, created_to=created_to, now=now)
        dates = {sid: await self._attempted_at(sid) for sid in undated(sought, seen)[:MOST_DATED]}
        seen = [
            replace(call, attempted_at=call.attempted_at or dates.get(call.report.provider_call_id)) for call in seen
        ]
        found, complete = matched(sought, seen, now=now, longest=self._longest)
        return Listing(found, complete and all_read, clock_skew=skew)

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        """From the live store, else from the records; None: in neither. Raises `ProviderUnavailableError`."""
        call = await self._live_call(provider_call_id)
        record = await self._record(provider_call_id) if call is None else None
        shown = call if call is not None else record or {}
        report = status_report(shown) if call is not None else record_report(shown)
        if report is None and self._longest.call > LIVE_STORE_FORGETS:
            raise ProviderUnavailableError("neither live calls nor records show the call, and it may still be talking")
        return None if report is None else with_origin(report, shown)

    async def cancel(self, provider_call_id: str) -> bool:
        """Take back a call that does not ring yet; False: too late. Raises `ProviderUnavailableError`."""
        return await self._stop(provider_call_id, while_in=(Phase.QUEUED,)) is True

    async def end(self, provider_call_id: str) -> bool:
        """Hang up, whether it rings or talks; False when it was over. Raises `ProviderUnavailableError`."""
        for _ in range(LOOKS_TO_END):
            stopped = await self._stop(provider_call_id, while_in=tuple(HANG_UP))
            if stopped is not None:
                return stopped
        raise ProviderUnavailableError("the call changed its state with every look")

    def verify_webhook(self, request: WebhookRequest, *, secret: str) -> None:
        """Raises `WebhookForgedError`."""
        verify(request, secret=secret)

    def parse_webhook(self, body: bytes) -> Receipt:
        """Parse one body (already authenticated). Raises `WebhookRejectedError`."""
        return parse_webhook(body)

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    # --- looking -----------------------------------------------------------------------------------------------

    async def _look(
        self, *, created_from: datetime, created_to: datetime, now: datetime
    ) -> tuple[list[Seen], bool, timedelta | None]:
        """Both lists, whether all of it was read, and the clock's skew. The live store first: what ends between the two
        requests is then in the records."""
        reader = _Reader(self._http, self._path)
        live = live_calls(await reader.live()) if created_to >= now - LIVE_STORE_EMPTY else []
        last_end = created_to + self._longest.call + RECORD_DELAY
        # The live store says nothing of time: the records since then date those of its calls that have ended.
        ended_to = now + RECORD_DELAY if live else min(now + RECORD_DELAY, last_end)
        rows, all_read = await records(reader.page, ended_from=created_from, ended_to=ended_to)
        return joined(live, rows), all_read, reader.clock_skew

    async def _live_call(self, provider_call_id: str) -> Mapping[str, Any] | None:
        answer = await ask(self._http, "GET", f"{self._path}/Calls{path_of(provider_call_id)}")
        if answer.status == GONE:
            return None
        call = decoded(require_success(answer))
        if not isinstance(call, Mapping) or sid_of(fields_of(call)) is None:
            raise ProviderUnavailableError("the call's answer is no call")
        return fields_of(call)

    async def _attempted_at(self, provider_call_id: str) -> datetime | None:
        record = await self._record(provider_call_id)
        return None if record is None else moment(record.get("attempted_at"))

    async def _record(self, provider_call_id: str) -> Mapping[str, Any] | None:
        """One call's record, whenever it was made. Raises `ProviderUnavailableError`."""
        page = await _Reader(self._http, self._path).page(
            {"page": "1", "count": "25", "days": "30", "filter": provider_call_id}
        )
        rows = page.get("data") if isinstance(page, Mapping) else None
        if not isinstance(rows, list):
            raise ProviderUnavailableError("the page of recent calls has no array")
        calls = [fields_of(row) for row in rows if isinstance(row, Mapping)]
        return next((call for call in calls if sid_of(call) == provider_call_id), None)

    # --- stopping ----------------------------------------------------------------------------------------------

    async def _stop(self, provider_call_id: str, *, while_in: tuple[Phase, ...]) -> bool | None:
        """True: stopped. False: it is in another phase, or over. None: it changed while we asked."""
        call = await self._live_call(provider_call_id)
        report = status_report(call) if call is not None else None
        if report is None or report.phase not in while_in:
            return False
        path = f"{self._path}/Calls{path_of(provider_call_id)}"
        answer = await ask(self._http, "PUT", path, body=HANG_UP[report.phase])
        if answer.status == NOT_IN_THIS_STATE:
            return None
        return False if answer.status == GONE else bool(require_success(answer))


class _Reader:
    """Asks for lists, and keeps the clock skew that the last answer showed."""

    def __init__(self, http: HttpClient, path: str) -> None:
        self._http = http
        self._path = path
        self.clock_skew: timedelta | None = None

    async def live(self) -> Any:
        return await self._read(f"{self._path}/Calls", None)

    async def page(self, query: Mapping[str, str]) -> Any:
        return await self._read(f"{self._path}/RecentCalls", query)

    async def _read(self, path: str, query: Mapping[str, str] | None) -> Any:
        answer: HttpAnswer = require_success(await ask(self._http, "GET", path, params=query, read=LIST_READ_TIMEOUT))
        self.clock_skew = skew_of(answer)
        return decoded(answer)


def _private_words(request: DialRequest) -> list[str]:
    return [word for word in (request.number, request.customer_name, request.external_id) if word]


def _jitter() -> timedelta:
    return random.random() * JITTER  # noqa: S311 - spreads load, guards nothing
