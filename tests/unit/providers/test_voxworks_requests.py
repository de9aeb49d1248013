"""What is sent to Voxworks: the documented fields, each only when the campaign gives it."""

import json
from uuid import UUID

import pytest

from campaigns.providers.contract import DialRequest
from campaigns.providers.voxworks.requests import UnusableRequestError, create_body

ATTEMPT = UUID("0199a8c4-0000-7000-8000-000000000001")
SCRIPT = {"scriptId": "a1b2c3d4", "variables": {}}


def a_request(assistant=SCRIPT, *, name="John Smith", voicemail="none"):
    return DialRequest(
        attempt_id=ATTEMPT,
        number="+61429069971",
        line="+61291234567",
        assistant=assistant,
        customer_name=name,
        external_id="crm-1",
        voicemail_action=voicemail,
        webhook=None,
        permit=None,
    )


def body_of(*arguments, attempt_object=None, **values):
    return json.loads(create_body(a_request(*arguments, **values), attempt_object=attempt_object))


def test_the_smallest_body_has_the_three_required_fields_and_the_name():
    assert body_of() == {
        "from_number": "+61291234567",
        "script_id": "a1b2c3d4",
        "contact": {"phone_number": "+61429069971", "first_name": "John", "last_name": "Smith"},
    }


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (None, {}),
        ("  ", {}),
        ("Ann", {"first_name": "Ann"}),
        ("Mary Ann  van der Berg ", {"first_name": "Mary", "last_name": "Ann  van der Berg"}),
    ],
)
def test_a_name_is_sent_as_far_as_there_is_one(name, names):
    contact = body_of(name=name)["contact"]
    assert contact == {"phone_number": "+61429069971", **names}


def test_objects_travel_as_the_campaign_has_them():
    objects = {"policy": {"number": "P-1", "premium": 12.5}}
    assert body_of({**SCRIPT, "objects": objects})["objects"] == objects


def test_the_call_is_for_now_whatever_happens_because_its_permit_is():
    assert "scheduled_time" not in body_of({**SCRIPT, "objects": {"policy": {"number": "P-1"}}})


def test_our_attempt_id_travels_in_the_object_that_the_account_names():
    body = body_of({**SCRIPT, "objects": {"ringfence": {"plan": "gold"}}}, attempt_object="ringfence.attempt_id")
    assert body["objects"] == {"ringfence": {"plan": "gold", "attempt_id": str(ATTEMPT)}}


@pytest.mark.parametrize(
    ("assistant", "says"),
    [
        ({}, "assistant.scriptId"),
        ({"scriptId": ""}, "assistant.scriptId"),
        ({"scriptId": 7}, "assistant.scriptId"),
        ({"id": "assistant-1"}, "unknown key 'id'"),
        ({**SCRIPT, "scheduledTime": "2026-02-25T09:00:00Z"}, "unknown key 'scheduledTime'"),
        ({**SCRIPT, "variables": {"plan": "gold"}}, "assistant.variables"),
        ({**SCRIPT, "objects": ["policy"]}, "assistant.objects"),
        ({**SCRIPT, "objects": {"policy": "P-1"}}, "assistant.objects.policy"),
        ({**SCRIPT, "objects": {"policy": {"since": float("nan")}}}, "neither text, number"),
    ],
)
def test_what_cannot_be_sent_is_named_and_its_value_is_not(assistant, says):
    with pytest.raises(UnusableRequestError, match=says) as caught:
        create_body(a_request(assistant))
    assert "gold" not in str(caught.value)


@pytest.mark.parametrize("action", ["hangUp", "leaveMessage"])
def test_a_voicemail_action_is_refused_because_the_script_decides(action):
    with pytest.raises(UnusableRequestError, match="the script decides"):
        create_body(a_request(voicemail=action))
