"""A worker for tests of commands that wait: the real services of a worker process, turned by one thread."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from campaigns.runtime.wiring import Runtime
from campaigns.services.ports import CallRef

PAUSE_SECONDS = 0.01


class _Held:
    """Keeps messages until the thread delivers them."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, list[CallRef]]] = []

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        self.messages.append((campaign_id, list(group)))

    def request_feed(self, limit_group: str) -> None:
        """The next turn feeds anyway."""

    def backlog(self) -> int:
        return len(self.messages)


@contextmanager
def attended() -> Iterator[None]:
    """A worker is there, as this process's environment and working directory say."""
    held, over = _Held(), threading.Event()
    runtime = Runtime.from_environment(publisher=held)
    runtime.start()
    thread = threading.Thread(target=_work, args=(runtime, held, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        runtime.stop()


def _work(runtime: Runtime, held: _Held, over: threading.Event) -> None:
    while not over.wait(PAUSE_SECONDS):
        for run_id in runtime.launch_due.run():
            runtime.expand.run(run_id)
        runtime.provider_schedule.run()
        for limit_group in runtime.feed.limit_groups():
            runtime.feed.run(limit_group)
        messages, held.messages = held.messages, []
        for campaign_id, refs in messages:
            runtime.dispatch.run(refs, campaign_id=campaign_id, task_id="task-1")
        runtime.poll.run()
        runtime.ask_back.run()
        runtime.rescue.run()
