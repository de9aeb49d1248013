"""No way to a phone leads around the gate: read from the sources, so that a new path is seen when it is written."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(
    path
    for folder in ("campaigns", "workers", "config")
    for path in (ROOT / folder).rglob("*.py")
    if "simulator" not in path.relative_to(ROOT).parts
)
"""The simulator is the other end of the line: it imports nothing of ours."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls_in(tree: ast.AST) -> Iterator[str]:
    """The last part of every name that is called: `dial` of `self._providers[account].dial(request)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name


def users_of(*names: str) -> set[str]:
    """Files that call something of that name."""
    return {name_of(path) for path in PRODUCT if set(calls_in(tree_of(path))) & set(names)}


def files_with(pattern: str) -> set[str]:
    found = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return {name_of(path) for path in PRODUCT if found.search(path.read_text(encoding="utf-8"))}


def test_only_dispatch_asks_a_provider_to_dial() -> None:
    assert users_of("dial") == {"campaigns/services/dispatch.py"}
    # Nor is it handed on under another name.
    handed_on = {
        name_of(path)
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr == "dial" and isinstance(node.ctx, ast.Load)
    }
    assert handed_on == {"campaigns/services/dispatch.py"}


def test_only_dispatch_makes_a_dial_request_and_only_from_a_claimed_call() -> None:
    assert users_of("DialRequest") == {"campaigns/services/dispatch.py"}
    assert users_of("ClaimedCall") == {"campaigns/services/claim.py"}


def test_only_claimed_calls_are_given_to_a_provider_to_hold() -> None:
    assert users_of("hand_over") == {
        "campaigns/providers/vapi/client.py",  # passes it on
        "campaigns/services/provider_schedule.py",
    }
    assert users_of("request_of") == {"campaigns/services/dispatch.py", "campaigns/services/provider_schedule.py"}
    (maker,) = [
        node
        for node in ast.walk(tree_of(ROOT / "campaigns/services/dispatch.py"))
        if isinstance(node, ast.FunctionDef) and node.name == "request_of"
    ]
    assert ast.unparse(maker.args.args[0].annotation or ast.Constant(None)) == "ClaimedCall"


def test_only_the_claim_makes_attempts_and_permits_to_send() -> None:
    assert files_with(r"insert\s+into\s+attempts\b") == {"campaigns/store/claims.py"}
    assert users_of("write_attempts", "NewAttempt") == {"campaigns/services/claim.py"}
    assert users_of("MachinePermit") == {"campaigns/services/claim.py"}
    assert users_of("take_numbers") == {"campaigns/services/claim.py"}


def test_a_claimed_attempt_follows_from_a_permit_of_the_gate_and_nothing_else() -> None:
    """Inside the claim: attempts are put on the pile in one place, which wants a `Permit`, and the gate is asked."""
    tree = tree_of(ROOT / "campaigns/services/claim.py")
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    makers = [function for function in functions if "NewAttempt" in set(calls_in(function))]
    assert [function.name for function in makers] == ["_permit"]
    assert any(ast.unparse(argument.annotation or ast.Constant(None)) == "Permit" for argument in makers[0].args.args)
    deciders = [function for function in functions if {"decide_call", "_permit"} <= set(calls_in(function))]
    assert len(deciders) == 1
    guarded = [
        node
        for node in ast.walk(deciders[0])
        if isinstance(node, ast.If) and ast.unparse(node.test) == "isinstance(decision, Permit)"
    ]
    assert len(guarded) == 1
    assert list(calls_in(ast.Module(guarded[0].body, []))).count("_permit") == 1
    assert list(calls_in(deciders[0])).count("_permit") == 1


def test_only_the_gate_makes_permits() -> None:
    assert users_of("Permit") == {"campaigns/compliance/gate.py"}
    assert {name for name in users_of("evaluate") if not name.startswith("campaigns/compliance/")} == {
        "campaigns/services/gatekeeper.py"
    }


def test_only_a_claim_puts_a_call_into_dialing() -> None:
    """`CallState.DIALING` as the target of a move is written in one place."""
    movers = {
        name_of(path)
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Move"
        and any(ast.unparse(argument) == "CallState.DIALING" for argument in node.args[2:3])
    }
    assert movers == {"campaigns/services/claim.py"}
    assert files_with(r"set\s+state\s*=\s*'dialing'") == set()


def test_only_provider_clients_send_requests_to_providers() -> None:
    """An HTTP client elsewhere could reach a provider's create without a permit."""
    clients = {
        name_of(path)
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] in HTTP for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in HTTP)
    }
    assert {name for name in clients if not name.startswith("campaigns/providers/")} <= LOCAL_HTTP


HTTP = frozenset({"aiohttp", "httpx", "httpx_aiohttp", "requests", "urllib3", "http"})
LOCAL_HTTP = frozenset({"campaigns/runtime/local_http.py", "campaigns/cli/demo/run.py"})
"""They speak to our own processes on loopback: is the web server up, tell the simulator to begin."""
