"""What providers tell us: authenticated, parsed, committed to the inbox, and only then answered with 200."""

import hmac
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, status
from starlette.concurrency import run_in_threadpool

from campaigns.providers.contract import Receipt, WebhookRejectedError
from campaigns.web.body import read_body
from campaigns.web.services import WebServices, services_of

log = logging.getLogger(__name__)

TOKEN_HEADER = "X-Ringfence-Token"  # noqa: S105  # the header's name
LARGEST_ID = 2**63 - 1
"""A campaign id is a Postgres bigint."""

router = APIRouter()
Services = Annotated[WebServices, Depends(services_of)]


@router.post("/webhooks/{provider}/{account}/{campaign_id}")
async def receive(
    provider: str, account: str, campaign_id: int, request: Request, services: Services
) -> dict[str, bool]:
    """Take in one webhook. 401: not proven to be for us; 413: too long; 400: not a webhook of this provider."""
    await _authenticate(request, services, provider=provider, account=account, campaign_id=campaign_id)
    body = await read_body(request)
    receipt = _parse(services, account=account, body=body)
    await services.intake.add(account, receipt)
    services.publisher.request_inbox()
    return {"received": True}


async def _authenticate(
    request: Request, services: WebServices, *, provider: str, account: str, campaign_id: int
) -> None:
    """Before the body is read, and the same answer whatever was wrong: a stranger learns nothing."""
    known = services.providers.get(account)
    expected = None
    if known is not None and known.kind == provider and 0 < campaign_id <= LARGEST_ID:
        expected = services.known_token(account, campaign_id)
        if expected is None:
            expected = await run_in_threadpool(services.find_token, account, campaign_id)
    given = request.headers.get(TOKEN_HEADER, "").encode()  # as bytes: comparing non-ASCII text raises
    if expected is None or not hmac.compare_digest(given, expected.encode()):
        log.warning("webhook_refused campaign_id=%s", campaign_id)
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "this webhook is not for us")


def _parse(services: WebServices, *, account: str, body: bytes) -> Receipt:
    try:
        return services.providers[account].provider.parse_webhook(body)
    except WebhookRejectedError as error:
        log.warning("webhook_unreadable account=%s cause=%s", account, error)
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from None
