"""What changed between two versions of a campaign file, in lines that a person can read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaigns.definition.model import CampaignDefinition
from campaigns.definition.storage import dump_definition

_LONGEST = 80


def differences(old: CampaignDefinition, new: CampaignDefinition) -> tuple[str, ...]:
    """Lines such as `window.latestAt: A → B`; inline customers only as counts, for their data is personal.

    Empty when both files mean the same, however they are written.
    """
    before, after = dump_definition(old), dump_definition(new)
    return (*_compare("", _without_people(before), _without_people(after)), *_people(before, after))


def _without_people(data: Mapping[str, Any]) -> dict[str, Any]:
    customers = {key: value for key, value in data["customers"].items() if key != "list"}
    return {**data, "customers": customers}


def _compare(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _compare(f"{path}.{key}" if path else key, old.get(key), new.get(key))
    else:
        yield f"{path}: {_show(old)} → {_show(new)}"


def _show(value: Any) -> str:
    match value:
        case None:
            return "not set"
        case Mapping():
            text = "{" + ", ".join(f"{key}: {_show(each)}" for key, each in value.items()) + "}"
        case list():
            text = "[" + ", ".join(_show(each) for each in value) + "]"
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _people(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = before["customers"].get("list"), after["customers"].get("list")
    if old == new:
        return
    yield f"customers.list: {_count(old)} → {_count(new)}{_changed(old, new)}"


def _count(people: Sequence[Any] | None) -> str:
    if people is None:
        return "not set"
    return "1 customer" if len(people) == 1 else f"{len(people)} customers"


def _changed(old: Sequence[Mapping[str, Any]] | None, new: Sequence[Mapping[str, Any]] | None) -> str:
    if old is None or new is None:
        return ""
    changed = sum(before != after for before, after in zip(old, new, strict=False))
    return f" ({changed} of the first {min(len(old), len(new))} changed)" if changed else ""
