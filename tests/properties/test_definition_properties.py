"""The campaign file under arbitrary input: a definition or its problems come out; storage loses nothing."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.definition import (
    DefinitionError,
    differences,
    dump_definition,
    json_schema,
    load_definition,
    parse_definition,
    pending_keys,
)
from campaigns.definition.durations import format_duration, parse_duration
from campaigns.definition.templates import TemplateError, fill, placeholders

KEYS = [*json_schema()["properties"], "list", "file", "number", "variables", "ladder", "busy", "mon-fri", "id", "[key]"]
PIECES = [
    ": ",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!int ",
    "|\n",
    '"',
    "'",
    "#",
    "2h",
    "\t",
    "---",
    "?",
]

words = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
durations = st.integers(1, 366 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
written_durations = durations.map(format_duration)
counts = st.integers(1, 1000)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(words, json_values, max_size=3)
instants = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2026, 1, 1)).map(  # noqa: DTZ001 - the offset is added below
    lambda instant: f"{instant.isoformat()}-05:00"
)
consents = st.fixed_dictionaries(
    {"level": st.sampled_from(["pewc", "pec"]), "obtainedAt": instants, "source": words}, optional={"seller": words}
)
people = st.fixed_dictionaries(
    {"number": words},
    optional={
        "name": words,
        "zip": words,
        "timezone": st.sampled_from(["America/New_York", "UTC"]),
        "consent": consents,
        "lineType": st.sampled_from(["mobile", "landline", "voip", "unknown"]),
        "ebrInquiryAt": instants,
        "variables": st.dictionaries(words.map(lambda word: f"v{word}"), words, max_size=3),
    },
)
customers = st.one_of(
    st.fixed_dictionaries({"file": st.just("a.csv"), "columns": st.fixed_dictionaries({"number": words})}),
    st.fixed_dictionaries(
        {"list": st.lists(people, min_size=1, max_size=3)}, optional={"defaultRegion": st.just("US")}
    ),
)
hours = st.lists(st.integers(0, 24 * 60), min_size=2, max_size=2, unique=True).map(
    lambda ends: "{:02}:{:02}-{:02}:{:02}".format(*divmod(min(ends), 60), *divmod(max(ends), 60))
)
ladders = st.dictionaries(
    st.sampled_from(["no_answer", "busy", "voicemail", "provider_error"]), st.lists(written_durations, max_size=3)
)
definitions = st.fixed_dictionaries(
    {
        "campaign": st.from_regex("[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
        "purpose": st.sampled_from(["telemarketing", "informational", "debt_collection", "emergency"]),
        "seller": words,
        "account": st.just("vapi-main"),
        "assistant": st.fixed_dictionaries(
            {"inline": mappings}, optional={"overrides": mappings, "metadata": mappings}
        ),
        "lines": st.fixed_dictionaries({"pool": st.lists(words, min_size=1, max_size=3, unique=True)}),
        "customers": customers,
        "window": st.fixed_dictionaries({"earliestAt": instants, "latestAt": st.just("2026-12-12T20:00:00Z")}),
    },
    optional={
        "callingHours": st.dictionaries(st.sampled_from(["mon", "tue", "sat"]), hours, min_size=1),
        "schedule": st.fixed_dictionaries(
            {"cron": st.just("0 9 * * 1-5"), "timezone": st.just("America/Chicago"), "runFor": written_durations}
        ),
        "pacing": st.fixed_dictionaries({}, optional={"callsPerSecond": st.floats(0.001, 100), "concurrency": counts}),
        "retries": st.fixed_dictionaries({"maxAttempts": st.integers(2, 100), "ladder": ladders}),
        "budget": st.fixed_dictionaries(
            {}, optional={"dials": counts, "cost": st.decimals("0.01", 999, places=2).map(str)}
        ),
        "stopWhen": st.fixed_dictionaries({"dispositions": st.just(["booked"])}),
        "endGuard": st.integers(0, 3600).map(lambda seconds: f"{seconds}s"),
        "weight": counts,
    },
).filter(lambda data: data["purpose"] != "emergency" or "schedule" not in data)  # an emergency does not recur


@given(duration=durations | st.just(timedelta()))
def test_a_duration_survives_being_written_and_read(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(data=definitions)
@settings(max_examples=60)
def test_a_definition_survives_being_stored_and_loaded(data: Mapping[str, Any]) -> None:
    definition = load_definition(data)
    stored = json.loads(json.dumps(dump_definition(definition), allow_nan=False))
    loaded = load_definition(stored)
    assert loaded == definition
    assert differences(definition, loaded) == ()
    assert pending_keys(loaded) == pending_keys(definition)


@given(data=definitions)
@settings(max_examples=60)
def test_json_is_a_way_to_write_a_campaign_file(data: Mapping[str, Any]) -> None:
    source = json.dumps(data, ensure_ascii=False).encode()
    assert parse_definition(source, file="a.yaml") == load_definition(data)


@given(source=st.binary(max_size=200))
@settings(max_examples=150)
def test_arbitrary_bytes_give_problems_and_nothing_else(source: bytes) -> None:
    with suppress(DefinitionError):
        parse_definition(source, file="a.yaml")


@given(parts=st.lists(st.sampled_from([*KEYS, *PIECES]) | st.text(max_size=5), max_size=40))
@settings(max_examples=150)
def test_arbitrary_yaml_gives_problems_and_nothing_else(parts: list[str]) -> None:
    with suppress(DefinitionError):
        parse_definition("".join(parts).encode(errors="ignore"), file="a.yaml")


@given(
    data=st.dictionaries(
        st.sampled_from(KEYS),
        st.recursive(
            json_values,
            lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=3) | st.lists(inner, max_size=2),
            max_leaves=8,
        ),
    )
)
@settings(max_examples=150)
def test_every_problem_has_a_place_and_a_sentence(data: dict[str, Any]) -> None:
    try:
        parse_definition(json.dumps(data, indent=1).encode(), file="a.yaml")
    except DefinitionError as error:
        for problem in error.problems:
            assert problem.message
            assert problem.render().isprintable()
            assert data == {} or (problem.line or 0) >= 1


@given(data=definitions, key=st.sampled_from(["campaign", "purpose", "seller", "lines", "window", "customers"]))
@settings(max_examples=30)
def test_a_required_key_that_is_missing_is_always_named(data: dict[str, Any], key: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_definition({name: value for name, value in data.items() if name != key})
    assert key in {problem.path for problem in caught.value.problems}


@given(template=st.text(st.sampled_from("{} ab"), max_size=12))
def test_a_template_that_is_accepted_can_be_filled(template: str) -> None:
    with suppress(TemplateError):
        names = placeholders(template)
        assert "{" not in fill(template, dict.fromkeys(names, "x")).replace("{", "", template.count("{{"))
