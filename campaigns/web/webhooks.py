"""What providers tell us: proven, parsed, committed to the inbox, and only then answered with 200.

`webhook_proof.py` says what each address asks for.
"""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, status
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from campaigns.providers.contract import Receipt, WebhookRejectedError
from campaigns.web.body import read_body
from campaigns.web.intake_groups import IntakeFullError
from campaigns.web.services import KnownProvider, WebServices, services_of
from campaigns.web.webhook_proof import Hook, admit, require_signature

log = logging.getLogger(__name__)

LARGE_BODY_BYTES = 256 * 1024
"""From here on reading the JSON takes milliseconds: done beside the loop and one at a time, so that the many small
webhooks are answered in between."""
RETRY_AFTER_SECONDS = 5

router = APIRouter()
Services = Annotated[WebServices, Depends(services_of)]
Answer = dict[str, bool]


@router.post("/webhooks/{provider}/{account}")
async def for_account(provider: str, account: str, request: Request, services: Services) -> Answer:
    """A hook that was set up in the provider's portal, for all campaigns of the account."""
    return await _receive(request, services, Hook(provider, account))


@router.post("/webhooks/{provider}/{account}/{campaign}")
async def with_header(provider: str, account: str, campaign: str, request: Request, services: Services) -> Answer:
    """A hook of one campaign, its token in the header."""
    return await _receive(request, services, Hook(provider, account, campaign))


@router.post("/webhooks/{provider}/{account}/{campaign}/{token}")
async def with_token(
    provider: str, account: str, campaign: str, token: str, request: Request, services: Services
) -> Answer:
    """A hook of one campaign, its token in the address."""
    return await _receive(request, services, Hook(provider, account, campaign, token))


async def _receive(request: Request, services: WebServices, hook: Hook) -> Answer:
    """Take in one webhook. 401: not proven to be for us; 408, 413: the body; 400: not a webhook of this provider;
    503: it could not be stored, send it again."""
    try:
        known = await admit(request, services, hook)
        proven = hook.campaign is not None or not known.provider.capabilities.signs_webhooks
        with services.unproven_bytes.guarded(proven) as reading:
            body = await read_body(request, budget=reading)
        require_signature(request, services, hook, known=known, body=body)
        receipt = await _parsed(services, known, hook, body=body)
        await services.intake.add(hook.account, receipt)
    except DataError:
        log.warning("webhook_unstorable account=%s", hook.account)
        services.counts.webhook(hook.account, "unreadable")
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "this webhook cannot be stored") from None
    except (SQLAlchemyError, IntakeFullError) as error:
        raise _unavailable(services, hook, error) from None
    services.counts.event(hook.account, receipt.event_type, acted_on=receipt.report is not None)
    services.publisher.request_inbox()
    return {"received": True}


async def _parsed(services: WebServices, known: KnownProvider, hook: Hook, *, body: bytes) -> Receipt:
    try:
        if len(body) < LARGE_BODY_BYTES:
            return known.provider.parse_webhook(body)
        async with services.one_large_body:
            return await run_in_threadpool(known.provider.parse_webhook, body)
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
