"""The provider misbehaves: the simulator's switches, for some seconds."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

from harness.outages import OUTAGE
from harness.scene import Scene, let_pass

CREATE_FAULTS = (
    "timeout_after_accept",
    "late_answer",
    "reset_before_accept",
    "reset_after_accept",
    "error_before_accept",
    "error_after_accept",
    "rate_limited",
    "missing_id",
    "stuck",
)
MOST = 0.3
"""Share of the creates that meet one fault, and most of the webhooks that meet each of theirs."""
LEAST = 0.01
BESIDE = 0.04
"""Most of the creates that meet each of the other faults, while one has its turn."""
ENDLESS = 0.1
LATEST = 4.0
"""Seconds by which a webhook may be late: later ones are overtaken by it, and by a look at the provider."""
STATUSES = ("queued", "ringing", "in-progress")
SOUND = {
    "faults": dict.fromkeys(CREATE_FAULTS, 0.0) | {"stuck_at": "queued"},
    "webhooks": {"lost": 0.0, "duplicated": 0.0, "reordered": 0.0, "delay": [0.0, 0.0]},
}


def fail_creates(scene: Scene) -> None:
    """Each fault of the simulator, one of them often: another one in each round."""
    shares = {name: scene.dice.uniform(LEAST, BESIDE) for name in CREATE_FAULTS}
    shares[CREATE_FAULTS[(scene.round_number + scene.dice.randrange(2)) % len(CREATE_FAULTS)]] = MOST
    _have(scene, {"faults": shares})


def fail_webhooks(scene: Scene) -> None:
    """Lost, doubled, overtaken, late."""
    shares = {name: scene.dice.uniform(LEAST, MOST) for name in ("lost", "duplicated", "reordered")}
    _have(scene, {"webhooks": shares | {"delay": [0.0, LATEST]}})


def never_end(scene: Scene) -> None:
    """Accepted, answered 201, and then for ever in one status."""
    _have(scene, {"faults": {"stuck": ENDLESS, "stuck_at": scene.dice.choice(STATUSES)}})


def _have(scene: Scene, switches: Mapping[str, Any]) -> None:
    _tell_simulator(scene, switches)
    scene.strike()
    let_pass(OUTAGE)
    _tell_simulator(scene, SOUND)


def _tell_simulator(scene: Scene, switches: Mapping[str, Any]) -> None:
    request = Request(  # noqa: S310 - our own simulator on the loopback
        f"{scene.stack.witness.url}/simulator/config", data=json.dumps(switches).encode(), method="POST"
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert answer.status == 200
