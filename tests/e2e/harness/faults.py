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

    FROZEN_PAST_PERMIT = "frozen_past_permit"
    """SIGSTOP of the dispatch worker once its attempts are committed; it wakes when their permits are over."""
    FROZEN_PAST_LEASE = "frozen_past_lease"
    """SIGSTOP before the claim; it wakes when the calls were released again under a new epoch."""
    FROZEN_PAST_REVOCATION = "frozen_past_revocation"
    """SIGSTOP once its attempts are committed; meanwhile each of those people revokes."""
    KILLED_AT_RANDOM = "killed_at_random"
    """`kill -9` of the dispatch worker at any instant."""
    DEPLOYED = "deployed"
    """A new dispatch worker starts and the old one is asked to end, under load."""
    NO_WORKER = "no_worker"
    """No dispatch worker for a while; then one starts."""
    VALKEY_AWAY = "valkey_away"
    """Valkey is gone for ten seconds, and comes back empty."""
    POSTGRES_RESTARTED = "postgres_restarted"
    POSTGRES_AWAY = "postgres_away"
    """Postgres is gone for ten seconds."""
    CONNECTIONS_CUT = "connections_cut"
    """Every connection to Postgres is ended, five times a second, for five seconds."""
    MESSAGES_REPEATED = "messages_repeated"
    """Every dispatch message of the campaign again and again, under its own epoch and under older ones."""
    TWO_OF_EACH = "two_of_each"
    """A second beat and a second control worker for the rest of the story."""
    PROVIDER_FAULTY = "provider_faulty"
    """A third of the creates meets a fault; webhooks are lost, doubled and out of order; some calls never end."""


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
    "chaos": (
        Fault.FROZEN_PAST_PERMIT,
        Fault.FROZEN_PAST_LEASE,
        Fault.FROZEN_PAST_REVOCATION,
        Fault.KILLED_AT_RANDOM,
        Fault.DEPLOYED,
        Fault.NO_WORKER,
        Fault.VALKEY_AWAY,
        Fault.POSTGRES_RESTARTED,
        Fault.POSTGRES_AWAY,
        Fault.CONNECTIONS_CUT,
        Fault.MESSAGES_REPEATED,
        Fault.PROVIDER_FAULTY,
        Fault.TWO_OF_EACH,
    ),
    "hold": (*KILL_POINTS, Fault.VALKEY_FLUSHED, Fault.VALKEY_EMPTY, Fault.BEAT_KILLED, Fault.CONTROL_KILLED),
}
"""What is tried in which story. `redial` and `hold` are settings of `retries.ambiguous`; `chaos` runs with `hold`."""

FREEZE_POINTS: dict[Fault, Fault] = {
    Fault.FROZEN_PAST_PERMIT: Fault.AFTER_CLAIM,
    Fault.FROZEN_PAST_LEASE: Fault.BEFORE_CLAIM,
    Fault.FROZEN_PAST_REVOCATION: Fault.AFTER_CLAIM,
}
"""Where the worker is stopped, and not killed."""
