"""SIGSTOP in mid-step: the process wakes later and goes on as if nothing had been."""

import os
import signal
from datetime import UTC, datetime, timedelta

import psutil
from harness.faults import KILL_POINTS, Fault
from harness.kills import order_for
from harness.scene import STRIKE_TIMEOUT, Scene, let_pass
from sqlalchemy import text

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.services.feed import QUEUED_LEASE
from campaigns.services.revoke import Revoke

AT = {
    Fault.FROZEN_PAST_PERMIT: Fault.AFTER_CLAIM,
    Fault.FROZEN_PAST_LEASE: Fault.BEFORE_CLAIM,
    Fault.FROZEN_PAST_REVOCATION: Fault.AFTER_CLAIM,
    Fault.FROZEN_PAST_WINDOW: Fault.AFTER_CLAIM,
    Fault.FEEDER_FROZEN: Fault.FEED_BEFORE_COMMIT,
}
"""Where each stops in the first round."""
AT_ANY_POINT = (Fault.FROZEN_PAST_PERMIT, Fault.FROZEN_PAST_LEASE)
"""What is tried at every point of the way in later rounds."""
MARGIN = timedelta(seconds=2)


def freeze(scene: Scene) -> None:
    """Stop it at its point, let pass what is to be over, and let it go on."""
    stack, trial = scene.stack, scene.trial
    trial.point = _point(scene)
    role = "worker-control" if trial.fault is Fault.FEEDER_FROZEN else "worker-dispatch"
    stack.orders.give(order_for(scene, trial.point, freeze=True))
    process = psutil.Process(_pid(scene, role))
    scene.wait(lambda: process.status() == psutil.STATUS_STOPPED, what=f"{role} is frozen", timeout=STRIKE_TIMEOUT)
    scene.strike()
    trial.last_words = stack.orders.last_words()
    stack.orders.take_back()
    if trial.fault is Fault.FROZEN_PAST_REVOCATION:
        _revoke(scene)
    let_pass(_how_long(scene))
    os.kill(_pid(scene, role), signal.SIGCONT)


def _point(scene: Scene) -> Fault:
    if scene.round_number and scene.trial.fault in AT_ANY_POINT:
        return scene.dice.choice(KILL_POINTS)
    return AT[scene.trial.fault]


def _pid(scene: Scene, role: str) -> int:
    pid = scene.stack.process(role).pid
    assert pid is not None
    return pid


def _how_long(scene: Scene) -> timedelta:
    """What is over by then."""
    match scene.trial.fault:
        case Fault.FROZEN_PAST_WINDOW:
            return max(MARGIN, scene.trial.campaign.latest_at - datetime.now(UTC) + MARGIN)
        case Fault.FROZEN_PAST_LEASE | Fault.FEEDER_FROZEN:
            return QUEUED_LEASE + MARGIN
        case Fault.FROZEN_PAST_PERMIT:
            return PERMIT_LIFETIME + MARGIN
        case _:
            return PERMIT_LIFETIME


def _revoke(scene: Scene) -> None:
    database = scene.stack.database
    with database.begin() as connection:
        numbers = list(
            connection.execute(
                text("SELECT number FROM attempts WHERE id = ANY(CAST(:ids AS uuid[]))"),
                {"ids": scene.trial.last_words},
            ).scalars()
        )
    for number in numbers:
        Revoke(database, operator="e2e", wait=lambda _: None).run(number)
