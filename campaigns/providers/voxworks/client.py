"""One Voxworks account: dial, fetch, cancel, move, and the webhooks of its automations.

There is no list of calls and no key of ours on a call. So a create of unknown fate can never be looked for: it waits
for a person, or for a webhook that brings our attempt id back (`attemptObject`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

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
    Phase,
    ProviderUnavailableError,
    Receipt,
    Sought,
    WebhookForgedError,
    WebhookRequest,
)
from campaigns.providers.fields import mapping
from campaigns.providers.http import Clock, ExchangeError, HttpAnswer, HttpClient, NoConnectionError, utc_now
from campaigns.providers.reading import ask, decoded, path_of, require_success
from campaigns.providers.voxworks.codes import end_of
from campaigns.providers.voxworks.errors import read_create
from campaigns.providers.voxworks.findings import Findings, Value
from campaigns.providers.voxworks.memory import Memory
from campaigns.providers.voxworks.reports import DETAILS_GRACE, report_of
from campaigns.providers.voxworks.requests import UnusableRequestError, create_body
from campaigns.providers.voxworks.webhook import parse_webhook

CREATE = "/api/v1/create-phone-call"
NO_LONGER_WAITING = 400
"""The answer to a cancel of a call that is not scheduled any more."""
TOO_LATE = frozenset({400, 404, 409})
"""Answers to a cancel or a move that say no: the call no longer waits, or is not there."""
NO_CALL = "00000000-0000-0000-0000-000000000000"
"""Asked after for the sake of the answer's `Date` alone."""


