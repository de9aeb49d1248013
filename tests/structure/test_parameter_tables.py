"""The tables of docs/parameters-*.md name every parameter of the providers' documents, and tests that there are."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAD = ("parameter", "campaign file", "test")

PARAMETERS = {
    "cognigy": (
        "application_sid", "from", "to", "timeLimit", "timeout", "tag", "actionHook", "amd", "confirmHook",
        "dtmfCapture", "dtmfHook", "headers", "listen", "referHook", "transcribe", "sid", "callId", "account_sid",
        "base_url", "Authorization",
    ),
    "vapi": (
        "assistantId", "assistant", "phoneNumberId", "customer.number", "customer.name",
        "customer.numberE164CheckEnabled", "customer.sipUri", "schedulePlan.earliestAt", ".latestAt", "customers",
        "metadata", "GET /call", "GET /call/{id}", "DELETE /call/{id}", "POST /call/web", "provider: vapi",
        "provider: twilio", "twilioAccountSid", "twilioAuthToken", "provider: vonage", "provider: telnyx",
        "credentialId", "squadId", "name", "hooks", "GET /phone-number", "GET /phone-number/{id}",
        "PATCH /phone-number/{id}", "DELETE /phone-number/{id}",
    ),
    "voxworks": (
        "from_number", "script_id", "contact", "phone_number", "first_name", "last_name", "objects", "scheduled_time",
        "call_id", "contact_id", "status", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining",
    ),
}  # fmt: skip
"""What the documents of each provider list, by the names that they give; kept here, so that no row can get lost."""

DOCUMENTS = sorted(ROOT.glob("docs/parameters-*.md"))


def rows_of(document: Path) -> list[tuple[str, str, str]]:
    """The rows of the document's tables that have our three columns."""
    rows, counts = list[tuple[str, str, str]](), False
    for line in document.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        if not line.startswith("|"):
            counts = False
        elif cells == HEAD:
            counts = True
        elif counts and len(cells) == len(HEAD) and set(cells[0]) != {"-"}:
            rows.append((cells[0], cells[1], cells[2]))
    return rows


def named_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@cache
def known_tests() -> frozenset[str]:
    defined = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)
    files = (ROOT / "tests").rglob("test_*.py")
    return frozenset(name for file in files for name in defined.findall(file.read_text(encoding="utf-8")))


def provider_of(document: Path) -> str:
    return document.stem.removeprefix("parameters-")


def test_every_provider_has_its_table() -> None:
    assert {provider_of(document) for document in DOCUMENTS} == set(PARAMETERS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=provider_of)
def test_every_row_says_where_the_parameter_is_set_and_names_tests_that_there_are(document: Path) -> None:
    rows = rows_of(document)
    assert rows
    assert [parameter for parameter, where, tests in rows if not (where and named_in(tests))] == []
    unknown = {name for _, _, tests in rows for name in named_in(tests) if name not in known_tests()}
    assert unknown == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=provider_of)
def test_every_parameter_of_the_providers_documents_is_in_the_table(document: Path) -> None:
    listed = {name for parameter, _, _ in rows_of(document) for name in named_in(parameter)}
    assert set(PARAMETERS[provider_of(document)]) - listed == set()
