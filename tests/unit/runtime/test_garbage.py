"""The collector leaves alone what a warm process keeps for good, and still finds garbage that comes later."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from campaigns.runtime.garbage import YOUNG, keep_out_of_collections


class Node:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_lives_when_the_process_is_warm_is_not_looked_at_again():
    kept = Node()
    keep_out_of_collections()
    assert gc.get_freeze_count() > 0
    assert not any(each is kept for each in gc.get_objects())
    assert gc.get_threshold()[0] == YOUNG


def test_garbage_of_before_is_gone_and_garbage_of_later_is_found():
    before = weakref.ref(Node())
    keep_out_of_collections()
    assert before() is None
    later = weakref.ref(Node())
    gc.collect()
    assert later() is None
