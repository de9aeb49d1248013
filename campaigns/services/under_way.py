"""Under way: how many claimed calls of this process have not left yet, and how many have no answer yet."""

import threading


class UnderWay:
    """Counted up by the threads that claim, and down by the loop that sends."""

    def __init__(self, *, most_unsent: int, most_unanswered: int) -> None:
        """`most_unanswered`: those that have not left are among them."""
        self._most_unsent = most_unsent
        self._most_unanswered = most_unanswered
        self._unsent = 0
        self._unanswered = 0
        self._changed = threading.Condition()

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until fewer than the most are under way; False: they still are not."""
        with self._changed:
            return self._changed.wait_for(self._has_room, timeout=seconds)

    def wait_for_none(self) -> None:
        """Wait until every one has its answer."""
        with self._changed:
            self._changed.wait_for(lambda: self._unanswered == 0)

    def _has_room(self) -> bool:
        return self._unsent < self._most_unsent and self._unanswered < self._most_unanswered

    def add(self, count: int) -> None:
        """So many were claimed."""
        with self._changed:
            self._unsent += count
            self._unanswered += count

    def leave(self) -> None:
        """One has left, or never will."""
        with self._changed:
            self._unsent -= 1
            self._changed.notify_all()

    def answered(self) -> None:
        """One has its answer, or never will."""
        with self._changed:
            self._unanswered -= 1
            self._changed.notify_all()
