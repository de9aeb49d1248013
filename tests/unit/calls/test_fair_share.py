"""How an account's room is shared."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.calls.fair_share import Demand, share


def test_a_higher_priority_takes_its_calls_first():
    assert share(10, [Demand(1, 0, 1, 10), Demand(2, 5, 1, 7)]) == {2: 7, 1: 3}


def test_equal_priority_shares_by_weight():
    assert share(9, [Demand(1, 0, 1, 100), Demand(2, 0, 2, 100)]) == {1: 3, 2: 6}


def test_what_one_does_not_want_the_other_gets():
    assert share(10, [Demand(1, 0, 1, 2), Demand(2, 0, 1, 100)]) == {1: 2, 2: 8}


demands = st.lists(
    st.builds(Demand, st.integers(1, 50), st.integers(-2, 2), st.integers(1, 5), st.integers(0, 40)),
    unique_by=lambda demand: demand.campaign_id,
    max_size=6,
)


@given(st.integers(0, 100), demands)
def test_room_is_never_exceeded_and_never_left_unused(room, wanted):
    shares = share(room, wanted)
    assert sum(shares.values()) == min(room, sum(demand.wanted for demand in wanted))
    assert all(0 < shares[demand.campaign_id] <= demand.wanted for demand in wanted if demand.campaign_id in shares)
