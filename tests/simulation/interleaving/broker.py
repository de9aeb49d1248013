"""The broker: messages that may be lost, doubled, reordered, or come much later. Nothing in it may matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from campaigns.services.ports import CallRef, PublishError
from interleaving.stage import Stage


@dataclass(frozen=True, slots=True)
class Message:
    """One group of released calls."""

    number: int
    campaign_id: int
    refs: tuple[CallRef, ...]
    not_before: float
    """Virtual time until which it is held up."""

    def __str__(self) -> str:
        calls = " ".join(f"{ref.call_id}@{ref.epoch}" for ref in self.refs) or "a probe"
        return f"message {self.number} ({calls})"


class Broker:
    """Queues of one schedule."""

    def __init__(self, stage: Stage, delay: Callable[[], float]) -> None:
        """`delay`: seconds for which the next message is held up."""
        self._stage = stage
        self._delay = delay
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
        message = Message(self._published, campaign_id, tuple(refs), self._stage.now + self._delay())
        self.messages.append(message)
        self._stage.trace.note("broker", f"takes {message}")
        self._stage.at(message.not_before, f"{message} can be taken", lambda: None)

    def nudge(self, subject: str) -> None:
        if not self.is_down and subject not in self.nudges:
            self.nudges.append(subject)

    def waiting(self) -> list[Message]:
        """Messages that a worker can take now."""
        return [message for message in self.messages if message.not_before <= self._stage.now]

    def take(self, message: Message) -> Message:
        """Out of the queue, into a worker."""
        self.messages.remove(message)
        self.taken.append(message)
        return message

    def come_again(self, message: Message) -> None:
        """A message that a worker has taken before."""
        self.messages.append(message)

    def hold_up(self, until: float) -> None:
        """What is in the queue comes no sooner than this."""
        self.messages = [replace(message, not_before=max(message.not_before, until)) for message in self.messages]
        self._stage.at(until, "held messages can be taken", lambda: None)

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
