"""What is peculiar to the gateway: lists that hold nothing of ours, two ways to stop, ends that tell of capacity."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway_scenes import FROZEN, a_dial, play

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind, Phase, Placed, Sought, WebhookTarget

EVERYTHING = {
    "timeout": 45,
    "timeLimit": 900,
    "tag": {"plan": "gold", "deep": {"tries": 3, "vip": True}},
    "amd": {
        "thresholdWordCount": 9,
        "digitCount": 5,
        "timers": {
            "noSpeechTimeoutMs": 5000,
            "decisionTimeoutMs": 15000,
            "toneTimeoutMs": 20000,
            "greetingCompletionTimeoutMs": 2000,
        },
        "recognizer": {"vendor": "google", "language": "en-US"},
    },
    "actionHook": "/ended",
    "confirmHook": {"url": "https://example.com/confirm", "method": "POST"},
    "dtmfCapture": ["*2", "9"],
    "dtmfHook": "/keys",
    "headers": {"X-Plan": "gold"},
    "listen": {"url": "wss://example.com/audio"},
    "referHook": "/refer",
    "transcribe": {"transcriptionHook": "/words"},
    "callerName": "Example Energy",
    "speechSynthesisVendor": "google",
    "speechSynthesisLanguage": "en-US",
    "speechSynthesisVoice": "en-US-Neural2-A",
    "speechRecognizerVendor": "google",
    "speechRecognizerLanguage": "en-US",
}
PLAIN_JAMBONZ = ("timeout", "timeLimit", "tag", "amd", "headers", "referHook", "callerName", "speechSynthesisVendor")
"""Some of what plain jambonz takes as well."""


def test_every_parameter_of_the_document_is_taken_by_the_gateway(kit: Any) -> None:
    async def scene(house: Any) -> None:
        webhook = WebhookTarget("http://127.0.0.1:1/webhooks/cognigy/main/7/token", {})
        assert isinstance(await house.provider.dial(a_dial(kit, more=EVERYTHING, webhook=webhook)), Placed)

    play(kit, scene, webhooks={"enabled": False})


@pytest.mark.parametrize("key", sorted(EVERYTHING))
def test_each_parameter_alone_is_taken_by_the_gateway(kit: Any, key: str) -> None:
    async def scene(house: Any) -> None:
        webhook = WebhookTarget("http://127.0.0.1:1/webhooks/cognigy/main/7/token", {})
        assert isinstance(await house.provider.dial(a_dial(kit, more={key: EVERYTHING[key]}, webhook=webhook)), Placed)

    play(kit, scene, webhooks={"enabled": False})


@pytest.mark.parametrize(
    "to",
    [
        {"type": "phone", "trunk": "carrier-1"},
        {"type": "user", "name": "ann@pbx.example.com"},
        {"type": "sip", "sipUri": "sip:42@pbx.example.com"},
    ],
)
def test_every_kind_of_destination_is_taken_by_the_gateway(kit: Any, to: dict[str, str]) -> None:
    async def scene(house: Any) -> None:
        assert isinstance(await house.provider.dial(a_dial(kit, more={"to": to})), Placed)

    play(kit, scene)


def test_plain_jambonz_takes_a_create_that_does_not_name_a_status_hook(kit: Any) -> None:
    async def scene(house: Any) -> None:
        webhook = WebhookTarget("http://127.0.0.1:1/webhooks/cognigy/main/7/token", {})
        more = {key: EVERYTHING[key] for key in PLAIN_JAMBONZ}
        assert isinstance(await house.provider.dial(a_dial(kit, more=more, webhook=webhook)), Placed)

    play(kit, scene, access={"notify_url": False}, jambonz={"cognigy_properties": False})


def test_plain_jambonz_refuses_a_status_hook_with_an_answer_that_proves_nothing(kit: Any) -> None:
    async def scene(house: Any) -> None:
        webhook = WebhookTarget("http://127.0.0.1:1/webhooks/cognigy/main/7/token", {})
        assert isinstance(await house.provider.dial(a_dial(kit, webhook=webhook)), FateUnknown)
        assert house.stats["dials"] == 0

    play(kit, scene, jambonz={"cognigy_properties": False})


def test_an_unknown_application_is_a_mistake_in_the_settings(kit: Any) -> None:
    async def scene(house: Any) -> None:
        result = await house.provider.dial(a_dial(kit))
        assert isinstance(result, NotDialed)
        assert result.kind is NotDialedKind.CONFIG_ERROR

    play(kit, scene, jambonz={"applications": {"another": ""}})


def test_no_feature_server_is_want_of_room(kit: Any) -> None:
    async def scene(house: Any) -> None:
        result = await house.provider.dial(a_dial(kit))
        assert isinstance(result, NotDialed)
        assert result.kind is NotDialedKind.CAPACITY

    play(kit, scene, jambonz={"no_feature_server": 1.0})


def test_the_gateways_own_rate_limit_is_waited_for(kit: Any) -> None:
    async def scene(house: Any) -> None:
        assert isinstance(await house.provider.dial(a_dial(kit)), Placed)
        result = await house.provider.dial(a_dial(kit, "+12125550124"))
        assert isinstance(result, NotDialed)
        assert result.kind is NotDialedKind.RATE_LIMITED
        assert timedelta() < result.retry_after <= timedelta(seconds=300)

    play(kit, scene, jambonz={"rate_limit": 1})


def test_a_full_account_is_told_by_the_end_of_an_accepted_call_and_spends_no_attempt(kit: Any) -> None:
    async def scene(house: Any) -> None:
        await house.provider.dial(a_dial(kit))
        second = await house.provider.dial(a_dial(kit, "+12125550124"))
        assert isinstance(second, Placed)
        report = await house.provider.fetch(second.provider_call_id)
        assert (report.verdict.outcome, report.verdict.retryable, report.verdict.counts) == (
            Outcome.PROVIDER_ERROR,
            True,
            False,
        )

    play(kit, scene, concurrency_limit=1, speed=FROZEN)


def test_a_call_that_does_not_ring_yet_is_taken_back_once(kit: Any) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))
        assert await house.provider.cancel(placed.provider_call_id) is True
        assert await house.provider.cancel(placed.provider_call_id) is False
        report = await house.provider.fetch(placed.provider_call_id)
        assert (report.phase, report.verdict.outcome) == (Phase.REPORTED, Outcome.NO_ANSWER)

    play(kit, scene, speed=FROZEN)


@pytest.mark.parametrize(("stuck_at", "status"), [("ringing", 487), ("in-progress", 200)])
def test_a_call_that_rings_or_talks_is_not_taken_back_but_hung_up_in_its_own_way(
    kit: Any, stuck_at: str, status: int
) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))

        async def is_there() -> bool:
            phase = {"ringing": Phase.RINGING, "in-progress": Phase.CONNECTED}[stuck_at]
            return bool((await house.provider.fetch(placed.provider_call_id)).phase is phase)

        await kit.wait_until(is_there)
        assert await house.provider.cancel(placed.provider_call_id) is False
        assert await house.provider.end(placed.provider_call_id) is True
        assert await house.provider.end(placed.provider_call_id) is False
        assert str(status) in (await house.provider.fetch(placed.provider_call_id)).ended_reason

    play(kit, scene, faults={"stuck": 1.0, "stuck_at": stuck_at}, scripted={kit.number: ["answered"]})


def test_a_call_that_the_live_store_forgot_is_read_from_its_record(kit: Any) -> None:
    async def scene(house: Any) -> None:
        placed = await house.provider.dial(a_dial(kit))

        async def is_forgotten() -> bool:
            answer = await house.provider._http.request(
                "GET", f"/v1/Accounts/{kit.account_sid}/Calls/{placed.provider_call_id}"
            )
            return bool(answer.status == 404)

        await kit.wait_until(is_forgotten)
        report = await house.provider.fetch(placed.provider_call_id)
        assert (report.phase, report.verdict.outcome) == (Phase.REPORTED, Outcome.BUSY)
        assert report.occurred_at is not None

    play(kit, scene, scripted={kit.number: ["busy"]}, jambonz={"final_hours": 0.0})


@pytest.mark.parametrize("times", ["iso", "milliseconds", "seconds"])
def test_an_attempt_is_found_in_the_records_however_they_write_an_instant(kit: Any, times: str) -> None:
    async def scene(house: Any) -> None:
        dial = a_dial(kit)
        placed = await house.provider.dial(dial)
        finding = await found(house, [dial])
        assert [report.provider_call_id for report in finding.reports] == [placed.provider_call_id]
        assert [report.attempt_id for report in finding.reports] == [dial.attempt_id]

    play(kit, scene, scripted={kit.number: ["busy"]}, jambonz={"cdr_times": times})


async def found(house: Any, dials: list[Any], *, age: timedelta = timedelta()) -> Any:
    """What is found of attempts that were dialed just now, or so long ago."""
    sent_at = datetime.now(UTC) - age
    sought = [
        Sought(dial.attempt_id, dial.number, dial.line, claimed_at=sent_at - timedelta(seconds=2), send_by=sent_at)
        for dial in dials
    ]
    span = timedelta(minutes=5)
    return await house.provider.find(sought, created_from=sent_at - span, created_to=sent_at + span)


def test_a_call_that_still_rings_is_found_by_its_number_and_line(kit: Any) -> None:
    async def scene(house: Any) -> None:
        dial = a_dial(kit)
        placed = await house.provider.dial(dial)
        finding = await found(house, [dial, a_dial(kit, "+12125550124")])
        assert [report.provider_call_id for report in finding.reports] == [placed.provider_call_id]
        assert not finding.complete, "the other one may still be on its way"

    play(kit, scene, speed=FROZEN)


def test_two_calls_to_one_number_at_one_time_are_nobodys_and_prove_nothing(kit: Any) -> None:
    async def scene(house: Any) -> None:
        dial = a_dial(kit)
        await house.provider.dial(dial)
        await house.provider.dial(dial)
        finding = await found(house, [dial])
        assert (finding.reports, finding.complete) == ([], False)

    play(kit, scene)


def test_nothing_in_either_list_proves_absence_once_the_phone_has_rung_out(kit: Any) -> None:
    async def scene(house: Any) -> None:
        assert not (await found(house, [a_dial(kit)], age=timedelta(minutes=2))).complete
        late = await found(house, [a_dial(kit)], age=timedelta(minutes=4))
        assert (late.reports, late.complete) == ([], True)

    play(kit, scene)


def test_a_call_to_a_sip_user_from_that_line_keeps_an_attempt_from_being_absent(kit: Any) -> None:
    async def scene(house: Any) -> None:
        await house.provider.dial(a_dial(kit, more={"to": {"type": "user", "name": "ann"}}))
        finding = await found(house, [a_dial(kit)], age=timedelta(minutes=4))
        assert (finding.reports, finding.complete) == ([], False)

    play(kit, scene, speed=FROZEN)


def test_an_earlier_call_that_only_the_live_store_shows_is_dated_by_its_record(kit: Any) -> None:
    async def scene(house: Any) -> None:
        dial = a_dial(kit)
        await house.provider.dial(dial)
        later = datetime.now(UTC) + timedelta(minutes=10)
        sought = Sought(dial.attempt_id, dial.number, dial.line, claimed_at=later, send_by=later)
        house.provider._now = lambda: later + timedelta(minutes=4)

        async def is_proven() -> bool:
            """Its record follows its end by some seconds; until then it might be the attempt's."""
            finding = await house.provider.find([sought], created_from=later, created_to=later + timedelta(minutes=1))
            return bool(finding.complete and not finding.reports)

        await kit.wait_until(is_proven)

    play(kit, scene, scripted={kit.number: ["busy"]}, speed=100.0)


def test_more_records_than_a_page_holds_are_all_read(kit: Any) -> None:
    async def scene(house: Any) -> None:
        dials = [a_dial(kit, f"+12125{550_000 + n}") for n in range(1203)]
        for start in range(0, len(dials), 100):
            await asyncio.gather(*(house.provider.dial(dial) for dial in dials[start : start + 100]))
        now = datetime.now(UTC)

        async def all_recorded() -> Any:
            listing = await house.provider.list_calls(
                created_from=now - timedelta(minutes=5), created_to=now + timedelta(minutes=5)
            )
            over = [report for report in listing.reports if report.phase is Phase.REPORTED]
            return listing if len(over) == len(dials) else None

        listing = await kit.wait_until(all_recorded)
        assert listing.complete
        assert len({report.provider_call_id for report in listing.reports}) == len(dials)

    play(kit, scene, jambonz={"final_hours": 0.0}, rates={"busy": 1.0}, webhooks={"enabled": False})
