"""What the options of `calls create` say, as the content of a campaign file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from campaigns.cli.campaign_file import LARGEST_BYTES
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.definition.assistant import SOURCES_BY_PROVIDER, TEXT_KEYS
from campaigns.definition.people import Columns
from campaigns.definition.yaml_nodes import Mapped, json_value, text_value
from campaigns.definition.yaml_reader import read_yaml
from campaigns.definition.yaml_tree import YamlFlawError
from campaigns.files.customer_file import open_customers
from campaigns.files.customer_problems import CustomerFileError, SourceProblem, SourceRow
from campaigns.providers.scheduling import MOST_AT_ONCE

CONSENT_KEYS = {
    "consentLevel": "level",
    "consentAt": "obtainedAt",
    "consentSource": "source",
    "consentSeller": "seller",
}
_SAVED = {provider: sources[0] for provider, sources in SOURCES_BY_PROVIDER.items()}
"""Which key of the assistant block holds the id of a saved assistant."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The options, as typed; None: not given."""

    account: str
    provider: str
    line: str
    purpose: str
    seller: str
    assistant: str | None = None
    assistant_file: Path | None = None
    to: str | None = None
    batch: Path | None = None
    name: str | None = None
    variables: Sequence[str] = ()
    consent_level: str | None = None
    consent_at: str | None = None
    consent_source: str | None = None
    zip: str | None = None
    state: str | None = None
    timezone: str | None = None
    region: str | None = None
    external_id: str | None = None
    max_duration_seconds: int | None = None
    line_daily_limit: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def document_of(options: CallOptions) -> dict[str, Any]:
    """A campaign file's content, without name and window. Raises `CommandError`."""
    customers: dict[str, Any] = {"list": _customers(options)}
    if options.region:
        customers["defaultRegion"] = options.region
    lines: dict[str, Any] = {"pool": [options.line]}
    if options.line_daily_limit:
        lines["perLineDailyLimit"] = options.line_daily_limit
    document = {
        "purpose": options.purpose,
        "seller": options.seller,
        "account": options.account,
        "assistant": _assistant(options),
        "lines": lines,
        "customers": customers,
        # One attempt: who wants more of them wants a campaign.
        "retries": {"maxAttempts": 1},
    }
    if consent := _consent(options):
        document["consent"] = consent
    return document


def _assistant(options: CallOptions) -> dict[str, Any]:
    if (options.assistant is None) == (options.assistant_file is None):
        raise _wrong("give one of --assistant ID and --assistant-file FILE")
    block: dict[str, Any] = {}
    if options.assistant_file is not None:
        block = read_assistant(options.assistant_file)
    elif options.assistant is not None:
        block = {_SAVED[options.provider]: options.assistant}
    if given := dict(_pair(each) for each in options.variables):
        block["variables"] = {**(block.get("variables") or {}), **given}
    return _with_max_duration(block, options)


def read_assistant(path: Path) -> dict[str, Any]:
    """The assistant block of a YAML or JSON file: the block itself, or a mapping with the one key `assistant`."""
    try:
        with path.open("rb") as file:
            root = read_yaml(file.read(LARGEST_BYTES)).root
    except OSError as error:
        raise _wrong(f"--assistant-file {path}: it cannot be read ({error.strerror})") from None
    except YamlFlawError as flaw:
        raise _wrong(f"--assistant-file {path}: found {flaw.found}; allowed: {flaw.allowed}") from None
    only = root.entries.get("assistant")
    if only is not None and len(root.entries) == 1 and isinstance(only.value, Mapped):
        root = only.value
    return {
        key: text_value(entry.value) if key in TEXT_KEYS else json_value(entry.value)
        for key, entry in root.entries.items()
    }


def _with_max_duration(block: dict[str, Any], options: CallOptions) -> dict[str, Any]:
    seconds = options.max_duration_seconds
    if seconds is None:
        return block
    match options.provider:
        case "vapi":
            return {**block, "overrides": {**(block.get("overrides") or {}), "maxDurationSeconds": seconds}}
        case "cognigy":
            return {**block, "timeLimit": seconds}
    raise _wrong(f"--max-duration: {options.provider} takes no longest duration; its script decides")


def _customers(options: CallOptions) -> list[dict[str, Any]]:
    if (options.to is None) == (options.batch is None):
        raise _wrong("give one of --to NUMBER and --batch FILE")
    if options.batch is not None:
        if options.name or options.zip or options.state or options.timezone or options.external_id:
            raise _wrong("--name, --zip, --state, --timezone and --external-id are columns of the file with --batch")
        return read_batch(options.batch)
    given = {
        "number": options.to,
        "name": options.name,
        "zip": options.zip,
        "state": options.state,
        "timezone": options.timezone,
        "externalId": options.external_id,
    }
    return [{key: value for key, value in given.items() if value is not None}]


def read_batch(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV or JSON Lines file whose headers are our own column keys; other columns are variables."""
    try:
        rows = list(islice(open_customers(path, required=["number"]), MOST_AT_ONCE + 1))
    except CustomerFileError as error:
        raise _wrong(f"--batch: {error}") from None
    except OSError as error:
        raise _wrong(f"--batch {path}: it cannot be read ({error.strerror})") from None
    if not rows or len(rows) > MOST_AT_ONCE:
        found = f"more than {MOST_AT_ONCE}" if rows else "no"
        raise _wrong(f"--batch {path}: it has {found} rows; allowed are 1 to {MOST_AT_ONCE}, more are a campaign's")
    bad = [row for row in rows if isinstance(row, SourceProblem)]
    if bad:
        raise _wrong(f"--batch {path}: row {bad[0].row_number} cannot be read: {bad[0].detail}")
    return [_customer(row) for row in rows if isinstance(row, SourceRow)]


def _customer(row: SourceRow) -> dict[str, Any]:
    cells = {key: value.strip() for key, value in row.values.items() if value.strip()}
    known = Columns.known_keys()
    customer: dict[str, Any] = {key: cells[key] for key in known if key in cells and key not in CONSENT_KEYS}
    if consent := {name: cells[key] for key, name in CONSENT_KEYS.items() if key in cells}:
        customer["consent"] = consent
    if variables := {key: value.strip() for key, value in row.values.items() if key not in known}:
        customer["variables"] = variables
    return customer


def _consent(options: CallOptions) -> dict[str, str]:
    given = {"level": options.consent_level, "obtainedAt": options.consent_at, "source": options.consent_source}
    consent = {key: value for key, value in given.items() if value is not None}
    if consent and len(consent) < len(given):
        raise _wrong("a consent needs all of --consent-level, --consent-at and --consent-source")
    return consent


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise _wrong("--variable: write NAME=VALUE, such as --variable plan=gold")
    return name.strip(), value


def _wrong(sentence: str) -> CommandError:
    return CommandError(f"{sentence}.", exit_code=ExitCode.BAD_INPUT)
