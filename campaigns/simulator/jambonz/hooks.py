"""The URLs that a call reports to, and how often jambonz tries again."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qs, urldefrag

from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.jambonz.signing import signature_of
from campaigns.simulator.webhooks import Target

TIMEOUT_SECONDS = 10.0
MOST_RETRIES = 5
FIRST_RETRY_SECONDS = 0.5
"""Then doubled."""

_FAILURES: Mapping[str, frozenset[int | None]] = {
    "ct": frozenset({None}),
    "rt": frozenset({None}),
    "4xx": frozenset(range(400, 500)),
    "5xx": frozenset(range(500, 600)),
    "all": frozenset({None, *range(300, 600)}),
}
"""`rp` in a hook's fragment → the statuses after which it is tried again; None: no connection, or no answer in time."""


def hook_url(hook: object) -> str | None:
    """A hook is a URL or `{"url": …}`. None: it is none, or a relative one, which only an application could resolve."""
    url = hook.get("url") if isinstance(hook, Mapping) else hook
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else None


def target_of(hook: str, *, config: SimulatorConfig) -> Target:
    """`#rc=3&rp=5xx,ct` asks for retries; without it there are none."""
    url, fragment = urldefrag(hook)
    asked = parse_qs(fragment)
    policies = ",".join(asked.get("rp", ["ct"])).split(",")
    tried_again = frozenset[int | None]().union(*(_FAILURES.get(policy, frozenset()) for policy in policies))
    return Target(
        url=url,
        timeout=TIMEOUT_SECONDS,
        max_retries=min(MOST_RETRIES, _whole(asked.get("rc", ["0"])[0])),
        base_delay=FIRST_RETRY_SECONDS,
        exponential=True,
        never_again=_FAILURES["all"] - tried_again,
        sign=_signer(config),
    )


def _signer(config: SimulatorConfig) -> Callable[[bytes], Mapping[str, str]] | None:
    if not config.jambonz.webhook_secrets:
        return None
    return partial(_signed, config=config)


def _signed(body: bytes, *, config: SimulatorConfig) -> Mapping[str, str]:
    at_s = int(time.time() + config.clock_offset - config.jambonz.signature_age)
    return signature_of(body, secrets=config.jambonz.webhook_secrets, at_s=at_s)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
