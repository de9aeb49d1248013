"""The faults, by name."""

from enum import StrEnum


class Fault(StrEnum):
    """What happens to the installation in the middle of a campaign."""

    BEFORE_CLAIM = "before_claim"
    """`kill -9` of the dispatch worker: it has taken the message, and not yet begun the claim."""
    AFTER_CLAIM = "after_claim"
    """The same: the attempts are committed, not one byte has left."""
    DURING_POST = "during_post"
    """The same: a request has left, and is not answered yet."""
    AFTER_ACCEPT = "after_accept"
    """The same: the provider's 201 is read, and nothing of it is recorded."""
    DURING_RECORD = "during_record"
    """The same: inside the recording transaction, all statements done, before its commit."""
    VALKEY_FLUSHED = "valkey_flushed"
    """`FLUSHALL`."""
    VALKEY_EMPTY = "valkey_empty"
    """`kill -9` of Valkey, which comes back with nothing."""
    WEB_KILLED = "web_killed"
    """`kill -9` of the web process while webhooks arrive; it is started again after some of them have failed."""
    BEAT_KILLED = "beat_killed"
    """`kill -9` of beat, started again."""
    CONTROL_KILLED = "control_killed"
    """`kill -9` of the worker that feeds, rescues, reconciles and takes in webhooks, started again."""


KILL_POINTS = (
    Fault.BEFORE_CLAIM,
    Fault.AFTER_CLAIM,
    Fault.DURING_POST,
    Fault.AFTER_ACCEPT,
    Fault.DURING_RECORD,
)
"""The five points of the way of a call at which the dispatch worker dies."""

FAULTS_BY_POLICY: dict[str, tuple[Fault, ...]] = {
    "redial": (*KILL_POINTS, Fault.VALKEY_FLUSHED, Fault.VALKEY_EMPTY, Fault.WEB_KILLED),
    "hold": (*KILL_POINTS, Fault.VALKEY_FLUSHED, Fault.VALKEY_EMPTY, Fault.BEAT_KILLED, Fault.CONTROL_KILLED),
}
"""`retries.ambiguous` → what is tried under it."""
