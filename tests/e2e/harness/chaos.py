"""Faults that a system in use meets beside a clean death: frozen, cut off, repeated, doubled, gone for a while."""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from urllib.request import Request, urlopen

import psutil
from harness.faults import FREEZE_POINTS, Fault
from harness.orders import Order
from harness.stack import Stack
from harness.trial import Trial
from sqlalchemy import text

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.runtime.publisher import publisher_at
from campaigns.services.feed import QUEUED_LEASE
from campaigns.services.ports import CallRef
from campaigns.services.revoke import Revoke

FREEZE_TIMEOUT = timedelta(seconds=50)
OUTAGE = timedelta(seconds=10)
"""Long enough for every client to fail several times, short enough for the window of a trial."""
NUISANCE = timedelta(seconds=5)
"""How long what is repeated is repeated."""
NUISANCES_A_SECOND = 5
SLEEPS = {
    Fault.FROZEN_PAST_PERMIT: PERMIT_LIFETIME * 3,
    Fault.FROZEN_PAST_LEASE: QUEUED_LEASE + timedelta(seconds=3),
    Fault.FROZEN_PAST_REVOCATION: PERMIT_LIFETIME,
}
"""How long the worker is frozen, and what is over by then."""
FAULTY = {
    "faults": {
        "timeout_after_accept": 0.03, "reset_before_accept": 0.05, "reset_after_accept": 0.05,
        "error_before_accept": 0.05, "error_after_accept": 0.05, "missing_id": 0.05, "rate_limited": 0.05,
    },
    "webhooks": {"lost": 0.1, "duplicated": 0.3, "reordered": 0.3},
}  # fmt: skip
SOUND = {
    "faults": dict.fromkeys(FAULTY["faults"], 0.0),
    "webhooks": dict.fromkeys(FAULTY["webhooks"], 0.0),
}


class Wait(Protocol):
    """Waits and keeps an eye on all trials; asks our database, so not while that is away."""

    def __call__(self, seen: Callable[[], bool], *, what: str, timeout: timedelta) -> None: ...


def freeze(stack: Stack, trial: Trial, *, passage: int, wait: Wait) -> None:
    """Stop the dispatch worker in mid-step, let time pass, and let it go on as if nothing had been."""
    stack.orders.give(Order(FREEZE_POINTS[trial.fault], trial.campaign.id, passage, freeze=True))
    process = psutil.Process(_pid(stack))
    wait(lambda: process.status() == psutil.STATUS_STOPPED, what="the worker is frozen", timeout=FREEZE_TIMEOUT)
    trial.strike(stack)
    trial.last_words = stack.orders.last_words()
    stack.orders.take_back()
    if trial.fault is Fault.FROZEN_PAST_REVOCATION:
        _revoke(stack, trial.last_words)
    _let_pass(SLEEPS[trial.fault])
    os.kill(_pid(stack), signal.SIGCONT)


def strike(stack: Stack, trial: Trial, *, dice: random.Random, wait: Wait) -> None:
    """The fault itself, begun in the middle of dialing."""
    match trial.fault:
        case Fault.KILLED_AT_RANDOM:
            _let_pass(timedelta(seconds=dice.uniform(0, 0.5)))
            stack.dispatch.kill()
            trial.strike(stack)
            stack.start(stack.dispatch)
        case Fault.DEPLOYED:
            trial.strike(stack)
            old = stack.replace_dispatch()
            old.ask_to_stop()
            wait(lambda: not old.is_running, what="the old worker ends", timeout=timedelta(seconds=60))
            assert old.poll() == 0, old.tail_log()
        case Fault.NO_WORKER:
            stack.dispatch.stop()
            trial.strike(stack)
            _let_pass(OUTAGE)
            trial.backlog = publisher_at(stack.valkey.url).backlog()
            stack.start(stack.dispatch)
        case Fault.VALKEY_AWAY:
            stack.stop_valkey()
            trial.strike(stack)
            _let_pass(OUTAGE)
            stack.start_valkey()
        case Fault.POSTGRES_RESTARTED | Fault.POSTGRES_AWAY:
            trial.strike(stack)
            stack.postgres.stop()
            _let_pass(OUTAGE if trial.fault is Fault.POSTGRES_AWAY else timedelta(0))
            stack.start_postgres()
        case Fault.CONNECTIONS_CUT:
            trial.strike(stack)
            _again_and_again(lambda: _cut_connections(stack))
        case Fault.MESSAGES_REPEATED:
            trial.strike(stack)
            _again_and_again(lambda: _repeat_messages(stack, trial.campaign.id))
        case Fault.TWO_OF_EACH:
            trial.strike(stack)
            stack.start_another(stack.beat)
            stack.start_another(stack.control)
        case Fault.PROVIDER_FAULTY:
            _tell_simulator(stack, FAULTY)
            trial.strike(stack)
            _let_pass(OUTAGE)
            _tell_simulator(stack, SOUND)


def _pid(stack: Stack) -> int:
    assert stack.dispatch.pid is not None
    return stack.dispatch.pid


def _let_pass(duration: timedelta) -> None:
    """The fault lasts so long: here time itself is what is tried."""
    time.sleep(duration.total_seconds())


def _again_and_again(act: Callable[[], None]) -> None:
    for _ in range(round(NUISANCE.total_seconds() * NUISANCES_A_SECOND)):
        act()
        _let_pass(timedelta(seconds=1 / NUISANCES_A_SECOND))


def _revoke(stack: Stack, attempts: list[str]) -> None:
    with stack.database.begin() as connection:
        numbers = connection.execute(
            text("SELECT number FROM attempts WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": attempts}
        ).scalars()
        revoked = list(numbers)
    for number in revoked:
        Revoke(stack.database, operator="e2e", wait=lambda _: None).run(number)


def _cut_connections(stack: Stack) -> None:
    with stack.database.begin() as connection:
        connection.execute(
            text("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            """)
        )


def _repeat_messages(stack: Stack, campaign_id: int) -> None:
    """For every call under way: its message once more, and those of all epochs before it."""
    with stack.database.begin() as connection:
        calls = connection.execute(
            text("""
                SELECT id, epoch FROM calls WHERE campaign_id = :id AND state <> 'scheduled' ORDER BY id LIMIT 200
            """),
            {"id": campaign_id},
        ).all()
    refs = [CallRef(call.id, epoch) for call in calls for epoch in range(max(1, call.epoch - 1), call.epoch + 1)]
    publisher = publisher_at(stack.valkey.url)
    for start in range(0, len(refs), 50):
        publisher.dispatch(refs[start : start + 50], campaign_id=campaign_id)


def _tell_simulator(stack: Stack, config: object) -> None:
    request = Request(  # noqa: S310 - our own simulator on the loopback
        f"{stack.witness.url}/simulator/config", data=json.dumps(config).encode(), method="POST"
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert answer.status == 200
