import asyncio
import threading
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DataError

from campaigns.providers.contract import Receipt
from campaigns.web.intake_groups import LARGEST_GROUP, Accept, IntakeGroups

Pairs = Sequence[tuple[str, Receipt]]


def receipt(key: str) -> Receipt:
    return Receipt(dedupe_key=key, event_type="status-update", report=None)


async def add_all(accept: Accept, keys: Sequence[str]) -> list[object]:
    groups = IntakeGroups(accept)
    running = asyncio.create_task(groups.run())
    results = await asyncio.gather(*(groups.add("a", receipt(key)) for key in keys), return_exceptions=True)
    running.cancel()
    return list(results)


def test_webhooks_that_wait_together_are_committed_together() -> None:
    sizes: list[int] = []
    keys = [str(number) for number in range(LARGEST_GROUP * 2 + 1)]
    results = asyncio.run(add_all(lambda pairs: sizes.append(len(pairs)), keys))
    assert results == [None] * len(keys)
    assert sizes == [LARGEST_GROUP, LARGEST_GROUP, 1]


def test_nobody_is_answered_before_the_commit() -> None:
    committed = threading.Event()

    def accept(pairs: Pairs) -> None:
        committed.set()

    async def scenario() -> bool:
        groups = IntakeGroups(accept)
        adding = asyncio.create_task(groups.add("a", receipt("1")))
        await asyncio.sleep(0)
        before = adding.done() or committed.is_set()
        running = asyncio.create_task(groups.run())
        await adding
        running.cancel()
        return before

    assert asyncio.run(scenario()) is False
    assert committed.is_set()


def test_when_the_commit_fails_every_sender_hears_of_it() -> None:
    def accept(pairs: Pairs) -> None:
        raise ConnectionError("Postgres is away")

    results = asyncio.run(add_all(accept, ["1", "2"]))
    assert [type(each) for each in results] == [ConnectionError, ConnectionError]


def test_one_that_cannot_be_stored_does_not_turn_its_neighbours_away() -> None:
    stored: list[str] = []

    def accept(pairs: Pairs) -> None:
        if any(each.dedupe_key == "bad" for _, each in pairs):
            raise DataError("insert", None, ValueError("a zero byte"))
        stored.extend(each.dedupe_key for _, each in pairs)

    results = asyncio.run(add_all(accept, ["1", "bad", "2"]))
    assert stored == ["1", "2"]
    assert results[0] is results[2] is None
    assert isinstance(results[1], DataError)


def test_work_goes_on_after_a_failure() -> None:
    fails = iter([True, False])

    def accept(pairs: Pairs) -> None:
        if next(fails):
            raise ConnectionError

    async def scenario() -> None:
        groups = IntakeGroups(accept)
        running = asyncio.create_task(groups.run())
        with pytest.raises(ConnectionError):
            await groups.add("a", receipt("1"))
        await groups.add("a", receipt("2"))
        running.cancel()

    asyncio.run(scenario())
