"""`kill -9`: at the points of the way of a call, at the points of the other processes, and at random."""

from datetime import timedelta

from harness.faults import KILL_POINTS, Fault
from harness.orders import Order
from harness.scene import STRIKE_TIMEOUT, Scene, let_pass

PASSAGES = {
    Fault.BEFORE_CLAIM: (1, 3),
    Fault.AFTER_CLAIM: (1, 3),
    Fault.DURING_POST: (5, 60),
    Fault.AFTER_ACCEPT: (5, 60),
    Fault.DURING_RECORD: (2, 15),
    Fault.FEED_BEFORE_COMMIT: (1, 3),
    Fault.FEED_AFTER_COMMIT: (1, 3),
    Fault.LOOK_BEFORE_COMMIT: (1, 15),
    Fault.LIST_BEFORE_END: (1, 1),
    Fault.BEAT_BEFORE_TICK: (1, 30),
    Fault.BEAT_AFTER_TICK: (1, 30),
    Fault.WEB_BEFORE_COMMIT: (1, 15),
    Fault.WEB_AFTER_COMMIT: (1, 15),
}
"""Which passage of each point is the last: claims go by groups, dials one by one, records by flushes."""
VICTIMS = dict.fromkeys(KILL_POINTS, "worker-dispatch") | {
    Fault.FEED_BEFORE_COMMIT: "worker-control",
    Fault.FEED_AFTER_COMMIT: "worker-control",
    Fault.LOOK_BEFORE_COMMIT: "worker-control",
    Fault.LIST_BEFORE_END: "worker-control",
    Fault.BEAT_BEFORE_TICK: "beat",
    Fault.BEAT_AFTER_TICK: "beat",
    Fault.WEB_BEFORE_COMMIT: "web",
    Fault.WEB_AFTER_COMMIT: "web",
}
"""Who dies there."""
FAILED_WEBHOOKS = 5
"""So many deliveries have to fail before the web process comes back."""
ANY_MOMENT = timedelta(seconds=0.5)
"""Within so long after the first dials."""


def kill_at_point(scene: Scene) -> None:
    """Have the process die at one of its points, and start it again."""
    stack, fault = scene.stack, scene.trial.fault
    victim = stack.process(VICTIMS[fault])
    stack.orders.give(order_for(scene, fault))
    scene.wait(lambda: not victim.is_running, what=f"{victim.name} dies {fault}", timeout=STRIKE_TIMEOUT)
    scene.strike()
    assert victim.poll() == -9, victim.tail_log()
    scene.trial.last_words = stack.orders.last_words()
    stack.orders.take_back()
    stack.start(victim)


def order_for(scene: Scene, point: Fault, *, freeze: bool = False) -> Order:
    """An order for this trial; only those who work for one campaign at a time can tell whose the passage is."""
    knows = point in (*KILL_POINTS, Fault.FEED_BEFORE_COMMIT, Fault.FEED_AFTER_COMMIT)
    passage = scene.dice.randint(*PASSAGES[point])
    return Order(point, passage, campaign_id=scene.trial.campaign.id if knows else None, freeze=freeze)


def kill_dispatch_at_random(scene: Scene) -> None:
    """At any instant."""
    let_pass(ANY_MOMENT * scene.dice.random())
    scene.stack.dispatch.kill()
    scene.strike()
    scene.stack.start(scene.stack.dispatch)


def kill_control_at_random(scene: Scene) -> None:
    """The same for the control worker."""
    let_pass(ANY_MOMENT * scene.dice.random())
    scene.stack.control.kill()
    scene.strike()
    scene.stack.start(scene.stack.control)


def kill_web(scene: Scene) -> None:
    """Until some webhooks have failed."""
    stack = scene.stack
    stack.web.kill()
    scene.strike()
    failed = stack.witness.stats()["webhooks"].get("failed", 0)
    scene.wait(
        lambda: stack.witness.stats()["webhooks"].get("failed", 0) >= failed + FAILED_WEBHOOKS,
        what="webhooks fail while the web process is dead",
        timeout=STRIKE_TIMEOUT,
    )
    stack.start(stack.web)


def deploy(scene: Scene) -> None:
    """The new worker is there before the old one is asked to end."""
    scene.strike()
    old = scene.stack.replace_dispatch()
    old.ask_to_stop()
    scene.wait(lambda: not old.is_running, what="the old worker ends", timeout=timedelta(seconds=60))
    assert old.poll() == 0, old.tail_log()
