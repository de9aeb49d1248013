"""The reaper: sits in every process of a story, and ends or stops it where it was told to."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from harness.faults import Fault
from harness.orders import Order, Orders


class Reaper:
    """Counts passages of the point named in the order, and kills this process at the right one."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._lock = threading.Lock()
        self._passages: Counter[Order] = Counter()
        self._campaigns: dict[UUID, int] = {}

    def know(self, attempts: Iterable[UUID], *, campaign_id: int) -> None:
        """Whose attempts these are: further down the way nobody says it any more."""
        with self._lock:
            self._campaigns.update(dict.fromkeys(attempts, campaign_id))

    def campaign_of(self, attempt_id: UUID) -> int | None:
        return self._campaigns.get(attempt_id)

    def is_due(self, point: Fault, campaigns: Iterable[int | None]) -> bool:
        """One passage; true if it is the one at which to die. `campaigns`: whose it is."""
        order = self._orders.standing()
        if order is None or order.point is not point or order.campaign_id not in (None, *campaigns):
            return False
        with self._lock:
            self._passages[order] += 1
            return self._passages[order] == order.passage

    def miss(self) -> None:
        """What was due did not come to pass: the next passage is the one."""
        order = self._orders.standing()
        if order is not None:
            with self._lock:
                self._passages[order] -= 1

    def kill(self, attempts: Iterable[UUID] = ()) -> None:
        """As `kill -9` or SIGSTOP from outside: nothing is flushed, nobody is told."""
        order = self._orders.standing()
        self._orders.leave_last_words([str(attempt) for attempt in attempts])
        os.kill(os.getpid(), signal.SIGSTOP if order is not None and order.freeze else signal.SIGKILL)
