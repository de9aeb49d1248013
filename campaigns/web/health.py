"""Liveness and readiness, for whoever restarts us and whoever sends us traffic."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response, status
from sqlalchemy.exc import OperationalError

from campaigns.store.migrate import is_current
from campaigns.web.services import WebServices, services_of

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers. Says nothing of Postgres: restarting us would not mend it."""
    return {"status": "alive"}


@router.get("/ready")
def ready(response: Response, services: Annotated[WebServices, Depends(services_of)]) -> dict[str, Any]:
    """200 if webhooks can be taken in: Postgres answers and has our schema; else 503 and why."""
    problem = _problem(services)
    if problem:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return {"ready": problem is None, "problem": problem}


def _problem(services: WebServices) -> str | None:
    try:
        with services.engine.connect() as connection:
            return None if is_current(connection) else "the schema is another version's: run `ringfence migrate`"
    except OperationalError:
        return "Postgres does not answer"
