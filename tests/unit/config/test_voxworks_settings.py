"""What an account at Voxworks may say, and no other."""

import pytest
from pydantic import ValidationError

from config.settings_model import WEBHOOK_FIELDS, AccountSettings


def account(**values):
    told = {"provider": "voxworks", "baseUrl": "http://127.0.0.1:1", "simulator": True}
    return AccountSettings.model_validate({**told, "concurrency": 1, "callsPerSecond": 1, **values})


def test_outcomes_come_by_polling_unless_the_account_says_that_an_automation_reports():
    assert account().webhooks is False
    assert account(webhooks=True).webhooks is True
    assert account(provider="vapi").webhooks is True


def test_the_places_of_an_automations_values_and_of_our_attempt_id_can_be_named():
    told = account(webhookFields={"callId": "ref.call"}, attemptObject="ringfence.attempt_id")
    assert told.webhook_fields == {"callId": "ref.call"}
    assert told.attempt_object == "ringfence.attempt_id"


def test_an_unknown_value_is_refused_with_those_that_there_are():
    with pytest.raises(ValidationError, match=", ".join(WEBHOOK_FIELDS)):
        account(webhookFields={"call_id": "ref.call"})


@pytest.mark.parametrize("place", ["ringfence", "a.b.c", ".b", "a.", "a b.c"])
def test_a_place_that_is_no_type_and_field_is_refused(place):
    with pytest.raises(ValidationError, match="attemptObject"):
        account(attemptObject=place)


@pytest.mark.parametrize("values", [{"webhookFields": {"callId": "id"}}, {"attemptObject": "a.b"}])
def test_other_providers_have_a_shape_of_their_own(values):
    with pytest.raises(ValidationError, match="belong to voxworks alone"):
        account(provider="vapi", **values)
