"""What came in by webhook, counted for Prometheus; each web process counts for itself, since it started."""

from prometheus_client import CollectorRegistry, Counter

MOST_TYPES = 100
"""Event types told apart, by account: what is sent must not decide how much we remember."""
OTHER = "other"


class WebhookCounts:
    """Counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._webhooks = Counter(
            "ringfence_webhooks",
            "Webhooks by what became of them: stored, refused, unreadable, unavailable (sent again by the provider).",
            ["account", "result"],
            registry=self.registry,
        )
        self._events = Counter(
            "ringfence_webhook_events",
            "Stored webhooks by type; acted_on=no: kept and counted, of a type that changes nothing here.",
            ["account", "event_type", "acted_on"],
            registry=self.registry,
        )
        self._types: dict[str, set[str]] = {}

    def webhook(self, account: str, result: str) -> None:
        """One webhook that was not stored, and why."""
        self._webhooks.labels(account, result).inc()

    def event(self, account: str, event_type: str, *, acted_on: bool) -> None:
        """One webhook that was stored."""
        types = self._types.setdefault(account, set())
        if len(types) < MOST_TYPES:
            types.add(event_type)
        shown = event_type if event_type in types else OTHER
        self._webhooks.labels(account, "stored").inc()
        self._events.labels(account, shown, "yes" if acted_on else "no").inc()
