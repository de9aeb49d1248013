"""Unsent: how many claimed calls of this process have not left yet."""

import threading


class Unsent:
    """Counted up by the threads that claim, and down by the loop that sends."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._changed = threading.Condition()

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until fewer than the most are unsent; False: they still are not."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count < self._most, timeout=seconds)

    def add(self, count: int) -> None:
        """So many were claimed."""
        with self._changed:
            self._count += count

    def remove(self) -> None:
        """One has left, or never will."""
        with self._changed:
            self._count -= 1
            self._changed.notify()
