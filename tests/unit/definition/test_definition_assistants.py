"""The assistant block for three providers: its sources, the keys of each, their types and their templates."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from campaigns.definition import Problem, dump_definition, json_schema, load_definition, parse_definition
from campaigns.definition.assistant import SETTINGS_BY_PROVIDER, SOURCES_BY_PROVIDER, TEXT_KEYS, AssistantBlock
from campaigns.definition.assistant_checks import templates_of
from campaigns.definition.yaml_nodes import json_value
from campaigns.definition.yaml_reader import read_yaml

Problems = Callable[[str | bytes], tuple[Problem, ...]]
Spoil = Callable[[str, str], str]

BLOCK = 'assistant: {id: 6f1c2a90, variables: {firstName: "{name}", plan: "{plan}"}}'
HANG_UP = "voicemail: {action: hangUp}\n"

COGNIGY = """\
assistant:
  applicationSid: 6d1d1c1e-2e3f-4a4b-8c5d-000000000001
  to: {type: user, name: "{sipUser}"}
  timeout: 45
  timeLimit: 900
  tag: {plan: "{plan}", tries: 3, vip: true, nested: {list: ["{name}", 7]}}
  amd:
    thresholdWordCount: 9
    digitCount: 5
    timers: {noSpeechTimeoutMs: 5000, decisionTimeoutMs: 15000, toneTimeoutMs: 20000, greetingCompletionTimeoutMs: 2000}
    recognizer: {vendor: google, language: en-US}
  actionHook: https://example.com/ended
  confirmHook: {url: https://example.com/confirm, method: GET}
  dtmfCapture: ["*2", 12]
  dtmfHook: /dtmf
  headers: {X-Plan: "{plan}", X-Priority: 1}
  listen: {url: wss://example.com/audio, mixType: stereo}
  referHook: https://example.com/refer
  transcribe: {transcriptionHook: /words, recognizer: {vendor: google, language: en-US}}
  callerName: Example Energy
  speechSynthesisVendor: google
  speechSynthesisLanguage: en-US
  speechSynthesisVoice: en-US-Neural2-A
  speechRecognizerVendor: google
  speechRecognizerLanguage: en-US
"""

VAPI = """\
assistant:
  id: 6f1c2a90
  version: 3
  variables: {firstName: "{name}"}
  overrides: {maxDurationSeconds: 600}
  metadata: {team: 7}
  customer:
    extension: 12
    email: "{email}"
    sipUri: "sip:{number}@sbc.example.com"
    numberE164CheckEnabled: false
    assistantOverrides: {firstMessage: "Hello {name}", maxDurationSeconds: 300}
  transport: {conversationType: voice}
"""

VOXWORKS = """\
assistant:
  scriptId: 12345
  objects:
    vehicle: {make: "{make}", year: 2024, electric: true}
    booking: {reference: "{externalId}"}
"""


@pytest.fixture
def with_assistant(good: str) -> Callable[[str], str]:
    """The good file with another assistant, and without what only Vapi does at a machine."""

    def exchange(block: str) -> str:
        return good.replace(BLOCK, block.strip()).replace(HANG_UP, "")

    return exchange


def assistant_in(text: str) -> dict[str, Any]:
    return parse_definition(text.encode(), file="a.yaml").assistant


def test_every_key_of_a_cognigy_assistant_is_read_with_its_type(with_assistant: Callable[[str], str]) -> None:
    assistant = assistant_in(with_assistant(COGNIGY))

    assert set(assistant) == {"applicationSid", *SETTINGS_BY_PROVIDER["cognigy"]}
    assert (assistant["timeout"], assistant["timeLimit"]) == (45, 900)
    assert assistant["tag"] == {"plan": "{plan}", "tries": 3, "vip": True, "nested": {"list": ["{name}", 7]}}
    assert assistant["amd"]["timers"]["greetingCompletionTimeoutMs"] == 2000
    assert assistant["confirmHook"] == {"url": "https://example.com/confirm", "method": "GET"}
    assert assistant["dtmfCapture"] == ["*2", "12"]
    assert assistant["headers"] == {"X-Plan": "{plan}", "X-Priority": "1"}


def test_every_key_of_a_vapi_assistant_is_read_with_its_type(with_assistant: Callable[[str], str]) -> None:
    assistant = assistant_in(with_assistant(VAPI))

    assert set(assistant) == {"id", *SETTINGS_BY_PROVIDER["vapi"]}
    assert assistant["version"] == "3"
    assert assistant["customer"] == {
        "extension": "12",
        "email": "{email}",
        "sipUri": "sip:{number}@sbc.example.com",
        "numberE164CheckEnabled": False,
        "assistantOverrides": {"firstMessage": "Hello {name}", "maxDurationSeconds": 300},
    }


def test_a_voxworks_assistant_has_a_script_and_objects(with_assistant: Callable[[str], str]) -> None:
    assert assistant_in(with_assistant(VOXWORKS)) == {
        "scriptId": "12345",
        "objects": {
            "vehicle": {"make": "{make}", "year": 2024, "electric": True},
            "booking": {"reference": "{externalId}"},
        },
    }


@pytest.mark.parametrize("block", [VAPI, COGNIGY, VOXWORKS])
def test_what_is_stored_of_an_assistant_reads_back_the_same(with_assistant: Callable[[str], str], block: str) -> None:
    definition = parse_definition(with_assistant(block).encode(), file="a.yaml")
    assert load_definition(dump_definition(definition)) == definition


@pytest.mark.parametrize("block", [VAPI, COGNIGY, VOXWORKS])
def test_editors_accept_every_assistant_that_we_accept(with_assistant: Callable[[str], str], block: str) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    data = json_value(read_yaml(with_assistant(block).encode()).root)
    assert [error.message for error in validator.iter_errors(data)] == []


@pytest.mark.parametrize("key", ["timeLimit: 60", "objects: {lead: {a: b}}", "scheduledTime: now"])
def test_editors_refuse_a_key_of_another_provider(spoil: Spoil, key: str) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    data = json_value(read_yaml(spoil("id: 6f1c2a90", f"id: x, {key}").encode()).root)
    assert not validator.is_valid(data)


COGNIGY_MISTAKES = [
    ("timeout: 0", "assistant.timeout", "a number of at least 1"),
    ("timeout: 601", "assistant.timeout", "a number of at most 600"),
    ("timeout: 60s", "assistant.timeout", "a whole number"),
    ("timeout: true", "assistant.timeout", "a whole number"),
    ("timeLimit: [1]", "assistant.timeLimit", "a whole number"),
    ("tag: plan", "assistant.tag", "your own data is a mapping"),
    ("tag: {attempt_id: x}", "assistant.tag", "attempt_id is Ringfence's own"),
    ('tag: {a: {b: "{plan"}}', "assistant.tag.a.b", "no partner"),
    ('tag: {a: ["{{plan}}"]}', "assistant.tag.a[0]", "single braces"),
    ("tag: {a: {plan}}", "assistant.tag.a", "must be quoted"),
    ("amd: true", "assistant.amd", "a mapping of keys and values"),
    ("amd: {digitcount: 3}", "assistant.amd.digitcount", "did you mean digitCount"),
    ("amd: {timers: {noSpeechTimeoutMs: 5s}}", "assistant.amd.timers.noSpeechTimeoutMs", "a whole number"),
    ("amd: {timers: {speech: 5}}", "assistant.amd.timers.speech", "not known here"),
    ("actionHook: nowhere", "assistant.actionHook", "this is no address"),
    ("actionHook: ftp://example.com/x", "assistant.actionHook", "this is no address"),
    ("actionHook: https://me:secret@example.com/x", "assistant.actionHook", "no password"),
    ("referHook: {url: /x, method: PUT}", "assistant.referHook", "GET or POST"),
    ("confirmHook: {uri: /x}", "assistant.confirmHook", "no key uri"),
    ("dtmfHook: /keys", "assistant.dtmfHook", "no effect without dtmfCapture"),
    ("dtmfCapture: [1]", "assistant.dtmfCapture", "no effect without dtmfHook"),
    ("dtmfCapture: [hello], dtmfHook: /keys", "assistant.dtmfCapture[0]", "these are no keys"),
    ("dtmfCapture: [], dtmfHook: /keys", "assistant.dtmfCapture", "a list of at least one"),
    ("headers: {X Plan: gold}", "assistant.headers.X Plan", "no header's name"),
    ('headers: {X-Plan: "{plan"}', "assistant.headers.X-Plan", "no partner"),
    ("listen: {mixType: mono}", "assistant.listen.url", "does not say where the audio goes"),
    ("listen: {}", "assistant.listen", "at least one"),
    ("transcribe: yes", "assistant.transcribe", "a mapping of keys and values"),
    ("to: {type: teams}", "assistant.to.type", "phone, user, sip"),
    ("to: {type: user}", "assistant.to", "name is missing"),
    ("to: {type: sip, name: bob}", "assistant.to", "name does not fit"),
    ("to: {type: phone, number: 12}", "assistant.to.number", "not known here"),
    ("timelimit: 60", "assistant.timelimit", "did you mean timeLimit"),
    ("variables: {a: b}", "assistant.variables", "variables is for Vapi"),
    ("objects: {lead: {a: b}}", "assistant.objects", "objects is for Voxworks"),
    ("id: x", "assistant.applicationSid", "cannot stand beside id"),
]


@pytest.mark.parametrize(("key", "path", "message"), COGNIGY_MISTAKES)
def test_a_mistake_in_a_cognigy_assistant_is_named_at_its_place(
    with_assistant: Callable[[str], str], problems_of: Problems, key: str, path: str, message: str
) -> None:
    block = f"assistant: {{applicationSid: app-1, {key}}}"
    (problem,) = [each for each in problems_of(with_assistant(block)) if each.path == path]
    assert message in problem.message
    assert problem.line == 5


@pytest.mark.parametrize(
    ("key", "path", "message"),
    [
        ("scheduledTime: 2026-12-01T08:00:00Z", "assistant.scheduledTime", "Ringfence itself decides when"),
        ("objects: [lead]", "assistant.objects", "a mapping of keys and values"),
        ("objects: {lead: Ann}", "assistant.objects.lead", "a mapping of keys and values"),
        ("objects: {}", "assistant.objects", "at least one"),
        ('objects: {lead: {a: "{b"}}', "assistant.objects.lead.a", "no partner"),
        ("objects: {lead: {plan: {plan}}}", "assistant.objects.lead.plan", "must be quoted"),
        ("timeLimit: 60", "assistant.timeLimit", "timeLimit is for Cognigy"),
        ("metadata: {a: b}", "assistant.metadata", "metadata is for Vapi"),
    ],
)
def test_a_mistake_in_a_voxworks_assistant_is_named_at_its_place(
    with_assistant: Callable[[str], str], problems_of: Problems, key: str, path: str, message: str
) -> None:
    (problem,) = problems_of(with_assistant(f"assistant: {{scriptId: s-1, {key}}}"))
    assert (problem.path, problem.line) == (path, 5)
    assert message in problem.message


@pytest.mark.parametrize(
    ("key", "path", "message"),
    [
        ("schedulePlan: {earliestAt: now}", "assistant.schedulePlan", "Ringfence itself decides when"),
        ("customer: {number: 1}", "assistant.customer.number", "not known here"),
        ("customer: {numberE164CheckEnabled: maybe}", "assistant.customer.numberE164CheckEnabled", "true or false"),
        ('customer: {email: "{email"}', "assistant.customer.email", "no partner"),
        ('customer: {assistantOverrides: {firstMessage: "Hello {name"}}',
         "assistant.customer.assistantOverrides.firstMessage", "no partner"),
        ("transport: sip", "assistant.transport", "a mapping of keys and values"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_vapi_assistant_is_named_at_its_place(
    spoil: Spoil, problems_of: Problems, key: str, path: str, message: str
) -> None:
    (problem,) = problems_of(spoil("id: 6f1c2a90", f"id: x, {key}"))
    assert (problem.path, problem.line) == (path, 5)
    assert message in problem.message


@pytest.mark.parametrize("key", ["timeLimit: 60", "headers: {X-Plan: a}", "to: {type: phone}", "objects: {a: {b: c}}"])
def test_a_vapi_assistant_has_no_keys_of_the_others(spoil: Spoil, problems_of: Problems, key: str) -> None:
    (problem,) = problems_of(spoil("id: 6f1c2a90", f"id: x, {key}"))
    assert "and id names an assistant at Vapi" in problem.message
    assert problem.column is not None


@pytest.mark.parametrize(("source", "decider"), [("applicationSid", "application"), ("scriptId", "script")])
def test_only_vapi_is_told_what_to_do_at_a_machine(
    spoil: Spoil, problems_of: Problems, source: str, decider: str
) -> None:
    text = spoil('id: 6f1c2a90, variables: {firstName: "{name}", plan: "{plan}"}', f"{source}: x")
    (problem,) = problems_of(text)
    assert problem.path == "voicemail"
    assert f"decided by your {decider}" in problem.message


def test_a_customer_of_the_list_must_have_what_the_tag_asks_for(inline: str, problems_of: Problems) -> None:
    block = 'assistant: {applicationSid: x, tag: {deep: {tier: "{tier}"}}}'
    problems = problems_of(inline.replace('assistant: {id: a1, variables: {plan: "{plan}"}}', block))
    assert len(problems) == 2
    assert "assistant.tag.deep.tier asks for {tier}" in problems[0].message


def test_the_templates_of_a_block_are_known_by_their_place() -> None:
    block = {"applicationSid": "{no}", "tag": {"a": ["{b}", 1]}, "headers": {"X-A": "c"}, "metadata": {"m": "{no}"}}
    assert templates_of(block) == {"tag.a.0": "{b}", "headers.X-A": "c"}


def test_every_key_of_the_block_belongs_to_one_provider() -> None:
    of_one = [
        key
        for provider in SOURCES_BY_PROVIDER
        for key in (*SOURCES_BY_PROVIDER[provider], *SETTINGS_BY_PROVIDER[provider])
    ]
    assert sorted(of_one) == sorted(AssistantBlock.known_keys())
    assert set(of_one) >= TEXT_KEYS
