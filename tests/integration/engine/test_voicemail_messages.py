"""What a campaign file says about machines reaches the provider with each call."""

import pytest

MESSAGE = "Hello {{firstName}}. To be left alone call 1-800-555-0100."


@pytest.mark.parametrize(
    ("voicemail", "action", "message"),
    [
        (None, "none", None),
        ('{"action": "hangUp"}', "hangUp", None),
        (f'{{"action": "leaveMessage", "message": "{MESSAGE}"}}', "leaveMessage", MESSAGE),
    ],
)
def test_the_provider_is_told_what_to_do_at_a_machine(world, voicemail, action, message):
    world.call(world.campaign(), "+12125550101")
    if voicemail:
        world.sql(
            "UPDATE campaign_versions SET definition = jsonb_set(definition, '{voicemail}', CAST(:value AS jsonb))",
            value=voicemail,
        )
    world.dial_all()
    (dial,) = world.provider.dials
    assert (dial.voicemail_action, dial.voicemail_message) == (action, message)
