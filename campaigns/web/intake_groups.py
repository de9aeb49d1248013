"""Grouped inserts: webhooks that arrive together are committed together, and each is answered after its commit."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DataError

from campaigns.providers.contract import Receipt

Accept = Callable[[Sequence[tuple[str, Receipt]]], object]
"""Commits (account, receipt) pairs in one transaction; raises if it could not."""

LARGEST_GROUP = 200
"""Keeps one transaction short; the rest makes the next group at once."""


MOST_WAITING = 2_000
"""Beyond this Postgres does not keep up, and what waits here would only fill the memory: the senders come again."""


class IntakeFullError(Exception):
    """Too many webhooks wait to be stored."""


@dataclass(slots=True)
class _Waiting:
    account: str
    receipt: Receipt
    done: asyncio.Future[None]


class IntakeGroups:
    """While one group is being committed, the next one gathers. Under light load a group is one webhook."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    async def add(self, account: str, receipt: Receipt) -> None:
        """Return once the receipt is committed; raises what the commit raised, `IntakeFullError` before trying."""
        if len(self._waiting) >= MOST_WAITING:
            raise IntakeFullError
        entry = _Waiting(account, receipt, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._arrived.set()
        await entry.done

    async def run(self) -> None:
        """Commit groups until cancelled."""
        while True:
            await self._arrived.wait()
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
            if not self._waiting:
                self._arrived.clear()
            await self._commit(group)

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            await asyncio.to_thread(self._accept, [(entry.account, entry.receipt) for entry in group])
        except DataError as error:
            if len(group) == 1:
                _finish(group[0], error)
                return
            for entry in group:  # one that Postgres cannot hold must not turn its neighbours away
                await self._commit([entry])
        except Exception as error:
            for entry in group:  # each sender gets its 5xx and sends again
                _finish(entry, error)
        else:
            for entry in group:
                _finish(entry, None)


def _finish(entry: _Waiting, error: Exception | None) -> None:
    if entry.done.done():  # the sender went away meanwhile
        return
    if error is None:
        entry.done.set_result(None)
    else:
        entry.done.set_exception(error)
