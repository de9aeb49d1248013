"""Keys that come with a later version, what changed between two files, and what editors are told."""

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from campaigns.definition import (
    differences,
    dump_definition,
    json_schema,
    load_definition,
    parse_definition,
    pending_keys,
)
from campaigns.definition.yaml_nodes import json_value
from campaigns.definition.yaml_reader import read_yaml

Spoil = Callable[[str, str], str]


def pending_paths(text: str) -> list[str]:
    return [pending.path for pending in pending_keys(parse_definition(text.encode(), file="a.yaml"))]


def test_the_keys_of_the_whole_example_that_have_no_effect_yet_are_named(good: str) -> None:
    assert pending_paths(good) == ["budget.cost", "lines.choose"]


@pytest.mark.parametrize(
    ("piece", "instead", "path"),
    [
        ("overlap: skip", "overlap: queue", "schedule.overlap"),
    ],
)
def test_a_key_without_effect_yet_is_named(spoil: Spoil, piece: str, instead: str, path: str) -> None:
    assert path in pending_paths(spoil(piece, instead))


def test_keys_with_effect_are_not_pending(spoil: Spoil) -> None:
    text = spoil("lines: {pool: [pn-1, pn-2], choose: nearest, ", "lines: {pool: [pn-1, pn-2], ")
    text = text.replace(", cost: 500.00", "").replace("stopWhen: {dispositions: [booked, opt_out]}", "weight: 2")
    assert (
        pending_paths(
            text.replace(
                "state: st",
                "lineType: st, consentSeller: se, externalId: id, person: p, debt: d, exemption: e, ebrInquiryAt: i",
            )
        )
        == []
    )


def test_a_pending_key_says_why(good: str) -> None:
    first = pending_keys(parse_definition(good.encode(), file="a.yaml"))[0]
    assert first.why == "costs are not yet counted while a campaign runs"


def changes(old: str, new: str) -> tuple[str, ...]:
    return differences(*(parse_definition(text.encode(), file="a.yaml") for text in (old, new)))


def test_files_that_mean_the_same_do_not_differ(good: str, spoil: Spoil) -> None:
    assert changes(good, spoil("2026-12-01T08:00:00-05:00", '"2026-12-01T13:00:00Z"')) == ()


def test_a_difference_names_the_key_and_both_values(good: str, spoil: Spoil) -> None:
    assert changes(good, spoil("2026-12-12T20:00:00-05:00", "2026-12-11T20:00:00-05:00")) == (
        "window.latestAt: 2026-12-13T01:00:00Z → 2026-12-12T01:00:00Z",
    )


def test_a_key_that_came_or_went_was_not_set(good: str, spoil: Spoil) -> None:
    assert changes(good, spoil("voicemail: {action: hangUp}\n", "")) == ("voicemail: {action: hangUp} → not set",)
    assert changes(spoil(", cost: 500.00", ""), good) == ("budget.cost: not set → 500.00",)


def test_lists_are_shown_as_they_are_written(good: str, spoil: Spoil) -> None:
    assert changes(good, spoil("[2h, 27h]", "[2h]")) == ("retries.ladder.no_answer: [2h, 27h] → [2h]",)


def test_inline_customers_are_only_counted(inline: str) -> None:
    start, end = inline.index('    - number: "+1303'), inline.index("window:")
    assert changes(inline, inline[:start] + inline[end:]) == ("customers.list: 2 customers → 1 customer",)
    assert changes(inline, inline.replace("name: Ann", "name: Eve")) == (
        "customers.list: 2 customers → 2 customers (1 of the first 2 changed)",
    )


def test_from_a_file_to_a_list_is_a_difference_without_people(good: str, inline: str) -> None:
    lines = [line for line in changes(inline, good) if line.startswith("customers")]
    assert "customers.list: 2 customers → not set" in lines
    assert not any("Ann" in line or "5550123" in line for line in lines)


def as_editors_read_it(text: str) -> Any:
    return json_value(read_yaml(text.encode()).root)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_accepts_the_whole_example(
    validator: jsonschema.Draft202012Validator, good: str, inline: str
) -> None:
    assert [error.message for error in validator.iter_errors(as_editors_read_it(good))] == []
    assert [error.message for error in validator.iter_errors(as_editors_read_it(inline))] == []


def test_the_schema_accepts_what_is_stored(validator: jsonschema.Draft202012Validator, good: str) -> None:
    stored = dump_definition(parse_definition(good.encode(), file="a.yaml"))
    assert [error.message for error in validator.iter_errors(stored)] == []


def test_the_schema_accepts_its_own_example(validator: jsonschema.Draft202012Validator) -> None:
    (example,) = json_schema()["examples"]
    assert validator.is_valid(example)
    load_definition(example)


@pytest.mark.parametrize(
    ("piece", "instead"),
    [
        ("perDay", "perday"),
        ("mon-fri", "mon-fry"),
        ("busy:", "answered:"),
        ("runFor: 10h", "runFor: ten"),
        ("purpose: telemarketing\n", ""),
        ("  file: customers.csv\n", ""),
        ("id: 6f1c2a90", "id: a, squadId: b"),
    ],
)
def test_the_schema_refuses_a_misspelt_key_or_value(
    validator: jsonschema.Draft202012Validator, spoil: Spoil, piece: str, instead: str
) -> None:
    assert not validator.is_valid(as_editors_read_it(spoil(piece, instead)))


def described(schema: dict[str, Any], path: str) -> Iterator[tuple[str, bool]]:
    for key, value in schema.get("properties", {}).items():
        yield f"{path}.{key}", bool(value.get("description"))
    for name, definition in schema.get("$defs", {}).items():
        yield from described(definition, name)


def test_the_schema_describes_every_key() -> None:
    missing = [path for path, has_description in described(json_schema(), "campaign file") if not has_description]
    assert missing == []


def test_the_schema_says_which_draft_it_is() -> None:
    assert json_schema()["$schema"].endswith("/draft/2020-12/schema")
