"""What the routes work with, built once per process by the application's lifespan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fastapi import Request
from sqlalchemy import Engine

from campaigns.providers.contract import VoiceProvider
from campaigns.store.webhook_tokens import webhook_token
from campaigns.web.body import MOST_UNPROVEN_BYTES, ByteBudget
from campaigns.web.intake_groups import IntakeGroups
from campaigns.web.large_bodies import LargeBodies
from campaigns.web.webhook_counts import WebhookCounts


class InboxNudge(Protocol):
    """Asks a worker to look into the inbox soon; never raises."""

    def request_inbox(self) -> None: ...


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """An account's provider, for webhooks only: this process dials nobody."""

    kind: str
    provider: VoiceProvider
    secret: str | None = field(default=None, repr=False)
    """By which the account's webhooks are proven; None: only the tokens of its campaigns prove any."""
    signed_campaigns: bool = False
    """A campaign's webhooks must be signed besides."""


@dataclass(frozen=True, slots=True)
class WebServices:
    """The web process's parts."""

    engine: Engine
    intake_engine: Engine
    """Apart: who asks the API, or brings unknown tokens, keeps no webhook waiting for a connection."""
    providers: Mapping[str, KnownProvider]
    intake: IntakeGroups
    large_bodies: LargeBodies
    publisher: InboxNudge
    counts: WebhookCounts = field(default_factory=WebhookCounts)
    unproven_bytes: ByteBudget = field(default_factory=lambda: ByteBudget(MOST_UNPROVEN_BYTES))
    _tokens: dict[tuple[str, int], str] = field(default_factory=dict)
    """Tokens never change, and every webhook asks; unknown campaigns are not kept, so strangers cannot fill it."""

    def known_token(self, account: str, campaign_id: int) -> str | None:
        """The token by which webhooks of this campaign prove themselves, if it was needed before."""
        return self._tokens.get((account, campaign_id))

    def find_token(self, account: str, campaign_id: int) -> str | None:
        """The same from the database; None if there is no such campaign. Blocking."""
        with self.engine.connect() as connection:
            found = webhook_token(connection, campaign_id=campaign_id, account=account)
        if found is not None:
            self._tokens[account, campaign_id] = found
        return found


async def services_of(request: Request) -> WebServices:
    """FastAPI dependency: this process's services. A coroutine, for FastAPI runs plain functions in a thread each."""
    services: WebServices = request.app.state.services
    return services
