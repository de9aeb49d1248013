"""The broker: messages that may be lost, doubled, reordered, or come much later. Nothing in it may matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from campaigns.services.ports import CallRef, PublishError
from interleaving.stage import Stage


@dataclass(frozen=True, slots=True)
class Message:
    """One group of released calls."""

    number: int
    campaign_id: int
    refs: tuple[CallRef, ...]

    def __str__(self) -> str:
        calls = " ".join(f"{ref.call_id}@{ref.epoch}" for ref in self.refs) or "a probe"
        return f"message {self.number} ({calls})"


class Broker:
    """Queues of one schedule."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.messages: list[Message] = []
        self.taken: list[Message] = []
        """Delivered once already; a broker may deliver them again."""
        self.nudges: list[str] = []
        """`inbox`, or the limit group that wants to be fed."""
        self.is_down = False
        self._published = 0

    def publish(self, refs: Sequence[CallRef], *, campaign_id: int) -> None:
        """Raises `PublishError`."""
        if self.is_down:
            raise PublishError("the broker is down")
        self._published += 1
        message = Message(self._published, campaign_id, tuple(refs))
        self.messages.append(message)
        self._stage.trace.note("broker", f"takes {message}")

    def nudge(self, subject: str) -> None:
        if not self.is_down and subject not in self.nudges:
            self.nudges.append(subject)

    def take(self, rng: Random | None) -> Message:
        """The oldest message, or by chance any."""
        message = self.messages.pop(0 if rng is None else rng.randrange(len(self.messages)))
        self.taken.append(message)
        return message

    def flush(self) -> None:
        """`FLUSHALL`."""
        self.messages.clear()
        self.nudges.clear()


class SimulatedPublisher:
    """The services' `Publisher`, for one process."""

    def __init__(self, broker: Broker, pause: Callable[[str], None]) -> None:
        self._broker = broker
        self._pause = pause

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        self._pause("publishes")
        self._broker.publish(group, campaign_id=campaign_id)

    def request_feed(self, limit_group: str) -> None:
        self._broker.nudge(limit_group)

    def backlog(self) -> int:
        self._pause("looks at the queue")
        if self._broker.is_down:
            raise PublishError("the broker is down")
        return len(self._broker.messages)
