"""Webhooks of the simulated jambonz: statuses, who picked up, signatures, retries."""

import hashlib
import hmac
import time
from collections import Counter
from typing import Any

import pytest
from jambonz_client import ACCOUNT, APPLICATION, NUMBER, QUICK, Client, Receiver, a_receiver, play, until

from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.jambonz.hooks import target_of

ANSWERED = {"speed": QUICK, "scripted": {NUMBER: ["answered"]}, "ring": [1, 1], "talk": [10, 10]}
VOICEMAIL = {**ANSWERED, "scripted": {NUMBER: ["voicemail"]}}
FINAL = {"completed", "failed", "busy", "no-answer"}


def told(
    create: dict[str, Any],
    *,
    path: str = "/status",
    least: int = 1,
    answers: tuple[int, ...] = (),
    hook: str = "status",
    **settings: Any,
) -> Receiver:
    """Everything that was received of one call until it was over and `least` webhooks had come to `path`.
    `{url}` in hooks is the receiver's."""

    async def scene(client: Client) -> Receiver:
        async with a_receiver(*answers) as receiver:
            if hook:
                client.simulator.simulation.change({"jambonz": {"call_status_hook": f"{receiver.url}/{hook}"}})
            await client.create_one(**_filled(create, url=receiver.url))

            async def is_over() -> bool:
                return await _is_over(client) and len(receiver.bodies(path)) >= least

            await until(is_over)
            return receiver

    found: Receiver = play(scene, **settings)
    return found


async def _is_over(client: Client) -> bool:
    page = await client.recent()
    _, stats = await client.ask("GET", "/simulator/stats")
    return page["total"] > 0 and stats["webhooks_waiting"] == 0


def _filled(value: Any, *, url: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, url=url) for key, inner in value.items()}
    return value.replace("{url}", url) if isinstance(value, str) else value


def test_the_applications_hook_hears_every_status_with_the_tag() -> None:
    bodies = told({"tag": {"attempt_id": "attempt-1", "n": 7}}, **ANSWERED).bodies("/status")

    assert [body["call_status"] for body in bodies] == ["trying", "ringing", "in-progress", "completed"]
    assert [body["sip_status"] for body in bodies] == [100, 180, 200, 200]
    assert all(body["customerData"] == {"attempt_id": "attempt-1", "n": 7} for body in bodies)
    assert {body["account_sid"] for body in bodies} == {ACCOUNT}
    assert {body["application_sid"] for body in bodies} == {APPLICATION}
    assert {"call_sid", "call_id", "sbc_callid", "from", "to", "direction", "trace_id", "fs_sip_address",
            "api_base_url", "sip_reason"} <= set(bodies[0])  # fmt: skip


def test_duration_and_who_ended_it_come_at_the_end_only() -> None:
    *before, last = told({}, **ANSWERED).bodies("/status")

    assert last["duration"] == 10
    assert last["call_termination_by"] in {"caller", "jambonz"}
    assert not any("duration" in body or "call_termination_by" in body for body in before)


def test_a_call_that_nobody_took_has_no_duration() -> None:
    last = told({}, **{**ANSWERED, "scripted": {NUMBER: ["busy"]}}).bodies("/status")[-1]

    assert last["sip_status"] in {486, 600}
    assert "duration" not in last


def test_the_tag_is_trimmed_and_its_urls_are_written_in_their_normal_form() -> None:
    tag = {"a": " x ", "url": "https://a.example", "path": "https://a.example/b", "deep": {"b": " y"}, "n": 1}
    body = told({"tag": tag}, **ANSWERED).bodies("/status")[0]

    echo = {"a": "x", "url": "https://a.example/", "path": "https://a.example/b", "deep": {"b": "y"}, "n": 1}
    assert body["customerData"] == echo


@pytest.mark.parametrize("hook", ["{url}/own", {"url": "{url}/own", "method": "POST"}])
@pytest.mark.parametrize("name", ["notifyUrl", "notifyURL"])
def test_a_calls_own_status_hook_comes_in_addition_to_the_applications(name: str, hook: Any) -> None:
    receiver = told({name: hook}, path="/own", least=4, **ANSWERED)

    assert len(receiver.bodies("/own")) == len(receiver.bodies("/status")) == 4


def test_a_status_hook_in_the_create_is_overwritten_by_the_applications() -> None:
    receiver = told({"call_status_hook": "{url}/own"}, least=4, **ANSWERED)

    assert (len(receiver.bodies("/own")), len(receiver.bodies("/status"))) == (0, 4)


def test_the_action_hook_hears_the_end_once() -> None:
    (body,) = told({"actionHook": "{url}/action"}, path="/action", **ANSWERED).bodies("/action")

    assert (body["dial_call_status"], body["dial_sip_status"]) == ("completed", 200)


@pytest.mark.parametrize(("settings", "word"), [(ANSWERED, "amd_human_detected"), (VOICEMAIL, "amd_machine_detected")])
def test_detection_tells_its_own_hook_who_picked_up(settings: dict[str, Any], word: str) -> None:
    receiver = told({"amd": {"actionHook": "{url}/amd"}}, path="/amd", least=2, **settings)
    events = receiver.bodies("/amd")

    assert events[0]["type"] == word
    assert events[-1]["type"] == "amd_stopped"
    assert {event["call_sid"] for event in events} == {receiver.bodies("/status")[0]["call_sid"]}
    assert not any("customerData" in event for event in events)
    assert not any(event.get("type") for event in receiver.bodies("/status"))