class VoxworksProvider:
    """Implements `contract.VoiceProvider` over an `HttpClient` whose headers carry the account's key."""

    capabilities = Capabilities(
        lists_calls=False, cancels_waiting=True, ends_live=False, signs_webhooks=False, webhook_headers=False
    )

    def __init__(
        self,
        http: HttpClient,
        *,
        webhook_fields: Mapping[str, str] | None = None,
        attempt_object: str | None = None,
        now: Clock = utc_now,
    ) -> None:
        """`webhook_fields`, `attempt_object`: as the account's settings say."""
        self._http = http
        self._webhook_fields = dict(webhook_fields or {})
        self._attempt_object = attempt_object
        self._now = now
        self._over = Memory()
        """Calls whose details are awaited."""
        self._under_way = Memory()
        """Calls that could no longer be cancelled: by then their phones rang. Their status may go on to say otherwise,
        for `scheduled` is the only one documented before the end."""

    async def dial(self, request: DialRequest) -> DialResult:
        """Send one create. Never repeats it; `NotDialed` only when that is certain."""
        try:
            body = create_body(request, attempt_object=self._attempt_object)
            answer = await self._http.request("POST", CREATE, body=body, permit=request.permit)
        except UnusableRequestError as error:
            return NotDialed(NotDialedKind.CONFIG_ERROR, str(error))
        except PermitLapsedError:
            return NotDialed(NotDialedKind.PERMIT_LAPSED, "the permit was over before the request could leave")
        except NoConnectionError as error:
            return NotDialed(NotDialedKind.NO_CONNECTION, str(error))
        except ExchangeError as error:
            return FateUnknown(str(error))
        return read_create(answer, private=_private_words(request))

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        """Nothing, and never complete: there is no such list. Asks for one call that does not exist, to compare clocks.
        Raises `ProviderUnavailableError`."""
        answer = await ask(self._http, "GET", _path("get-call", NO_CALL))
        return Listing([], complete=False, clock_skew=skew_of(answer))

    async def find(self, sought: Sequence[Sought], *, created_from: datetime, created_to: datetime) -> Listing:
        """Nothing, and never complete: Voxworks keeps no key of ours."""
        return Listing([], complete=False)

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        """One call; None: Voxworks does not know it. Raises `ProviderUnavailableError`."""
        answer = await ask(self._http, "GET", _path("get-call", provider_call_id))
        if answer.status == 404:
            return None
        call = Findings(_object(require_success(answer)))
        status = call.first_text(Value.STATUS)
        if status is None:
            raise ProviderUnavailableError("the call's answer has no status")
        report = report_of(provider_call_id, call, now=self._now())
        end = end_of(status)
        if end is not None and end.talked:
            report = await self._with_details(report)
        return self._as_noticed(report)

    async def cancel(self, provider_call_id: str) -> bool:
        """Take back a scheduled call; False: too late. Raises `ProviderUnavailableError`."""
        answer = await ask(self._http, "POST", _path("cancel-call", provider_call_id))
        if answer.status == NO_LONGER_WAITING:
            self._under_way.notice(provider_call_id, now=self._now())
        return _done(answer)

    async def end(self, provider_call_id: str) -> bool:
        """Cancel a scheduled call; False: it was over. A live one cannot be hung up here.
        Raises `ProviderUnavailableError`, for a live call too."""
        if await self.cancel(provider_call_id):
            return True
        report = await self.fetch(provider_call_id)
        if report is not None and report.phase.rank < Phase.ENDED.rank:
            raise ProviderUnavailableError("the call is live, and this provider hangs no call up for us")
        return False

    async def reschedule(self, provider_call_id: str, *, due_at: datetime) -> bool:
        """Move a scheduled call; False: too late. Raises `ProviderUnavailableError`.

        Nothing asks the gate about the new time: not for calls of a campaign.
        """
        stamp = due_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        body = f'{{"scheduled_time": "{stamp}"}}'.encode()
        return _done(await ask(self._http, "PATCH", _path("reschedule-call", provider_call_id), body=body))

    def verify_webhook(self, request: WebhookRequest, *, secret: str) -> None:
        """Raises `WebhookForgedError`, always: an automation signs nothing, its token is all there is."""
        raise WebhookForgedError("Voxworks signs no webhooks")

    def parse_webhook(self, body: bytes) -> Receipt:
        """Parse one body (already authenticated). Raises `WebhookRejectedError`."""
        return parse_webhook(body, paths=self._webhook_fields, now=self._now())

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    def _as_noticed(self, report: CallReport) -> CallReport:
        """Without waiting on for details that do not come, and never `QUEUED` once a cancel came too late."""
        call_id, now = report.provider_call_id, self._now()
        if report.phase is Phase.QUEUED and self._under_way.holds(call_id):
            return replace(report, phase=Phase.RINGING)
        if report.phase is Phase.ENDED and now - self._over.notice(call_id, now=now) >= DETAILS_GRACE:
            report = replace(report, phase=Phase.REPORTED)
        if report.phase is Phase.REPORTED:
            self._over.forget(call_id)
            self._under_way.forget(call_id)
        return report

    async def _with_details(self, report: CallReport) -> CallReport:
        """The same with summary, transcript and answers, as far as they are there by now."""
        try:
            answer = await ask(self._http, "GET", _path("get-call-result", report.provider_call_id))
            if not 200 <= answer.status < 300:
                return report
            details = report_of(report.provider_call_id, Findings(_object(answer)), now=self._now())
        except ProviderUnavailableError:
            return report  # that the call is over frees its slot; the details are asked for again
        told = not details.artifacts.is_empty or not details.conversation.is_empty
        return replace(
            report,
            phase=Phase.REPORTED if told else report.phase,
            duration=report.duration or details.duration,
            attempt_id=report.attempt_id or details.attempt_id,
            conversation=details.conversation,
            artifacts=details.artifacts,
        )


def _path(*parts: str) -> str:
    return "/api/v1" + path_of(*parts)


def _object(answer: HttpAnswer) -> Mapping[str, object]:
    found = mapping(decoded(answer))
    if not found:
        raise ProviderUnavailableError("the call's answer is no object")
    return found


def _done(answer: HttpAnswer) -> bool:
    if answer.status in TOO_LATE:
        return False
    return mapping(decoded(require_success(answer))).get("success") is not False


def _private_words(request: DialRequest) -> list[str]:
    return [word for word in (request.number, request.line, *(request.customer_name or "").split()) if word]
