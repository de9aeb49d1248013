"""Where campaigns stand, for programs; the same objects as `ringfence status --json`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, status

from campaigns.services.control import UnknownCampaignError
from campaigns.services.status import campaign_status, campaign_statuses
from campaigns.web.services import WebServices, services_of

router = APIRouter()
Services = Annotated[WebServices, Depends(services_of)]


@router.get("/api/campaigns")
def all_campaigns(services: Services) -> dict[str, Any]:
    """Every campaign."""
    return {"campaigns": [each.as_dict() for each in campaign_statuses(services.engine)]}


@router.get("/api/campaigns/{name}")
def one_campaign(name: str, services: Services) -> dict[str, Any]:
    """One campaign; 404 with the nearest names if there is none of that name."""
    try:
        return campaign_status(services.engine, name).as_dict()
    except UnknownCampaignError as error:
        raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from None
