"""The process that reads large bodies, at the end of its input."""

import io
import pickle

import pytest

from campaigns.providers.contract import Receipt
from campaigns.providers.registry import AccountAccess
from campaigns.web.large_bodies import ParserOf
from campaigns.web.large_body_reader import main

PARSERS = pickle.dumps({"plain": ParserOf("vapi", AccountAccess(api_key=""))})
QUESTION = pickle.dumps(("plain", b'{"message": {"type": "hang", "more": "' + b"x" * 100_000 + b'"}}'))


@pytest.mark.parametrize("kept", [0, 1, 20, 70_000, len(QUESTION) - 1])
def test_it_ends_in_peace_when_its_parent_is_killed_in_the_middle_of_a_body(kept: int) -> None:
    answers = io.BytesIO()
    main(io.BytesIO(PARSERS + QUESTION + QUESTION[:kept]), answers)
    answers.seek(0)
    assert isinstance(pickle.load(answers), Receipt)  # noqa: S301 - our own
    assert answers.read() == b""
