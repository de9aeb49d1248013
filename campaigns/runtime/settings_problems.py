"""What is wrong with the settings, in the same shape as what is wrong with a campaign file."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from campaigns.definition.problems import Problem
from config.settings_model import AccountSettings, RetentionSettings, SettingsFile

SECRET_KEYS = {
    "apiKey": "apiKeyEnv, the name of the environment variable that holds it",
    "webhookSecret": "webhookSecretEnv, the name of the environment variable that holds it",
    "databaseUrl": "the environment variable DATABASE_URL",
    "redisUrl": "the environment variable REDIS_URL",
}
"""Keys that people try, and where the secret belongs instead."""


class SettingsError(Exception):
    """The settings are not usable; `problems` says all that is wrong. No secret is ever part of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.render() for problem in self.problems))


def problem_of(
    file: str, *, found: str, allowed: str, path: str = "", name: str = "", known: Sequence[str] = ()
) -> Problem:
    """One problem; `nearest` is the word of `known` that is most like `name`."""
    nearest = next(iter(get_close_matches(name, known, n=1)), None)
    hint = f" — did you mean {nearest}?" if nearest else ""
    message = f"{found}; allowed: {allowed}{hint}"
    return Problem(
        file=file, line=None, column=None, path=path, found=found, allowed=allowed, nearest=nearest, message=message
    )


def problems_of(error: ValidationError, *, file: str) -> list[Problem]:
    """All mistakes that pydantic found in a settings file."""
    return [_problem(detail, file=file) for detail in error.errors(include_url=False, include_input=False)]


def _problem(detail: ErrorDetails, *, file: str) -> Problem:
    keys = [str(part) for part in detail["loc"]]
    path = ".".join(keys)
    if detail["type"] == "extra_forbidden":
        return _unknown_key(keys, path=path, file=file)
    if detail["type"] == "missing":
        return problem_of(file, path=path, found="the key is missing", allowed=f"a value for {keys[-1]}")
    found, allowed = _found_and_allowed(detail)
    return problem_of(file, path=path, found=found, allowed=allowed)


def _unknown_key(keys: Sequence[str], *, path: str, file: str) -> Problem:
    key = keys[-1]
    if key in SECRET_KEYS:
        return problem_of(file, path=path, found="a secret in the settings file", allowed=SECRET_KEYS[key])
    known = known_keys(_section(keys))
    return problem_of(file, path=path, found="unknown key", allowed=", ".join(known), name=key, known=known)


def _section(keys: Sequence[str]) -> type[Any]:
    if len(keys) == 1:
        return SettingsFile
    return RetentionSettings if keys[0] == "retention" else AccountSettings


def known_keys(model: type[Any]) -> list[str]:
    """The keys a section may have, spelt as in the file."""
    return sorted(to_camel(name) for name in model.model_fields)


def _found_and_allowed(detail: ErrorDetails) -> tuple[str, str]:
    """Found and allowed: our own validators say both in one sentence, parted by a semicolon."""
    sentence = detail["msg"].removeprefix("Value error, ")
    found, _, allowed = sentence.partition("; ")
    return (found, allowed) if allowed else ("a value that cannot be used", sentence[:1].lower() + sentence[1:])
