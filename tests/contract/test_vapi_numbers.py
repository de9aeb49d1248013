"""The phone numbers of a Vapi account, tried against its simulator and on raw sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from campaigns.providers.contract import ProviderUnavailableError
from campaigns.providers.extras import (
    FateUnknownError,
    KeyRefusedError,
    NotFoundAtProviderError,
    ProviderRefusedError,
)
from campaigns.providers.numbers import NewNumber, NumberSource, PhoneNumbers, UnusableNumberError
from campaigns.providers.registry import AccountAccess, NotOfferedError, build_numbers
from campaigns.providers.vapi import hooks

TOKEN = "a-twilio-token"
IMPORTS = {
    "twilio": NewNumber(
        source=NumberSource.TWILIO, number="+12025550141", account_sid="AC1", auth_token=SecretStr(TOKEN)
    ),
    "twilio by key": NewNumber(
        source=NumberSource.TWILIO,
        number="+12025550142",
        account_sid="AC1",
        api_key="SK1",
        api_secret=SecretStr(TOKEN),
        sms_enabled=False,
    ),
    "vonage": NewNumber(source=NumberSource.VONAGE, number="+12025550143", credential_id="cr-1"),
    "telnyx": NewNumber(source=NumberSource.TELNYX, number="+12025550144", credential_id="cr-1"),
    "byo": NewNumber(source=NumberSource.BYO, number="4144", credential_id="cr-1", check_e164=False),
    "byo without number": NewNumber(source=NumberSource.BYO, credential_id="cr-1"),
    "bought": NewNumber(source=NumberSource.VAPI, area_code="415", settings={"name": "Main", "assistantId": "a-1"}),
}


@asynccontextmanager
async def numbers_at(base_url: str, *, api_key: str = "test-key") -> AsyncIterator[PhoneNumbers]:
    numbers = build_numbers("vapi", AccountAccess(base_url=base_url, api_key=api_key))
    try:
        yield numbers
    finally:
        await numbers.aclose()


def at_the_simulator(
    kit: Any, scene: Callable[[PhoneNumbers], Awaitable[Any]], *, api_key: str = "test-key", **settings: Any
) -> Any:
    async def run() -> Any:
        async with (
            kit.a_house(**settings) as house,
            numbers_at(house.simulator.base_url, api_key=api_key) as numbers,
        ):
            return await scene(numbers)

    return asyncio.run(run())


@pytest.mark.parametrize("wish", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_number_of_each_source_is_taken_and_found_again(kit: Any, wish: NewNumber) -> None:
    async def scene(numbers: PhoneNumbers) -> None:
        made = await numbers.create(wish)
        assert made.id
        assert made.source == ("byo-phone-number" if wish.source is NumberSource.BYO else wish.source)
        if wish.number:
            assert made.number == wish.number
        assert TOKEN not in repr(made)
        assert await numbers.get(made.id) == made
        assert made.id in [each.id for each in await numbers.list_all()]

    at_the_simulator(kit, scene)


def test_a_number_is_given_a_name_an_assistant_and_a_squad(kit: Any) -> None:
    async def scene(numbers: PhoneNumbers) -> None:
        made = await numbers.create(IMPORTS["vonage"])
        assert (await numbers.update(made.id, {"assistantId": "a-2"})).assistant_id == "a-2"
        assert (await numbers.update(made.id, {"squadId": "s-2"})).squad_id == "s-2"
        assert (await numbers.update(made.id, {"name": "Updated Name"})).name == "Updated Name"

    at_the_simulator(kit, scene)


@pytest.mark.parametrize("on", [hooks.RINGING, hooks.ENDING])
@pytest.mark.parametrize(
    "make",
    [
        lambda on: hooks.say("Please hold while we connect you.", on=on),
        lambda on: hooks.transfer("+12025550199", on=on),
        lambda on: hooks.transfer("sip:desk@example.com", on=on),
    ],
    ids=["say", "to a number", "to a SIP address"],
)
def test_each_kind_of_hook_is_taken_and_can_be_taken_off(kit: Any, on: str, make: Callable[[str], Any]) -> None:
    async def scene(numbers: PhoneNumbers) -> None:
        made = await numbers.create(IMPORTS["telnyx"])
        hooked = await numbers.update(made.id, {"hooks": [make(on)]})
        assert list(hooked.hooks) == [make(on)]
        assert list((await numbers.update(made.id, {"hooks": []})).hooks) == []

    at_the_simulator(kit, scene)


def test_a_deleted_number_is_gone(kit: Any) -> None:
    async def scene(numbers: PhoneNumbers) -> None:
        made = await numbers.create(IMPORTS["telnyx"])
        await numbers.delete(made.id)
        with pytest.raises(NotFoundAtProviderError):
            await numbers.get(made.id)
        with pytest.raises(NotFoundAtProviderError):
            await numbers.delete(made.id)

    at_the_simulator(kit, scene)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (NewNumber(source=NumberSource.TWILIO, number="+12025550141"), "needs the Twilio account's SID"),
        (NewNumber(source=NumberSource.TWILIO, number="+1", account_sid="AC1"), "either an auth token or an API key"),
        (
            NewNumber(source=NumberSource.TWILIO, number="+1", account_sid="AC1", api_key="SK1"),
            "an API key and its secret go together",
        ),
        (NewNumber(source=NumberSource.VONAGE, credential_id="cr-1"), "vonage needs a number"),
        (NewNumber(source=NumberSource.TELNYX, number="+12025550141"), "telnyx needs a credential id"),
        (NewNumber(source=NumberSource.BYO, number="+12025550141"), "byo needs a credential id"),
        (NewNumber(source=NumberSource.VAPI, number="+12025550141"), "vapi takes no such thing as a number"),
        (NewNumber(source=NumberSource.VAPI, area_code="41"), "an area code has three digits"),
        (NewNumber(source=NumberSource.VAPI, settings={"name": "n" * 41}), "at most 40 characters"),
        (NewNumber(source=NumberSource.VAPI, settings={"assistantId": "a", "squadId": "s"}), "only one can answer"),
        (NewNumber(source=NumberSource.VAPI, settings={"colour": "red"}), "unknown setting 'colour'"),
        (NewNumber(source=NumberSource.VAPI, settings={"hooks": "x"}), "give a list"),
        (NewNumber(source=NumberSource.VAPI, settings={"hooks": [{"on": "call.dreaming"}]}), "allowed are call"),
        (
            NewNumber(source=NumberSource.VAPI, settings={"hooks": [{"on": "call.ringing", "do": [{}, {}]}]}),
            "only the first one would run",
        ),
    ],
)
def test_an_incomplete_wish_is_refused_before_anything_is_sent(wish: NewNumber, said: str) -> None:
    async def scene() -> None:
        async with numbers_at("http://127.0.0.1:1") as numbers:
            with pytest.raises(UnusableNumberError, match=said):
                await numbers.create(wish)

    asyncio.run(scene())


def test_the_providers_refusal_is_told_in_its_words(kit: Any) -> None:
    async def scene(numbers: PhoneNumbers) -> None:
        wish = NewNumber(source=NumberSource.TELNYX, number="2025550144", credential_id="cr-1")
        with pytest.raises(ProviderRefusedError, match=r"E\.164") as caught:
            await numbers.create(wish)
        assert "2025550144" not in str(caught.value)

    at_the_simulator(kit, scene)


def test_a_wrong_key_is_told_apart_from_a_wrong_wish(kit: Any) -> None:
    async def scene(numbers: PhoneNumbers) -> None:
        with pytest.raises(KeyRefusedError, match="401"):
            await numbers.create(IMPORTS["bought"])

    at_the_simulator(kit, scene, api_key="another-key")


def test_without_a_connection_nothing_was_bought() -> None:
    async def scene() -> None:
        async with numbers_at("http://127.0.0.1:1") as numbers:
            with pytest.raises(ProviderUnavailableError, match="nothing was sent"):
                await numbers.create(IMPORTS["bought"])
            with pytest.raises(ProviderUnavailableError):
                await numbers.list_all()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "answer",
    [
        ("500 Internal Server Error", b"{}"),
        ("409 Conflict", b"{}"),
        ("408 Request Timeout", b""),
        ("302 Found", b""),
        ("201 Created", b"{}"),
        ("201 Created", b"not JSON"),
        None,
    ],
    ids=str,
)
def test_a_purchase_that_is_not_answered_clearly_is_told_as_such_and_never_repeated(
    kit: Any, answer: tuple[str, bytes] | None
) -> None:
    async def behave(wire: Any) -> None:
        await wire.read_request()
        if answer is None:
            wire.reset()
        else:
            await wire.answer(*answer)

    async def scene() -> None:
        async with kit.a_raw_server(behave) as server, numbers_at(server.base_url) as numbers:
            with pytest.raises(FateUnknownError, match="look before you ask again"):
                await numbers.create(IMPORTS["bought"])
            assert server.requests == 1

    asyncio.run(scene())


def test_what_the_provider_echoes_of_a_secret_comes_back_in_no_message(kit: Any) -> None:
    async def behave(wire: Any) -> None:
        await wire.read_request()
        await wire.answer("400 Bad Request", b'{"message": "twilioAuthToken a-twilio-token is wrong"}')

    async def scene() -> None:
        async with kit.a_raw_server(behave) as server, numbers_at(server.base_url) as numbers:
            with pytest.raises(ProviderRefusedError, match=r"twilioAuthToken \[hidden\] is wrong"):
                await numbers.create(IMPORTS["twilio"])

    asyncio.run(scene())


@pytest.mark.parametrize("kind", ["cognigy", "voxworks"])
def test_a_provider_without_numbers_says_where_they_are(kind: str) -> None:
    with pytest.raises((NotOfferedError, ValueError), match=kind):
        build_numbers(kind, AccountAccess(api_key="key", account_sid="sid"))
