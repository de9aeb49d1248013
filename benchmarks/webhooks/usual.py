"""The control: webhooks taken in the usual way. A FastAPI route, a session by dependency, a model, a commit a webhook.

    python -m benchmarks.webhooks.intake --app benchmarks.webhooks.usual:create_app

It looks at token and signature and deduplicates as ours does, and keeps the whole message as JSON. It runs on the same
server with the same HTTP parser.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from starlette.concurrency import run_in_threadpool

from benchmarks.webhooks.bodies import SECRET, TOKEN

POOL_SIZE = 12


class Base(DeclarativeBase):
    """Tables that are there already."""


class Event(Base):
    """A row of our inbox; `stored` keeps the product's own processing away from it."""

    __tablename__ = "inbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    dedupe_key: Mapped[str]
    event_type: Mapped[str]
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]


class Message(BaseModel):
    """What is used of a message; the rest is kept."""

    model_config = {"extra": "allow"}
    type: str
    call: dict[str, Any]


class Body(BaseModel):
    """A webhook's body."""

    message: Message


def create_app() -> FastAPI:
    """The application, on the database of the environment."""
    url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://", 1)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=POOL_SIZE)
    sessions = sessionmaker(engine)
    app = FastAPI()

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.post("/webhooks/vapi/{account}/{campaign}")
    async def receive(
        account: str,
        campaign: int,
        body: Body,
        request: Request,
        database: Annotated[Session, Depends(session)],
        x_ringfence_token: Annotated[str, Header()],
        x_timestamp: Annotated[str, Header()],
        x_signature: Annotated[str, Header()],
    ) -> dict[str, bool]:
        if not hmac.compare_digest(x_ringfence_token, TOKEN):
            raise HTTPException(401)
        signed = f"{x_timestamp}.".encode() + await request.body()
        if not hmac.compare_digest(x_signature, hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()):
            raise HTTPException(401)
        await run_in_threadpool(_store, database, account, body.message)
        return {"received": True}

    return app


def _store(database: Session, account: str, message: Message) -> None:
    key = f"{message.type}:{message.call['id']}"
    if database.scalar(select(Event.id).where(Event.account == account, Event.dedupe_key == key)) is None:
        event = Event(
            account=account, dedupe_key=key, event_type=message.type, report=message.model_dump(), state="stored"
        )
        database.add(event)
        database.commit()
