"""The faults, by name, and in which story each is tried."""

import os
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
    KILLED_AT_RANDOM = "killed_at_random"
    """`kill -9` of the dispatch worker at any instant."""

    FEED_BEFORE_COMMIT = "feed_before_commit"
    """`kill -9` of the control worker: it has released calls, and not committed that."""
    FEED_AFTER_COMMIT = "feed_after_commit"
    """The same: the release is committed, and no message of it is sent."""
    LOOK_BEFORE_COMMIT = "look_before_commit"
    """The same: webhooks or looks at the provider are applied, and not committed."""
    LIST_BEFORE_END = "list_before_end"
    """The same: the customer list is read and stored, and its run not yet active."""
    CONTROL_KILLED = "control_killed"
    """`kill -9` of the worker that feeds, rescues, reconciles and takes in webhooks, at any instant."""
    BEAT_BEFORE_TICK = "beat_before_tick"
    """`kill -9` of beat, just before it sends a tick."""
    BEAT_AFTER_TICK = "beat_after_tick"
    """The same: the tick is sent, and beat has not taken note of it."""
    WEB_BEFORE_COMMIT = "web_before_commit"
    """`kill -9` of the web process: webhooks are read, and not committed."""
    WEB_AFTER_COMMIT = "web_after_commit"
    """The same: they are committed, and their sender is not answered."""
    WEB_KILLED = "web_killed"
    """`kill -9` of the web process at any instant; it is started again after some webhooks have failed."""

    VALKEY_FLUSHED = "valkey_flushed"
    """`FLUSHALL`."""
    VALKEY_EMPTY = "valkey_empty"
    """`kill -9` of Valkey, which comes back with nothing."""
    VALKEY_AWAY = "valkey_away"
    """Valkey is gone for a while, and comes back empty."""
    NO_WORKER = "no_worker"
    """No dispatch worker for a while; then one starts."""
    DEPLOYED = "deployed"
    """A new dispatch worker starts and the old one is asked to end, under load."""

    FROZEN_PAST_PERMIT = "frozen_past_permit"
    """SIGSTOP of the dispatch worker; it wakes when the permits that it held are over."""
    FROZEN_PAST_LEASE = "frozen_past_lease"
    """The same; it wakes when its calls were released again under a new epoch."""
    FROZEN_PAST_REVOCATION = "frozen_past_revocation"
    """The same, once its attempts are committed; meanwhile each of those people revokes."""
    FROZEN_PAST_WINDOW = "frozen_past_window"
    """The same, once its attempts are committed; it wakes when the campaign's window is over."""
    FEEDER_FROZEN = "feeder_frozen"
    """SIGSTOP of the control worker while it holds the account's lock, for some seconds or past its calls' leases."""

    POSTGRES_RESTARTED = "postgres_restarted"
    POSTGRES_AWAY = "postgres_away"
    """Postgres is gone for a while."""
    CONNECTIONS_CUT = "connections_cut"
    """Every connection to Postgres is ended, five times a second, for five seconds."""
    CONNECTIONS_TAKEN = "connections_taken"
    """All connections are cut, and others take every place that there is, for some seconds."""
    TRANSACTIONS_REFUSED = "transactions_refused"
    """A third of all commits that move a call fail: "could not serialize access"."""
    LOCKS_CROSSED = "locks_crossed"
    """Transactions of others lock calls in the wrong order, so that there are deadlocks."""
    DISK_FULL = "disk_full"
    """Postgres's disk is full to the last byte for a while."""

    MESSAGES_REPEATED = "messages_repeated"
    """Every dispatch message of the campaign again and again, under its own epoch and under older ones."""
    TWO_OF_EACH = "two_of_each"
    """A second beat and a second control worker."""
    PROVIDER_FAULTY = "provider_faulty"
    """One fault of creates meets 30 % of them, each of the others 1 to 4 %."""
    WEBHOOKS_FAULTY = "webhooks_faulty"
    """1 to 30 % of the webhooks are lost, as many doubled, as many overtaken by later ones, all of them late."""
    CALLS_ENDLESS = "calls_endless"
    """A tenth of the calls is accepted and never ends."""


KILL_POINTS = (
    Fault.BEFORE_CLAIM,
    Fault.AFTER_CLAIM,
    Fault.DURING_POST,
    Fault.AFTER_ACCEPT,
    Fault.DURING_RECORD,
)
"""The five points of the way of a call at which the dispatch worker dies."""

