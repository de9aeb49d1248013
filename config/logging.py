"""One line an event: time, level, where from, a fixed event name, and ids as key=value.

    log.info("call_dispatched", extra={"call_id": call_id, "attempt": 2})
    2026-12-01T15:00:00.123Z INFO workers.tasks call_dispatched attempt=2 call_id=...

Phone numbers and names do not belong in a log. Whoever writes a line keeps them out; the mask below is a second belt.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

MASK = "[number]"

PHONE_NUMBER = re.compile(
    r"""
      \+[1-9]\d{7,14}(?!\d)                                                  # E.164
    | (?<![\w.:/-]) 1?[2-9]\d{2}[2-9]\d{6} (?![\w.-])                        # ten or eleven bare digits, North America
    | (?<![\w-]) (?:\+?1[\s.-]?)? (?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[\s.-]) [2-9]\d{2}[\s.-]\d{4} (?![\w-])   # written out
    """,
    re.VERBOSE,
)
"""What looks like a phone number. A UUID, an ISO instant and an amount of seconds do not."""

STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
"""Attributes every record has; the others were given by `extra`. `data` is Celery's own, and repeats arguments."""

ROW_VALUES = re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE)
"""What Postgres adds to an error: "Failing row contains (…)", names and numbers included."""

PLAIN_VALUE = re.compile(r"[\w.:+/@-]+")


WEBHOOK_TOKEN = re.compile(r"""(/webhooks/[^/\s"']+/[^/\s"']+/\d+/)[^\s/?"']+""")
"""A webhook's address with its campaign's token in it, should any library write one."""


def mask_tokens(text: str) -> str:
    """`text` with the tokens of webhook addresses replaced."""
    return WEBHOOK_TOKEN.sub(r"\1[token]", text)


def mask_numbers(text: str) -> str:
    """`text` with everything that looks like a phone number replaced."""
    return PHONE_NUMBER.sub(MASK, text)


class EventFormatter(logging.Formatter):
    """Formats a record as one masked line, `key=value` or JSON; a traceback becomes one more value."""

    def __init__(self, *, as_json: bool = False) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        values = {key: value for key, value in sorted(vars(record).items()) if key not in STANDARD_FIELDS}
        if record.exc_info:
            values["error"] = ROW_VALUES.sub(r"\1 [row values]", self.formatException(record.exc_info))
        head = {
            "at": _instant(record.created),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line = _as_json({**head, **values}) if self._as_json else _as_pairs(head, values)
        return mask_numbers(mask_tokens(line))


def _instant(created: float) -> str:
    return datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(values: dict[str, Any]) -> str:
    return json.dumps(values, default=str, ensure_ascii=False)


def _as_pairs(head: dict[str, str], values: dict[str, Any]) -> str:
    pairs = [f"{key}={_quoted(value)}" for key, value in values.items()]
    event = head["event"].replace("\r", "\\r").replace("\n", "\\n")
    return " ".join([head["at"], head["level"], head["logger"], event, *pairs])


def _quoted(value: object) -> str:
    """A value as it is if it is one plain word, else in JSON's quotes, so that a line stays a line."""
    text = str(value)
    return text if PLAIN_VALUE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def configure_logging(level: str = "INFO", *, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send all logs of this process to `stream` (standard error) in this form; calling it again replaces the former."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(EventFormatter(as_json=as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "aiohttp.access", "uvicorn.access", "alembic.runtime.migration"):
        # One line a request would drown the events, and paths of requests may carry what belongs in no log.
        logging.getLogger(chatty).setLevel(logging.WARNING)
