"""Building a provider by its name."""

import asyncio

import pytest

from campaigns.calls.permits import HTTP_TIMEOUT
from campaigns.providers.http import Timeouts
from campaigns.providers.registry import AccountAccess, UnknownProviderError, build_provider
from campaigns.providers.vapi.client import VapiProvider


def test_vapi_is_built_by_its_name() -> None:
    provider = build_provider("vapi", AccountAccess(api_key="key"))

    assert isinstance(provider, VapiProvider)
    asyncio.run(provider.aclose())


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(UnknownProviderError, match="unknown provider 'vappi'; allowed are vapi"):
        build_provider("vappi", AccountAccess(api_key="key"))


def test_a_request_is_over_before_rescue_calls_its_fate_unknown() -> None:
    assert Timeouts().exchange <= HTTP_TIMEOUT