OTHERS_KILL_POINTS = (
    Fault.FEED_BEFORE_COMMIT,
    Fault.FEED_AFTER_COMMIT,
    Fault.LOOK_BEFORE_COMMIT,
    Fault.LIST_BEFORE_END,
    Fault.BEAT_BEFORE_TICK,
    Fault.BEAT_AFTER_TICK,
    Fault.WEB_BEFORE_COMMIT,
    Fault.WEB_AFTER_COMMIT,
)
"""The points at which the other processes die."""

FREEZES = (
    Fault.FROZEN_PAST_PERMIT,
    Fault.FROZEN_PAST_LEASE,
    Fault.FROZEN_PAST_REVOCATION,
    Fault.FROZEN_PAST_WINDOW,
    Fault.FEEDER_FROZEN,
)

ALL_FAULTS_BY_POLICY: dict[str, tuple[Fault, ...]] = {
    "redial": (
        *KILL_POINTS,
        Fault.KILLED_AT_RANDOM,
        Fault.DEPLOYED,
        Fault.VALKEY_FLUSHED,
        Fault.VALKEY_EMPTY,
        Fault.WEB_KILLED,
        Fault.WEB_BEFORE_COMMIT,
        Fault.WEB_AFTER_COMMIT,
        Fault.MESSAGES_REPEATED,
        Fault.LOCKS_CROSSED,
    ),
    "hold": (
        *KILL_POINTS,
        Fault.VALKEY_FLUSHED,
        Fault.VALKEY_EMPTY,
        Fault.CONTROL_KILLED,
        Fault.FEED_BEFORE_COMMIT,
        Fault.FEED_AFTER_COMMIT,
        Fault.LOOK_BEFORE_COMMIT,
        Fault.LIST_BEFORE_END,
        Fault.BEAT_BEFORE_TICK,
        Fault.BEAT_AFTER_TICK,
    ),
    "chaos": (
        # Calls that never end, and webhooks that never come, are asked after a minute later: meanwhile come the others.
        Fault.CALLS_ENDLESS,
        Fault.WEBHOOKS_FAULTY,
        Fault.PROVIDER_FAULTY,
        *FREEZES,
        Fault.NO_WORKER,
        Fault.VALKEY_AWAY,
        Fault.POSTGRES_RESTARTED,
        Fault.POSTGRES_AWAY,
        Fault.CONNECTIONS_CUT,
        Fault.CONNECTIONS_TAKEN,
        Fault.TRANSACTIONS_REFUSED,
        Fault.TWO_OF_EACH,
        Fault.DISK_FULL,  # from then on the story's Postgres lives on a small disk
    ),
}
"""What is tried in which story. `redial` and `hold` are settings of `retries.ambiguous`; `chaos` runs with `hold`."""

LEFT_TO_THE_LONG_RUN: dict[str, tuple[Fault, ...]] = {
    "redial": (Fault.KILLED_AT_RANDOM, Fault.VALKEY_EMPTY, Fault.VALKEY_FLUSHED, Fault.WEB_KILLED),
    "hold": (
        Fault.BEFORE_CLAIM,
        Fault.DURING_POST,
        Fault.AFTER_ACCEPT,
        Fault.DURING_RECORD,
        Fault.VALKEY_FLUSHED,
        Fault.CONTROL_KILLED,
        Fault.FEED_BEFORE_COMMIT,
        Fault.LIST_BEFORE_END,
        Fault.BEAT_BEFORE_TICK,
        Fault.BEAT_AFTER_TICK,
    ),
    "chaos": (
        Fault.WEBHOOKS_FAULTY,
        Fault.FROZEN_PAST_LEASE,
        Fault.FEEDER_FROZEN,
        Fault.POSTGRES_RESTARTED,
        Fault.CONNECTIONS_CUT,
        Fault.TRANSACTIONS_REFUSED,
        Fault.VALKEY_AWAY,
        Fault.DISK_FULL,
    ),
}
"""The short run tries them in another story or at a neighbouring point, to end within ten minutes."""
IS_LONG_RUN = "RINGFENCE_E2E_TRIALS" in os.environ

FAULTS_BY_POLICY = {
    policy: tuple(fault for fault in faults if IS_LONG_RUN or fault not in LEFT_TO_THE_LONG_RUN[policy])
    for policy, faults in ALL_FAULTS_BY_POLICY.items()
}
"""Those of this run."""
