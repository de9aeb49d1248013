"""Where a provider reports what becomes of a campaign's calls, and the header that proves the report is for us."""

from sqlalchemy import Engine

from campaigns.providers.contract import WebhookTarget
from campaigns.services.control import UnknownCampaignError
from campaigns.store.campaigns import campaign_names, find_campaign
from campaigns.store.claims import CampaignFacts, campaign_facts

TOKEN_HEADER = "X-Ringfence-Token"  # noqa: S105  # the header's name


def target_of(campaign: CampaignFacts, *, public_url: str) -> WebhookTarget:
    """For one campaign; `public_url` is where the web process can be reached from outside."""
    path = f"/webhooks/{campaign.provider}/{campaign.account}/{campaign.campaign_id}"
    return WebhookTarget(public_url.rstrip("/") + path, {TOKEN_HEADER: campaign.webhook_token})


def find_target(engine: Engine, name: str, *, public_url: str) -> WebhookTarget:
    """The same by the campaign's name. Raises `UnknownCampaignError`."""
    with engine.begin() as connection:
        stored = find_campaign(connection, name)
        facts = campaign_facts(connection, stored.id) if stored else None
        if facts is None:
            raise UnknownCampaignError(name, known=campaign_names(connection))
        return target_of(facts, public_url=public_url)
