"""What a webhook must prove before it is believed.

    …/{account}/{campaign}            the campaign's token in the header; with `both`, the account's signature too
    …/{account}/{campaign}/{token}    the same, with the token in the address
    …/{account}                       the account's signature, or, of a provider that signs nothing, the account's
                                      secret itself in the token's header

`both` is what holds when the account has a webhook secret and its provider signs, unless the settings say
`webhookAuth = "token"`. Everything that can be refused without the body is refused before it is read, and the answer is
the same whatever was wrong: a stranger learns nothing.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import HTTPException, status
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from campaigns.providers.contract import WebhookForgedError, WebhookRequest
from campaigns.providers.signatures import same
from campaigns.services.webhook_target import TOKEN_HEADER
from campaigns.web.services import KnownProvider, WebServices

log = logging.getLogger(__name__)

Headers = Mapping[str, str]
"""Names in lower case."""

PREFIX = "/webhooks/"
LARGEST_ID = 2**63 - 1
"""A campaign id is a Postgres bigint."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook's address. `campaign` None: the account's own; `token` None: it comes in the header."""

    provider: str
    account: str
    campaign: str | None = None
    token: str | None = None

    @property
    def campaign_id(self) -> int | None:
        """The campaign as a number; None for what can be none."""
        text = self.campaign or ""
        if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_ID)):
            return None
        return number if 0 < (number := int(text)) <= LARGEST_ID else None


def hook_at(path: str) -> Hook | None:
    """The webhook's address that `path` is, if it is one; proves nothing yet."""
    if not path.startswith(PREFIX):
        return None
    parts = path.removeprefix(PREFIX).split("/")
    return Hook(*parts) if 2 <= len(parts) <= 4 and all(parts) else None


async def admit(headers: Headers, services: WebServices, hook: Hook) -> KnownProvider:
    """The provider that this address belongs to, if the sender knows what goes with it. Raises `HTTPException`, 401."""
    known = services.providers.get(hook.account)
    if known is None or known.kind != hook.provider:
        raise refusal(services, hook, cause="no such account")
    expected = await _expected(services, known, hook)
    given = headers.get(TOKEN_HEADER.lower(), "") if hook.token is None else hook.token
    if expected is None:
        raise refusal(services, hook, cause="no such campaign" if hook.campaign else "the account has no secret")
    if not _signed_alone(known, hook) and not same(given, expected):
        raise refusal(services, hook, cause="token")
    return known


def signs(known: KnownProvider, hook: Hook) -> bool:
    """Whether this address asks for a signature."""
    return _signed_alone(known, hook) or (hook.campaign is not None and known.signed_campaigns)


def require_signature(
    headers: Headers, services: WebServices, hook: Hook, *, known: KnownProvider, body: bytes
) -> None:
    """Look at the very bytes. Raises `HTTPException`, 401."""
    told = WebhookRequest(body, headers, datetime.now(UTC))
    try:
        known.provider.verify_webhook(told, secret=known.secret or "")
    except WebhookForgedError as error:
        raise refusal(services, hook, cause=str(error)) from None


def headers_of(scope: Scope) -> dict[str, str]:
    """A request's headers; one that came several times is one, joined as HTTP joins them. A byte is a character."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def refusal(services: WebServices, hook: Hook, *, cause: str) -> HTTPException:
    """The one answer to whoever proves nothing; why is for our own eyes."""
    account = hook.account if hook.account in services.providers else "unknown"
    services.counts.webhook(account, "refused")
    log.warning("webhook_refused account=%s campaign_id=%s cause=%s", account, hook.campaign_id, cause)
    return HTTPException(status.HTTP_401_UNAUTHORIZED, "this webhook is not for us")


def _signed_alone(known: KnownProvider, hook: Hook) -> bool:
    """The account's own address of a provider that signs: nothing but the signature, so nothing before the body."""
    return hook.campaign is None and known.provider.capabilities.signs_webhooks


async def _expected(services: WebServices, known: KnownProvider, hook: Hook) -> str | None:
    if hook.campaign is None:
        return known.secret
    campaign_id = hook.campaign_id
    if campaign_id is None:
        return None
    return services.known_token(hook.account, campaign_id) or await run_in_threadpool(
        services.find_token, hook.account, campaign_id
    )
