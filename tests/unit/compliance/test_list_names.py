"""Which names mean a state's own do-not-call list, which binds sales calls alone."""

import pytest

from campaigns.compliance.list_names import is_state_list


@pytest.mark.parametrize("name", ["US-FL", "US-TX"])
def test_a_state_list_is_named_after_its_state(name):
    assert is_state_list(name)


@pytest.mark.parametrize("name", ["US", "US-FLA", "us-fl", "CA-ON", "US-FL ", "xUS-FL", "internal", ""])
def test_every_other_name_is_a_list_that_binds_every_call(name):
    assert not is_state_list(name)
