"""Numbers bought from Vapi: ten calls a day, none abroad; told by a refusal, or by how an accepted call ends."""

import asyncio
import json
from typing import Any

import pytest

from campaigns.providers.contract import NotDialed, NotDialedKind, Phase, Placed, Trouble

LONDON = "+442079460123"
BEFORE_ANY_CALL = {"refuse": NotDialedKind.LINE_LIMIT, "end": Trouble.LINE_SPENT}
ABROAD = {"refuse": NotDialedKind.LINE_UNFIT, "end": Trouble.LINE_UNFIT}


async def a_number(house: Any, **body: Any) -> str:
    """The id of a number of the account."""
    answer = await house.provider._http.request("POST", "/phone-number", body=json.dumps(body).encode())
    number_id: str = answer.json()["id"]
    return number_id


async def told(house: Any, kit: Any, result: Any) -> NotDialedKind | Trouble | None:
    """What the account learns of its line, in one word."""
    if isinstance(result, NotDialed):
        return result.kind
    assert isinstance(result, Placed)

    async def look() -> Any:
        report = await house.provider.fetch(result.provider_call_id)
        return report if report.phase is Phase.REPORTED else None

    report = await kit.wait_until(look)
    if report.trouble is not None:
        assert not report.verdict.counts, "nobody's phone rang"
    trouble: Trouble | None = report.trouble
    return trouble


@pytest.mark.parametrize("how", ["refuse", "end"])
def test_a_free_number_is_spent_after_its_calls_of_the_day_and_an_imported_one_is_not(kit: Any, how: str) -> None:
    async def run() -> None:
        vapi = {"free_daily_limit": 2, "free_daily_limit_told": how}
        async with kit.a_house(vapi=vapi) as house:
            free = await a_number(house, provider="vapi")
            imported = await a_number(house, provider="twilio", number="+12125550199", twilioAccountSid="AC1")
            for number, words in ((free, [None, None, BEFORE_ANY_CALL[how]]), (imported, [None, None, None])):
                results = [await house.provider.dial(kit.a_dial(f"+1212555012{n}", line=number)) for n in range(3)]
                assert [await told(house, kit, result) for result in results] == words

    asyncio.run(run())


@pytest.mark.parametrize("how", ["refuse", "end"])
def test_a_free_number_calls_no_other_country_and_an_imported_one_does(kit: Any, how: str) -> None:
    async def run() -> None:
        async with kit.a_house(vapi={"free_international_told": how}) as house:
            free = await a_number(house, provider="vapi")
            imported = await a_number(house, provider="twilio", number="+12125550199", twilioAccountSid="AC1")
            abroad = await house.provider.dial(kit.a_dial(LONDON, line=free))
            assert await told(house, kit, abroad) is ABROAD[how]
            assert await told(house, kit, await house.provider.dial(kit.a_dial(line=free))) is None
            assert await told(house, kit, await house.provider.dial(kit.a_dial(LONDON, line=imported))) is None

    asyncio.run(run())
