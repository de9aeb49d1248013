"""Where a provider reports what becomes of a campaign's calls, and what proves that the report is for us.

/webhooks/{provider}/{account}/{campaign}            the token comes in a header
/webhooks/{provider}/{account}/{campaign}/{token}    for providers whose webhooks carry no headers of ours
/webhooks/{provider}/{account}                       for a hook set up in a provider's portal: the account's secret
"""

from dataclasses import dataclass

from sqlalchemy import Engine

from campaigns.providers.contract import WebhookTarget
from campaigns.services.control import UnknownCampaignError
from campaigns.store.campaigns import campaign_names, find_campaign
from campaigns.store.claims import CampaignFacts, campaign_facts

TOKEN_HEADER = "X-Ringfence-Token"  # noqa: S105  # the header's name


@dataclass(frozen=True, slots=True)
class WebhookAddresses:
    """Every way in which reports on a campaign's calls may reach us."""

    by_header: WebhookTarget
    by_url: WebhookTarget
    account_url: str
    """For the whole account: without any token, proven by the account's webhook secret."""


def target_of(campaign: CampaignFacts, *, public_url: str, token_in_url: bool = False) -> WebhookTarget:
    """For one campaign; `public_url` is where the web process can be reached from outside."""
    url = f"{_account_url(campaign, public_url)}/{campaign.campaign_id}"
    if token_in_url:
        return WebhookTarget(f"{url}/{campaign.webhook_token}", {})
    return WebhookTarget(url, {TOKEN_HEADER: campaign.webhook_token})


def find_addresses(engine: Engine, name: str, *, public_url: str) -> WebhookAddresses:
    """The same by the campaign's name, in every form. Raises `UnknownCampaignError`."""
    with engine.begin() as connection:
        stored = find_campaign(connection, name)
        facts = campaign_facts(connection, stored.id) if stored else None
        if facts is None:
            raise UnknownCampaignError(name, known=campaign_names(connection))
    return WebhookAddresses(
        by_header=target_of(facts, public_url=public_url),
        by_url=target_of(facts, public_url=public_url, token_in_url=True),
        account_url=_account_url(facts, public_url),
    )


def _account_url(campaign: CampaignFacts, public_url: str) -> str:
    return f"{public_url.rstrip('/')}/webhooks/{campaign.provider}/{campaign.account}"
