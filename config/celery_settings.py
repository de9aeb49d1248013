"""How Celery behaves here, and why. Data only: no clock, no environment, no connection.

The rule behind all of it: Redis may lose or repeat any message at any time, and it must not matter. The rows in
Postgres carry leases and due times; whatever a lost message asked for, a tick asks for again.
"""

from typing import Any

from kombu import Queue

DISPATCH_QUEUE = "dispatch"
"""Calls to dial. Its length is how far the workers are behind."""
CONTROL_QUEUE = "control"
"""Ticks and all else that is short. Apart, so that a full dispatch queue cannot starve the feed or the rescue."""

QUEUES = (DISPATCH_QUEUE, CONTROL_QUEUE)

MOST_WAITING = 50
"""With so many messages in the control queue no worker is alive, and more of the same would only fill the broker."""

CELERY_SETTINGS: dict[str, Any] = {
    # --- messages: JSON, UTC, ids only ------------------------------------------------------------------
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],  # a pickle in the broker would be code that runs
    "enable_utc": True,
    "timezone": "UTC",
    # --- no results: state lives in Postgres, and a result backend can hang a publisher for 19 s when Redis is down
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    # --- queues: explicit, so that a misspelt name is an error and no queue is born by accident -----------
    "task_queues": [Queue(name, routing_key=name) for name in QUEUES],
    "task_default_queue": CONTROL_QUEUE,
    "task_default_exchange": CONTROL_QUEUE,
    "task_default_routing_key": CONTROL_QUEUE,
    "task_create_missing_queues": False,
    "task_routes": {
        "ringfence.dispatch": {"queue": DISPATCH_QUEUE},
        "ringfence.*": {"queue": CONTROL_QUEUE},
    },
    # --- early acknowledgement: the row's lease brings work back, not the broker. Late ones would be delivered
    # twice after the visibility time-out, and `reject_on_worker_lost` can loop for ever.
    "task_acks_late": False,
    "task_reject_on_worker_lost": False,
    # True would kill running tasks whenever Redis blinks, in the middle of a dial. False is the default of this
    # version and not of the next, hence said here.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # --- take a message only when a thread is free: what lies reserved in a busy worker is late and its lease runs out
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # We use neither eta, countdown nor retry (waits live in Postgres); a bound in case something ever does.
    "worker_eta_task_limit": 1000,
    # --- the pool: threads, because a dispatch waits for Postgres and the clock, and one asyncio loop a process sends
    "worker_pool": "threads",
    "worker_concurrency": 8,
    # --- broker connection: a dead link must be noticed in seconds, not held for ever
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # an outage of any length ends with a working worker
    "broker_transport_options": {
        # Redis keeps no book of unacknowledged messages: a lease brings work back, not the broker. With that book, a
        # worker that holds a message when Redis dies ends, on an AttributeError in its own clean-up, and stays away.
        "ack_emulation": False,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        # How often a publisher tries to connect: without these it goes on for seconds while a feed waits for it.
        "max_retries": 1,
        "interval_start": 0.0,
        "interval_step": 0.2,
        "interval_max": 0.2,
    },
    "redis_socket_timeout": 10.0,
    "redis_socket_connect_timeout": 5.0,
    "redis_socket_keepalive": True,
    "redis_backend_health_check_interval": 25,
    # A publisher says at once that the broker is gone; the row stays due, and the next tick publishes again.
    "task_publish_retry": False,
    # --- end: SIGTERM waits for all that is under way (`Runtime.stop`). SIGQUIT leaves it so long to be answered and
    # written; also when no task runs, for a task is over long before the answers to what it sent are there.
    "worker_soft_shutdown_timeout": 5.0,
    "worker_enable_soft_shutdown_on_idle": True,
    # --- events for Flower; they carry ids only, as the arguments do
    "worker_send_task_events": True,
    "task_send_sent_event": True,
    "task_track_started": False,
    # --- logs are ours (config.logging), not Celery's
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # --- beat: look every second at most, keep nothing on disk (every entry is a plain interval)
    "beat_max_loop_interval": 1,
    "beat_scheduler": "workers.beat:TickScheduler",
}
