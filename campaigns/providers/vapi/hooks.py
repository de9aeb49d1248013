"""Hooks of a phone number: what happens when somebody calls it, before an assistant speaks or instead of one.

Vapi carries out the first action only, so more than one is refused here rather than ignored there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaigns.providers.numbers import UnusableNumberError

RINGING, ENDING = "call.ringing", "call.ending"
MOST_SAID = 4000
"""Characters that Vapi takes for a text to say."""
_KEYS = frozenset({"on", "filters", "do"})
_ACTIONS: Mapping[str, frozenset[str]] = {"say": frozenset({"type", "exact"}),
                                          "transfer": frozenset({"type", "destination"})}  # fmt: skip


def say(text: str, *, on: str) -> dict[str, Any]:
    """A hook that says the text to whoever calls."""
    return _hook({"type": "say", "exact": text}, on=on)


def transfer(destination: str, *, on: str) -> dict[str, Any]:
    """A hook that passes the caller on: to a number in E.164, or to a SIP URI."""
    if destination.startswith("sip:"):
        return _hook({"type": "transfer", "destination": {"type": "sip", "sipUri": destination}}, on=on)
    return _hook({"type": "transfer", "destination": {"type": "number", "number": destination}}, on=on)


def _hook(action: Mapping[str, Any], *, on: str) -> dict[str, Any]:
    """`call.ringing` takes a list of actions, `call.ending` a single one."""
    return {"on": on, "do": [action] if on == RINGING else action}


def require_sound(hooks: object) -> None:
    """Raises `UnusableNumberError` with the first thing that Vapi would refuse or ignore."""
    if not isinstance(hooks, Sequence) or isinstance(hooks, str):
        raise UnusableNumberError("hooks: give a list, empty to have none")
    for place, hook in enumerate(hooks):
        for problem in _problems(hook):
            raise UnusableNumberError(f"hooks[{place}]{problem}")


def _problems(hook: object) -> Iterator[str]:
    if not isinstance(hook, Mapping):
        yield ": give an object with on and do"
        return
    if unknown := sorted(set(map(str, hook)) - _KEYS):
        yield f".{unknown[0]}: unknown key; allowed are do, filters, on"
    if hook.get("on") not in (RINGING, ENDING):
        yield f".on: allowed are {RINGING}, {ENDING}"
        return
    yield from _action_problems(hook)


def _action_problems(hook: Mapping[str, Any]) -> Iterator[str]:
    actions = hook.get("do")
    if hook["on"] == ENDING:
        actions = [actions]
    if not isinstance(actions, Sequence) or isinstance(actions, str):
        yield f".do: {RINGING} takes a list of one action"
        return
    if len(actions) != 1:
        yield f".do: found {len(actions)} actions; only the first one would run, so give exactly one"
        return
    yield from _one_action(actions[0])


def _one_action(action: object) -> Iterator[str]:
    kind = str(action.get("type")) if isinstance(action, Mapping) else ""
    if not isinstance(action, Mapping) or kind not in _ACTIONS:
        yield f".do: the action's type must be one of {', '.join(sorted(_ACTIONS))}"
        return
    if unknown := sorted(set(map(str, action)) - _ACTIONS[kind]):
        yield f".do.{unknown[0]}: unknown key; allowed are {', '.join(sorted(_ACTIONS[kind]))}"
    said = action.get("exact")
    if kind == "say" and not (isinstance(said, str) and 0 < len(said) <= MOST_SAID):
        yield f".do.exact: give the text to say, at most {MOST_SAID} characters"
    if kind == "transfer" and not isinstance(action.get("destination"), Mapping):
        yield ".do.destination: say where to, such as {type: number, number: +12025550123}"
