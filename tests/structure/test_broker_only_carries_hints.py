"""Redis carries hints: nothing is timed, locked or announced there, and no history is deleted in Postgres."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("campaigns", "workers", "config")
    for path in (ROOT / folder).rglob("*.py")
    if "simulator" not in path.parts
}
PUBLISHERS = {"apply_async", "delay", "send_task", "signature", "retry"}
TIMED = {"eta", "countdown", "expires"}
ASKED_OF_REDIS = {"campaigns/runtime/publisher.py": {"llen"}, "workers/beat.py": {"llen"}}
"""All that we ask of the broker past Celery: how long a queue is. No lock, no set of members, no channel."""
HISTORY = ("campaigns", "campaign_versions", "runs", "customers", "calls", "attempts", "decisions", "ledger",
           "consents", "revocations", "suppressions", "operations", "alarms")  # fmt: skip


def calls(text: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def test_no_message_waits_in_the_broker_for_its_time() -> None:
    """A wait of hours would be delivered again after each visibility time-out: due times are rows."""
    timed = {
        f"{name}:{node.lineno}"
        for name, text in SOURCES.items()
        for node in calls(text)
        if called(node) in PUBLISHERS and {keyword.arg for keyword in node.keywords} & TIMED
    }
    assert timed == set()
    publishers = {name for name, text in SOURCES.items() for node in calls(text) if called(node) in PUBLISHERS}
    assert publishers == {"campaigns/runtime/publisher.py", "workers/beat.py", "workers/tasks.py"}


def test_the_broker_is_asked_for_the_length_of_a_queue_and_nothing_else() -> None:
    """So there is no lock with a time to live, no counter, and no channel by which work could be announced and lost."""
    users = {name for name, text in SOURCES.items() if re.search(r"redis\.Redis\b", text)}
    assert users - {"campaigns/runtime/embedded/valkey.py"} == ASKED_OF_REDIS.keys()
    for name, allowed in ASKED_OF_REDIS.items():
        asked = {
            called(node)
            for node in calls(SOURCES[name])
            if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "self._redis"
        }
        assert asked == allowed
    words = re.compile(r"pubsub|psubscribe|\.subscribe\(|set_nx|setnx|nx=True", re.IGNORECASE)
    assert {name for name, text in SOURCES.items() if words.search(text)} == set()


def test_no_statement_deletes_history() -> None:
    deleted = {
        (name, table)
        for name, text in SOURCES.items()
        for table in re.findall(r"(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(\w+)", text, re.IGNORECASE)
        if table in HISTORY and "/migrations/" not in name
    }
    assert deleted == set()
