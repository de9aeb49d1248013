"""What providers tell us: proven, parsed, committed to the inbox, and only then answered with 200.

`webhook_proof.py` says what each address asks for. All of this is plain ASGI: see `front.py`.
"""

import json
import logging
from collections.abc import Mapping
from typing import Final

from fastapi import HTTPException, status
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from campaigns.providers.contract import Receipt, WebhookRejectedError
from campaigns.web.body import read_body
from campaigns.web.intake_groups import IntakeFullError
from campaigns.web.large_bodies import LARGE_BODY_BYTES, ReaderLostError
from campaigns.web.services import KnownProvider, WebServices
from campaigns.web.webhook_proof import Headers, Hook, admit, headers_of, require_signature, signs

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
_RECEIVED: Final = b'{"received":true}'
_NO_HEADERS: Final[Mapping[str, str]] = {}


async def answer(scope: Scope, receive: Receive, send: Send, *, services: WebServices, hook: Hook) -> None:
    """Take in one webhook, and say what became of it. 401: not proven to be for us; 408, 413: the body; 400: not a
    webhook of this provider; 503: it could not be stored, send it again."""
    try:
        await _receive(headers_of(scope), receive, services, hook)
    except HTTPException as error:
        body = json.dumps({"detail": error.detail}).encode()
        await _say(send, error.status_code, body, headers=error.headers or {})
    else:
        await _say(send, status.HTTP_200_OK, _RECEIVED)


async def _say(send: Send, code: int, body: bytes, *, headers: Mapping[str, str] = _NO_HEADERS) -> None:
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    told += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": told})
    await send({"type": "http.response.body", "body": body})


class _Routed:
    """ASGI, behind a route: its `path_params` are a `Hook`'s fields."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope, receive, send, services=scope["app"].state.services, hook=Hook(**scope["path_params"]))


ROUTES: Final = [
    Route(path, _Routed(), methods=["POST"])
    for path in (
        "/webhooks/{provider}/{account}",  # set up in the provider's portal, for all campaigns of the account
        "/webhooks/{provider}/{account}/{campaign}",  # of one campaign, its token in the header
        "/webhooks/{provider}/{account}/{campaign}/{token}",  # of one campaign, its token in the address
    )
]


async def _receive(headers: Headers, receive: Receive, services: WebServices, hook: Hook) -> None:
    """Returns once the webhook is committed; raises `HTTPException` otherwise."""
    try:
        receipt = await _receipt(headers, receive, services, hook)
        await services.intake.add(hook.account, receipt)
    except DataError:
        log.warning("webhook_unstorable account=%s", hook.account)
        services.counts.webhook(hook.account, "unreadable")
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "this webhook cannot be stored") from None
    except (SQLAlchemyError, IntakeFullError, ReaderLostError) as error:
        raise _unavailable(services, hook, error) from None
    services.counts.event(hook.account, receipt.event_type, acted_on=receipt.report is not None)
    services.publisher.request_inbox()


async def _receipt(headers: Headers, receive: Receive, services: WebServices, hook: Hook) -> Receipt:
    """What the body says, once it is proven. The body itself is let go: thousands of receipts may wait for Postgres."""
    known = await admit(headers, services, hook)
    proven = hook.campaign is not None or not known.provider.capabilities.signs_webhooks
    with services.unproven_bytes.guarded(proven) as reading:
        body = await read_body(receive, headers, budget=reading)
        await _require_signature(headers, services, hook, known=known, body=body)
    return await _parsed(services, known, hook, body=body)


async def _require_signature(
    headers: Headers, services: WebServices, hook: Hook, *, known: KnownProvider, body: bytes
) -> None:
    if not signs(known, hook):
        return
    if len(body) < LARGE_BODY_BYTES:
        require_signature(headers, services, hook, known=known, body=body)
    else:  # hashing lets other threads go on meanwhile
        await run_in_threadpool(require_signature, headers, services, hook, known=known, body=body)


async def _parsed(services: WebServices, known: KnownProvider, hook: Hook, *, body: bytes) -> Receipt:
    try:
        if len(body) < LARGE_BODY_BYTES:
            return known.provider.parse_webhook(body)
        return await services.large_bodies.parse(hook.account, body)
    except WebhookRejectedError as error:
        log.warning("webhook_unreadable account=%s cause=%s", hook.account, error)
        services.counts.webhook(hook.account, "unreadable")
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from None


def _unavailable(services: WebServices, hook: Hook, error: Exception) -> HTTPException:
    """Providers send again what was not answered with 2xx, and the poll finds what they do not."""
    account = hook.account if hook.account in services.providers else "unknown"
    log.warning("webhook_not_stored account=%s cause=%s", account, type(error).__name__)
    services.counts.webhook(account, "unavailable")
    return HTTPException(
        status.HTTP_503_SERVICE_UNAVAILABLE,
        "not stored; send it again",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
