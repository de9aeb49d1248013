"""The control: the same work as plain Celery does it, the usual way.

A message per customer, prefork, `acks_late`, the worker's own `rate_limit` left out in its favour; an ORM transaction
that looks at the row, the do-not-call table and the local hour and marks the call; a POST with a sync client that each
worker process keeps; an ORM transaction with the answer. No gate, no decision on record, no chain, no permit, no
reconciliation: what it leaves out makes it faster.
"""

import os
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import phonenumbers
from celery import Celery
from phonenumbers import timezone as number_zones
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

OPENS, CLOSES = 0, 24
"""The hour is looked at and always fits, so that the benchmark may run at any time of day."""


class Base(DeclarativeBase):
    """The control's own two tables and its list."""


class Customer(Base):
    """A person and how the call to them stands."""

    __tablename__ = "control_customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)


class Blocked(Base):
    """The do-not-call list."""

    __tablename__ = "control_blocked"

    number: Mapped[str] = mapped_column(primary_key=True)


class Attempt(Base):
    """What became of one dial."""

    __tablename__ = "control_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(index=True)
    provider_call_id: Mapped[str | None]
    status: Mapped[str]
    created_at: Mapped[datetime]


app = Celery("control", broker=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=True)

_process: dict[str, Any] = {}


def _engine() -> Any:
    """One a process, made after the fork."""
    if "engine" not in _process:
        _process["engine"] = create_engine(os.environ["DATABASE_URL"])
        _process["http"] = httpx.Client(base_url=os.environ["CONTROL_PROVIDER"], timeout=30)
    return _process["engine"]


@app.task(name="control.dial")
def dial(customer_id: int) -> None:
    """One customer's call."""
    engine = _engine()
    with Session(engine) as session, session.begin():
        customer = session.get_one(Customer, customer_id)
        blocked = session.get(Blocked, customer.number) is not None
        if customer.status != "pending" or blocked or not _may_ring(customer.number):
            return
        customer.status = "dialing"
        number, name = customer.number, customer.name
    answer = _process["http"].post(
        "/call",
        headers={"Authorization": "Bearer simulator"},
        json={
            "assistantId": "00000000-0000-4000-8000-000000000001",
            "phoneNumberId": "line-1",
            "customer": {"number": number, "name": name},
            "assistantOverrides": {"variableValues": {"customer": name, "plan": "Basic"}},
        },
    )
    with Session(engine) as session, session.begin():
        customer = session.get_one(Customer, customer_id)
        customer.status = "in_progress" if answer.status_code == 201 else "failed"
        session.add(
            Attempt(
                customer_id=customer_id,
                provider_call_id=answer.json().get("id"),
                status=customer.status,
                created_at=datetime.now(UTC),
            )
        )


def _may_ring(number: str) -> bool:
    """The usual shortcut: the hour in the first zone that the library names."""
    zone = number_zones.time_zones_for_number(phonenumbers.parse(number))[0]
    return OPENS <= datetime.now(ZoneInfo(zone)).hour < CLOSES
