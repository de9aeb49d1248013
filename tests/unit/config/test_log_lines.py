"""Log lines: one event a line, ids as key=value, and nothing that looks like a phone number."""

import io
import json
import logging
import sys
import uuid
from collections.abc import Iterator

import pytest

from config.logging import EventFormatter, configure_logging, mask_numbers, mask_tokens


def line(event: str, *, as_json: bool = False, **values: object) -> str:
    record = logging.makeLogRecord({"msg": event, "name": "test", "levelname": "INFO", "created": 0.5, **values})
    return EventFormatter(as_json=as_json).format(record)


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_a_time_an_event_and_its_ids() -> None:
    assert line("call_dispatched", call_id=7, attempt=2) == (
        "1970-01-01T00:00:00.500Z INFO test call_dispatched attempt=2 call_id=7"
    )


def test_the_same_line_as_json() -> None:
    assert json.loads(line("call_dispatched", as_json=True, call_id=7)) == {
        "at": "1970-01-01T00:00:00.500Z",
        "level": "INFO",
        "logger": "test",
        "event": "call_dispatched",
        "call_id": 7,
    }


def test_a_line_stays_one_line_whatever_is_in_it() -> None:
    assert "\n" not in line("two\nlines", reason='more\nlines and "quotes"')


def test_a_traceback_stays_on_the_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        text = line("failed", exc_info=sys.exc_info())

    assert "\n" not in text
    assert "ValueError: broken" in text


@pytest.mark.parametrize(
    "number",
    ["+12125550123", "+442071838750", "12125550123", "2125550123", "(212) 555-0123", "212-555-0123", "+1 212 555 0123"],
)
def test_whatever_looks_like_a_phone_number_is_masked(number: str) -> None:
    assert mask_numbers(f"no answer from {number}, again") == "no answer from [number], again"
    assert number not in line("failed", reason=f"to {number}")


@pytest.mark.parametrize(
    "harmless",
    [
        str(uuid.UUID("12345678-1234-4123-8123-123456789012")),
        "2026-12-01T15:00:00.123Z",
        "1795260924",
        "seconds=1234567.891234",
        "127.0.0.1:54321",
        "sha256:2345678901234567890123",
        "call_id=123456",
    ],
)
def test_ids_instants_and_amounts_are_left_alone(harmless: str) -> None:
    assert mask_numbers(harmless) == harmless


def test_configuring_twice_writes_each_line_once(root_logger: logging.Logger) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    configure_logging(stream=stream)
    root_logger.info("call_dispatched", extra={"call_id": 7})

    assert stream.getvalue().count("call_dispatched call_id=7") == 1


def test_the_row_values_that_postgres_adds_to_an_error_stay_out() -> None:
    try:
        raise ValueError(
            "not null\nDETAIL:  Failing row contains (1, Ann Smith, Main Street).\nCONTEXT:  COPY line 3: Ann"
        )
    except ValueError:
        text = line("insert_failed", exc_info=sys.exc_info())
    assert "Ann" not in text
    assert "not null" in text


def test_the_token_in_a_webhooks_address_is_masked() -> None:
    for address in (
        "https://calls.example.com/webhooks/cognigy/main/12/Zk3_x-9",
        "/webhooks/cognigy/main/12/Zk3_x-9?a=1",
        '"POST /webhooks/cognigy/main/12/Zk3_x-9 HTTP/1.1"',
    ):
        assert "Zk3_x-9" not in mask_tokens(address)
        assert "/webhooks/cognigy/main/12/[token]" in mask_tokens(address)


def test_an_address_without_a_token_stays_as_it_is() -> None:
    for address in ("/webhooks/vapi/main/12", "/webhooks/vapi/main", "/calls/vapi/main/12/34"):
        assert mask_tokens(address) == address
