"""From the bytes of a campaign file to its value, or to everything that is wrong with it."""

from typing import Any

from campaigns.definition.assistant import TEXT_KEYS
from campaigns.definition.checking import check, path_text, problem_of
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.problems import DefinitionError, Problem
from campaigns.definition.yaml_nodes import Mapped, json_value, text_value
from campaigns.definition.yaml_reader import read_yaml
from campaigns.definition.yaml_tree import DuplicateKey, YamlFlawError


def parse_definition(source: bytes, *, file: str) -> CampaignDefinition:
    """Read one campaign file. `file` is only its name, for the messages.

    Raises `DefinitionError` with every problem, each at its line and column.
    """
    try:
        document = read_yaml(source)
    except YamlFlawError as flaw:
        raise DefinitionError([_whole_file_problem(flaw, file=file)]) from None
    definition, findings = check(_data(document.root))
    problems = [_duplicate_problem(each, file=file) for each in document.duplicates]
    problems += [problem_of(each, file=file, root=document.root) for each in findings]
    if definition is None or problems:
        raise DefinitionError(problems)
    return definition


def _data(root: Mapped) -> dict[str, Any]:
    data = {key: text_value(entry.value) for key, entry in root.entries.items()}
    assistant = root.entries.get("assistant")
    if assistant is not None and isinstance(assistant.value, Mapped):
        data["assistant"] = {
            key: text_value(entry.value) if key in TEXT_KEYS else json_value(entry.value)
            for key, entry in assistant.value.entries.items()
        }
    return data


def _whole_file_problem(flaw: YamlFlawError, *, file: str) -> Problem:
    line, column = (flaw.mark.line, flaw.mark.column) if flaw.mark else (None, None)
    message = f"found {flaw.found}; allowed: {flaw.allowed}"
    return Problem(file, line, column, path="", found=flaw.found, allowed=flaw.allowed, nearest=None, message=message)


def _duplicate_problem(duplicate: DuplicateKey, *, file: str) -> Problem:
    allowed = "each key once"
    message = f"this key stands already in line {duplicate.first.line}; allowed: {allowed}"
    return Problem(
        file=file,
        line=duplicate.mark.line,
        column=duplicate.mark.column,
        path=path_text(duplicate.path),
        found="the same key again",
        allowed=allowed,
        nearest=None,
        message=message,
    )
