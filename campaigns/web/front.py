"""The application: FastAPI, with webhooks answered before its middleware and routing are gone through."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from campaigns.web.webhook_proof import hook_at
from campaigns.web.webhooks import ROUTES, answer


class Front(FastAPI):
    """Of a webhook's way through FastAPI every step costs as much as the webhook's own work, and nothing else comes in
    by the thousand. What only resembles a webhook (another method, a slash too many, a prefix) goes the usual way."""

    def __init__(self, *, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> None:
        """`lifespan` sets `state.services`."""
        super().__init__(title="Ringfence", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
        self.router.routes += ROUTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and (hook := hook_at(scope["path"])) is not None:
            await answer(scope, receive, send, services=self.state.services, hook=hook)
        else:
            await super().__call__(scope, receive, send)
