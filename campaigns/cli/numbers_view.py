"""How `numbers` answers: one object for programs, a table or a few lines for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.providers.numbers import PhoneNumber


def tell_numbers(account: str, numbers: Sequence[PhoneNumber], *, as_json: bool) -> None:
    """After `numbers list`."""
    if as_json:
        print_json({"account": account, "numbers": [as_dict(number) for number in numbers]})
        return
    if not numbers:
        notes().print(plain(f"{account} has no numbers; `ringfence numbers buy` or `import` gets one"), soft_wrap=True)
        return
    table = Table("line", "number", "from", "status", "name", "answered by", box=None, pad_edge=False)
    for number in numbers:
        table.add_row(*(plain(word or "–") for word in _row(number)))
    answers().print(table)


def tell_number(number: PhoneNumber, *, as_json: bool, done: str | None = None) -> None:
    """One number; `done`: what has just happened to it."""
    if as_json:
        print_json({"done": done, **as_dict(number)} if done else as_dict(number))
    else:
        if done:
            notes().print(plain(f"{number.id}: {done}"), soft_wrap=True)
        for label, value in zip(_LABELS, _row(number), strict=True):
            answers().print(plain(f"{label:<12} {value or '–'}"), soft_wrap=True)
        for hook in number.hooks:
            answers().print(plain(f"{'hook':<12} {hook.get('on')}: {_action(hook)}"), soft_wrap=True)
    for doubt in _doubts(number):
        notes().print(f"[yellow]warning:[/] {plain(doubt)}", soft_wrap=True)


def as_dict(number: PhoneNumber) -> dict[str, Any]:
    """JSON-able."""
    return asdict(number) | {"created_at": number.created_at.isoformat() if number.created_at else None}


_LABELS = ("line", "number", "from", "status", "name", "answered by")


def _row(number: PhoneNumber) -> tuple[str | None, ...]:
    return number.id, number.number or number.sip_uri, number.source, number.status, number.name, _answered_by(number)


def _answered_by(number: PhoneNumber) -> str | None:
    named = {"assistant": number.assistant_id, "squad": number.squad_id, "workflow": number.workflow_id}
    return ", ".join(f"{what} {who}" for what, who in named.items() if who) or None


def _action(hook: Mapping[str, Any]) -> str:
    actions = hook.get("do")
    action = actions[0] if isinstance(actions, list) and actions else actions
    if not isinstance(action, dict):
        return "nothing"
    destination = action.get("destination")
    if isinstance(destination, dict):
        return f"pass on to {destination.get('number') or destination.get('sipUri')}"
    return f"say: {action.get('exact')}"


def _doubts(number: PhoneNumber) -> list[str]:
    doubts = []
    if sum(map(bool, (number.assistant_id, number.squad_id, number.workflow_id))) > 1:
        doubts.append("more than one is assigned; take the others off in the provider's dashboard")
    if number.status == "activating":
        doubts.append("the number is being activated, which may take minutes; a call from it fails until then")
    if number.source == "vapi":
        doubts.append("a bought number makes few calls a day and none abroad; import one for campaigns")
    return doubts
