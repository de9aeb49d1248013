"""Why Ringfence places no call with Vapi's SDK: it sends a create again when it does not know what became of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from vapi import CreateCustomerDto, Vapi
from vapi.core import http_client
from vapi.core.api_error import ApiError

from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.threaded import running_simulator

ANN = "+12125550123"
SENT_BY_THE_SDK = 3


@contextmanager
def an_sdk(**settings: Any) -> Iterator[tuple[Vapi, Any]]:
    config = changed(SimulatorConfig(), {"api_key": "k", "speed": 0.001, **settings})
    with running_simulator(config) as simulator, httpx.Client(timeout=20) as http:
        yield Vapi(token="k", base_url=simulator.base_url, httpx_client=http), simulator.simulation.ledger


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits a second, then two. Its waiting is not what is looked at here."""
    monkeypatch.setattr(http_client, "INITIAL_RETRY_DELAY_SECONDS", 0.001)


def place(vapi: Vapi, **options: Any) -> None:
    customer = CreateCustomerDto(number=ANN)
    vapi.calls.create(assistant_id="a", phone_number_id="pn-1", name="attempt-1", customer=customer, **options)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
def test_one_create_by_the_sdk_rings_one_person_three_times(status: int) -> None:
    faults = {"error_after_accept": 1.0, "error_after_accept_status": status}
    with an_sdk(faults=faults) as (vapi, ledger):
        with pytest.raises(ApiError):
            place(vapi)

        assert ledger.snapshot()["creates"] == SENT_BY_THE_SDK
        assert ledger.by_number[ANN] == SENT_BY_THE_SDK
        assert ledger.by_attempt["attempt-1"] == SENT_BY_THE_SDK
        assert ledger.double_dials == SENT_BY_THE_SDK - 1


def test_a_rate_limit_is_answered_with_more_requests_and_no_call() -> None:
    with an_sdk(requests_per_minute=0) as (vapi, ledger):
        with pytest.raises(ApiError):
            place(vapi)

        assert ledger.requests["429"] == SENT_BY_THE_SDK
        assert ledger.snapshot()["dials"] == 0


@pytest.mark.parametrize("vapi_settings", [{"credits": "refuse"}, {"metadata": "refuse"}])
def test_what_is_refused_for_good_is_sent_once(vapi_settings: dict[str, str]) -> None:
    with an_sdk(vapi=vapi_settings) as (vapi, ledger):
        with pytest.raises(ApiError):
            place(vapi, request_options={"additional_body_parameters": {"metadata": {}}})

        assert ledger.snapshot()["creates"] == 1


def test_told_to_send_once_it_does() -> None:
    with an_sdk(faults={"error_after_accept": 1.0}) as (vapi, ledger):
        with pytest.raises(ApiError):
            place(vapi, request_options={"max_retries": 0})

        assert (ledger.snapshot()["creates"], ledger.double_dials) == (1, 0)
