"""Data of a campaign file, wherever it came from, against everything that a campaign file must be."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from campaigns.definition.assistant import AssistantBlock
from campaigns.definition.assistant_parts import Amd, AmdTimers, Destination, VapiCustomer
from campaigns.definition.base import Block
from campaigns.definition.conversations import OptOut, StopWhen
from campaigns.definition.dialing import Budget, LinePool, Pacing, Retries, Voicemail
from campaigns.definition.findings import Finding, finding_of
from campaigns.definition.identification import Identification
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.people import Columns, CustomerSource, DefaultConsent, InlineConsent, InlineCustomer
from campaigns.definition.problems import Problem
from campaigns.definition.relations import relation_findings
from campaigns.definition.timing import Schedule, Window
from campaigns.definition.yaml_nodes import Mapped, Path, find_mark


def check(data: dict[str, Any]) -> tuple[CampaignDefinition | None, list[Finding]]:
    """The definition, or None, and all that is wrong; with a finding beside it, a definition is not to be used."""
    findings = list(relation_findings(data))
    try:
        return CampaignDefinition.model_validate(data), findings
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, findings + [_finding(each) for each in details]


_BLOCKS: dict[Path, type[Block]] = {
    (): CampaignDefinition,
    ("assistant",): AssistantBlock,
    ("assistant", "customer"): VapiCustomer,
    ("assistant", "amd"): Amd,
    ("assistant", "amd", "timers"): AmdTimers,
    ("assistant", "to"): Destination,
    ("lines",): LinePool,
    ("customers",): CustomerSource,
    ("customers", "columns"): Columns,
    ("customers", "list"): InlineCustomer,
    ("customers", "list", "consent"): InlineConsent,
    ("consent",): DefaultConsent,
    ("window",): Window,
    ("schedule",): Schedule,
    ("pacing",): Pacing,
    ("retries",): Retries,
    ("voicemail",): Voicemail,
    ("budget",): Budget,
    ("stopWhen",): StopWhen,
    ("optOut",): OptOut,
    ("identification",): Identification,
}
"""Which block stands where, list indices left out: for the keys that an unknown one may have meant."""


def _finding(error: ErrorDetails) -> Finding:
    path: Path = error["loc"]
    around = tuple(key for key in path[:-1] if isinstance(key, str))
    return finding_of(error, path=path, keys=_BLOCKS[around].known_keys() if around in _BLOCKS else ())


def problem_of(finding: Finding, *, file: str, root: Mapped | None) -> Problem:
    """The finding with its place in the file; without a tree it has none."""
    mark = find_mark(root, finding.path, on_key=finding.on_key) if root is not None else None
    return Problem(
        file=file,
        line=mark.line if mark else None,
        column=mark.column if mark else None,
        path=path_text(finding.path),
        found=finding.found,
        allowed=finding.allowed,
        nearest=finding.nearest,
        message=finding.message,
    )


def path_text(path: Path) -> str:
    """`("customers", "list", 3, "zip")` → `customers.list[3].zip`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
