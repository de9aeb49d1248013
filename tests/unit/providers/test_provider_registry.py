"""Building a provider by its name."""

import asyncio

import pytest

from campaigns.calls.permits import HTTP_TIMEOUT
from campaigns.providers.http import Timeouts
from campaigns.providers.registry import AccountAccess, IncompleteAccessError, UnknownProviderError, build_provider
from campaigns.providers.vapi.client import VapiProvider


def test_vapi_is_built_by_its_name() -> None:
    provider = build_provider("vapi", AccountAccess(api_key="key"))

    assert isinstance(provider, VapiProvider)
    asyncio.run(provider.aclose())


def test_a_gateway_needs_to_be_told_its_account_and_its_address() -> None:
    with pytest.raises(IncompleteAccessError, match="needs its accountSid"):
        build_provider("cognigy", AccountAccess(base_url="http://127.0.0.1:1", api_key="key"))
    with pytest.raises(IncompleteAccessError, match="needs its baseUrl"):
        build_provider("cognigy", AccountAccess(api_key="key", account_sid="account-1"))


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(UnknownProviderError, match="unknown provider 'vappi'; allowed are cognigy, vapi, voxworks"):
        build_provider("vappi", AccountAccess(api_key="key"))


def test_a_request_is_over_before_rescue_calls_its_fate_unknown() -> None:
    assert Timeouts().exchange <= HTTP_TIMEOUT
