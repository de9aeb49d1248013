"""What a provider says no to, as one sentence and an exit code."""

from collections.abc import Callable

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.providers.contract import ProviderUnavailableError
from campaigns.providers.extras import (
    FateUnknownError,
    KeyRefusedError,
    NotFoundAtProviderError,
    ProviderRefusedError,
)
from campaigns.providers.numbers import UnusableNumberError
from campaigns.providers.registry import IncompleteAccessError, NotOfferedError, UnknownProviderError


def _says(sentence: str, exit_code: ExitCode) -> Callable[[Exception], CommandError]:
    """`{}` in the sentence is what the error says."""
    return lambda error: CommandError(sentence.format(error), exit_code=exit_code)


PROVIDER_EXPLANATIONS: tuple[tuple[type[Exception], Callable[[Exception], CommandError]], ...] = (
    (
        KeyRefusedError,
        _says("the provider does not accept the account's key ({}); look at it in ringfence.toml", ExitCode.BAD_INPUT),
    ),
    (NotFoundAtProviderError, _says("the provider has no such thing ({})", ExitCode.BAD_INPUT)),
    (ProviderRefusedError, _says("the provider refused, and nothing was changed: {}", ExitCode.BAD_INPUT)),
    (FateUnknownError, _says("nobody knows whether that was done: {}", ExitCode.UNREACHABLE)),
    (ProviderUnavailableError, _says("the provider does not answer as it should: {}", ExitCode.UNREACHABLE)),
    (UnusableNumberError, _says("{}; nothing was sent", ExitCode.BAD_INPUT)),
    (NotOfferedError, _says("{}", ExitCode.REFUSED)),
    (UnknownProviderError, _says("{}", ExitCode.REFUSED)),
    (IncompleteAccessError, _says("{}", ExitCode.BAD_INPUT)),
)
"""The first that fits counts: kinds stand before what they are kinds of."""
