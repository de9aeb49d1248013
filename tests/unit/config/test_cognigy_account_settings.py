"""What a Cognigy account needs in `ringfence.toml`, and what it shares with no other."""

from typing import Any

import pytest
from pydantic import ValidationError

from config.settings_model import AccountSettings

GATEWAY = {
    "provider": "cognigy",
    "baseUrl": "https://voice.example.com",
    "apiKeyEnv": "GATEWAY_KEY",
    "accountSid": "0b7f4f16-9c0a-4d70-8f4e-3a9c1f4b8a01",
    "concurrency": 5,
    "callsPerSecond": 1,
}


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        AccountSettings.model_validate({**GATEWAY, **changes})
    return str(caught.value)


def test_an_account_with_its_sid_is_read() -> None:
    told = AccountSettings.model_validate({**GATEWAY, "notifyUrl": False})
    assert (told.account_sid, told.notify_url) == (GATEWAY["accountSid"], False)


@pytest.mark.parametrize("sid", [None, ""])
def test_an_account_without_its_sid_is_refused(sid: str | None) -> None:
    assert "accountSid" in refusal(accountSid=sid)


def test_the_version_in_the_path_is_ours_to_add() -> None:
    assert "leave it out" in refusal(baseUrl="https://voice.example.com/v1/")


@pytest.mark.parametrize("changes", [{}, {"accountSid": None, "notifyUrl": False}])
def test_no_other_provider_has_these_keys(changes: dict[str, Any]) -> None:
    assert "belong to cognigy alone" in refusal(provider="vapi", **changes)
