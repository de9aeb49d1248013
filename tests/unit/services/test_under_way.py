"""How much a process has under way: no room means that its threads wait, and whatever comes to an end makes room."""

import threading

import pytest

from campaigns.services.under_way import UnderWay


def test_there_is_room_until_the_most_are_unsent():
    under_way = UnderWay(most_unsent=3, most_unanswered=100)
    under_way.add(2)
    assert under_way.wait_for_room(0)
    under_way.add(1)
    assert not under_way.wait_for_room(0)
    under_way.leave()
    assert under_way.wait_for_room(0)


def test_what_has_left_and_has_no_answer_takes_room_too():
    under_way = UnderWay(most_unsent=100, most_unanswered=2)
    under_way.add(2)
    under_way.leave()
    under_way.leave()
    assert not under_way.wait_for_room(0)
    under_way.answered()
    assert under_way.wait_for_room(0)


@pytest.mark.parametrize("ends", ["leave", "answered"])
def test_a_thread_that_waits_is_told_of_room(ends):
    under_way = UnderWay(most_unsent=1 if ends == "leave" else 9, most_unanswered=1 if ends == "answered" else 9)
    under_way.add(1)
    found = list[bool]()
    waiting = threading.Thread(target=lambda: found.append(under_way.wait_for_room(30)))
    waiting.start()
    if ends == "leave":
        under_way.leave()
    else:
        under_way.answered()
    waiting.join(10)
    assert found == [True]
