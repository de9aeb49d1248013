"""Errors from below that a user can do something about, each as one sentence and an exit code."""

from collections.abc import Callable, Sequence

import redis
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.provider_failures import PROVIDER_EXPLANATIONS
from campaigns.definition.problems import DefinitionError, Problem
from campaigns.runtime.addresses import NoServicesError
from campaigns.runtime.embedded.errors import EmbeddedServerError
from campaigns.runtime.law import LAW_PROBLEMS
from campaigns.runtime.settings_problems import SettingsError
from campaigns.services.ports import PublishError


def explain(error: Exception) -> CommandError | None:
    """The command error that says it; None for what only we can mend."""
    for kind, make in _EXPLANATIONS:
        if isinstance(error, kind):
            return make(error)
    return None


def with_problems(what: str, found: Sequence[Problem]) -> CommandError:
    """The error for a file with problems: every one of them, each on its line."""
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    return CommandError(
        f"{what} has {count}; nothing was changed.",
        exit_code=ExitCode.BAD_INPUT,
        problems=[item.as_dict() for item in found],
        lines=[item.render() for item in found],
    )


def _problems(what: str) -> Callable[[Exception], CommandError]:
    return lambda error: with_problems(what, getattr(error, "problems", ()))


def _with(exit_code: ExitCode) -> Callable[[Exception], CommandError]:
    return lambda error: CommandError(str(error), exit_code=exit_code)


def _database(error: Exception) -> CommandError:
    first_line = str(getattr(error, "orig", error)).strip().splitlines()[0]
    return CommandError(f"Postgres does not answer: {first_line}", exit_code=ExitCode.UNREACHABLE)


def _broker(error: Exception) -> CommandError:
    return CommandError(f"Redis does not answer: {error}", exit_code=ExitCode.UNREACHABLE)


_EXPLANATIONS: tuple[tuple[type[Exception], Callable[[Exception], CommandError]], ...] = (
    (DefinitionError, _problems("the campaign file")),
    (SettingsError, _problems("the settings")),
    (NoServicesError, _with(ExitCode.UNREACHABLE)),
    (EmbeddedServerError, _with(ExitCode.UNREACHABLE)),
    *((kind, _with(ExitCode.BAD_INPUT)) for kind in LAW_PROBLEMS),
    *PROVIDER_EXPLANATIONS,
    (OperationalError, _database),
    (PublishError, _broker),
    (BrokerError, _broker),
    (redis.RedisError, _broker),
)