def test_detection_may_come_after_completed() -> None:
    late = {"amd_after_completed": 1.0, "amd_lateness": [1, 1]}
    receiver = told({"amd": {"actionHook": "{url}/amd"}}, path="/amd", least=3, jambonz=late, **VOICEMAIL)
    order = [each.body.get("type") or each.body["call_status"] for each in receiver.received]

    assert order.index("completed") < order.index("amd_machine_detected")


def test_detection_may_find_no_word_and_may_bring_the_tag() -> None:
    switches = {"amd_undecided": 1.0, "amd_customer_data": True}
    receiver = told({"amd": {"actionHook": "{url}/amd"}}, path="/amd", least=2, jambonz=switches, **ANSWERED)

    assert [event["type"] for event in receiver.bodies("/amd")] == ["amd_decision_timeout", "amd_stopped"]
    assert all(event["customerData"] for event in receiver.bodies("/amd"))


def test_nothing_is_detected_on_a_call_that_nobody_took() -> None:
    receiver = told({"amd": {"actionHook": "{url}/amd"}}, **{**ANSWERED, "scripted": {NUMBER: ["busy"]}})

    assert receiver.bodies("/amd") == []


def test_ringing_may_repeat_and_early_media_may_come() -> None:
    switches = {"early_media": 1.0, "repeated_ringing": 1.0}
    bodies = told({}, least=6, jambonz=switches, **{**ANSWERED, "ring": [5, 5]}).bodies("/status")

    counts = Counter(body["call_status"] for body in bodies)
    assert (counts["ringing"], counts["early-media"], counts["completed"]) == (2, 1, 1)


def test_the_first_status_may_be_queued() -> None:
    assert told({}, jambonz={"first_status": "queued"}, **ANSWERED).bodies("/status")[0]["call_status"] == "queued"


def test_a_webhook_is_signed_over_its_very_bytes_once_for_each_secret() -> None:
    secrets = ["wh_secret_new", "wh_secret_old"]
    received = told({}, jambonz={"webhook_secrets": secrets}, **ANSWERED).received[0]

    stamp, *proofs = received.headers["Jambonz-Signature"].split(",")
    at = stamp.removeprefix("t=")
    signed = at.encode() + b"." + received.raw
    assert proofs == [f"v1={hmac.new(s.encode(), signed, hashlib.sha256).hexdigest()}" for s in secrets]
    assert abs(int(at) - time.time()) < 60


@pytest.mark.parametrize("age", [600, -600])
def test_a_signature_can_be_too_old_or_too_young(age: int) -> None:
    switches = {"webhook_secrets": ["s"], "signature_age": age}
    received = told({}, jambonz=switches, **ANSWERED).received[0]

    at = int(received.headers["Jambonz-Signature"].split(",")[0].removeprefix("t="))
    assert time.time() - at == pytest.approx(age, abs=60)


def test_without_secrets_nothing_is_signed() -> None:
    assert "Jambonz-Signature" not in told({}, **ANSWERED).received[0].headers


def test_a_failed_webhook_is_not_sent_again_unless_the_hook_asks_for_it() -> None:
    never = told({}, least=4, answers=(500,), **ANSWERED)
    again = told({}, least=5, answers=(500,), hook="status#rc=2&rp=5xx", **ANSWERED)

    assert len(never.bodies("/status")) == 4
    assert Counter(body["call_status"] for body in again.bodies("/status"))["trying"] == 2


@pytest.mark.parametrize(
    ("fragment", "retries", "after", "never_after"),
    [
        ("", 0, set(), {None, 404, 500}),
        ("#rc=3", 3, {None}, {404, 500}),
        ("#rc=9&rp=all", 5, {None, 302, 404, 500}, set()),
        ("#rc=2&rp=4xx,rt", 2, {None, 404}, {500}),
        ("#rc=x&rp=5xx", 0, {500}, {404, None}),
    ],
)
def test_a_hooks_fragment_says_what_is_tried_again(
    fragment: str, retries: int, after: set[Any], never_after: set[Any]
) -> None:
    target = target_of(f"https://a.example/hook{fragment}", config=SimulatorConfig())

    assert (target.url, target.max_retries) == ("https://a.example/hook", retries)
    assert not target.never_again & (after if retries else set())
    assert never_after <= target.never_again or not retries


def test_webhooks_are_lost_and_doubled_as_for_the_other_providers() -> None:
    doubled = told({}, least=8, webhooks={"duplicated": 1.0}, **ANSWERED)
    assert len(doubled.bodies("/status")) == 8

    lost = told({}, least=0, webhooks={"lost": 1.0}, **ANSWERED)
    assert lost.received == []


def test_the_hook_of_a_known_application_goes_before_the_common_one() -> None:
    async def scene(client: Client) -> Receiver:
        async with a_receiver() as receiver:
            hooks = {"applications": {APPLICATION: f"{receiver.url}/application"},
                     "call_status_hook": f"{receiver.url}/status"}  # fmt: skip
            client.simulator.simulation.change({"jambonz": hooks})
            await client.create_one()

            async def is_over() -> bool:
                return await _is_over(client)

            await until(is_over)
            return receiver

    receiver = play(scene, **ANSWERED)
    assert (len(receiver.bodies("/application")), len(receiver.bodies("/status"))) == (4, 0)


def test_a_hook_that_is_relative_to_its_application_goes_nowhere() -> None:
    assert told({"notifyUrl": "/relative"}, hook="", least=0, **ANSWERED).received == []
