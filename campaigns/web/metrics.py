"""`/metrics`: what came in by webhook, for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from campaigns.web.services import WebServices, services_of

router = APIRouter()


@router.get("/metrics")
def metrics(services: Annotated[WebServices, Depends(services_of)]) -> Response:
    """In Prometheus's text format."""
    return Response(generate_latest(services.counts.registry), media_type=CONTENT_TYPE_LATEST)
