"""The collector leaves alone what a warm process keeps for good, and still finds garbage that comes later.

In a process of its own: a collection here would meet whatever other tests have left.
"""

import subprocess
import sys

import pytest

BEGINNING = """
import gc, weakref
from campaigns.runtime.garbage import YOUNG, keep_out_of_collections

class Node:
    def __init__(self):
        self.me = self  # only the collector can free it

"""


@pytest.mark.parametrize(
    "story",
    [
        """
kept = Node()
keep_out_of_collections()
assert gc.get_freeze_count() > 0
assert not any(each is kept for each in gc.get_objects())
assert gc.get_threshold()[0] == YOUNG
""",
        """
gc.disable()
before = weakref.ref(Node())
assert before() is not None
keep_out_of_collections()
assert before() is None
""",
        """
keep_out_of_collections()
later = weakref.ref(Node())
gc.collect()
assert later() is None
""",
    ],
    ids=["what is kept is not looked at", "garbage of before is gone", "garbage of later is found"],
)
def test_a_warm_process(story):
    told = subprocess.run([sys.executable, "-c", BEGINNING + story], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
