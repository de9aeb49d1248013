"""Changes at a provider that an operator asks for: put on record before the request, and again with what came of it."""

from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from campaigns.providers.contract import ProviderUnavailableError
from campaigns.providers.extras import FateUnknownError, ProviderRefusedError
from campaigns.store.campaigns import record_operation

RunAsync = Callable[[Coroutine[Any, Any, Any]], Future[Any]]

ASKED, REFUSED, NOT_DONE, UNKNOWN = "asked", "refused", "not done", "nobody knows whether it was done"


@dataclass(slots=True)
class Result:
    """What is put on record when the block ends well; no secret and no person's number."""

    detail: str = "done"


@contextmanager
def on_record(engine: Engine, *, operator: str, action: str, subject: str) -> Iterator[Result]:
    """Two rows of `operations`: that it was asked for, committed before anything leaves, and how it ended.

    A process that dies in between leaves the first: then nobody knows whether it was done.
    """

    def note(detail: str) -> None:
        with engine.begin() as connection:
            record_operation(connection, operator=operator, action=action, subject=subject, detail=detail)

    result = Result()
    note(ASKED)
    try:
        yield result
    except ProviderRefusedError as error:
        note(f"{REFUSED}: {error}")
        raise
    except ProviderUnavailableError as error:
        note(f"{NOT_DONE}: {error}")
        raise
    except FateUnknownError as error:
        note(f"{UNKNOWN}: {error}")
        raise
    note(result.detail)
