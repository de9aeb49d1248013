"""Large webhooks are read by a process of their own, one at a time.

Python's JSON reader holds the interpreter lock for all of a body: 10 MB in a thread of this process would keep every
small webhook waiting for a tenth of a second just as if there were no thread.
"""

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Timer
from typing import BinaryIO, cast

from campaigns.providers.contract import Receipt
from campaigns.providers.registry import AccountAccess

LARGE_BODY_BYTES = 256 * 1024
"""Reading this takes some 2 ms; only bodies far beyond a usual report of 10 kB are worth the way to a process."""
LONGEST_READING = timedelta(seconds=30)
"""Of one body, the start of the process included. 10 MB take a tenth of a second; what takes so long is stuck, and all
that came after it waits."""
READER = "campaigns.web.large_body_reader"


class ReaderLostError(Exception):
    """The process that reads large bodies ended before it answered, or was ended because it did not."""


@dataclass(frozen=True, slots=True)
class ParserOf:
    """What it takes to parse an account's webhooks: no key and no secret."""

    kind: str
    access: AccountAccess


class LargeBodies:
    """Starts its reader with the first large body, and again when it is gone. It ends when its input does: with us."""

    def __init__(self, parsers: Mapping[str, ParserOf]) -> None:
        """`parsers`: by account."""
        self._parsers = dict(parsers)
        self._one_at_a_time = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")
        self._reader: subprocess.Popen[bytes] | None = None
        self._closed = False

    async def parse(self, account: str, body: bytes) -> Receipt:
        """What `VoiceProvider.parse_webhook` returns and raises; `ReaderLostError` besides."""
        answer = await asyncio.get_running_loop().run_in_executor(self._one_at_a_time, self._ask, account, body)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def reader_pid(self) -> int | None:
        """The reader's number while there is one."""
        return None if self._reader is None else self._reader.pid

    def close(self) -> None:
        """End the reader, whatever it reads; who waits for it gets a `ReaderLostError`."""
        self._closed = True
        if self._reader is not None:
            self._reader.kill()
        self._one_at_a_time.shutdown()
        self._forget()

    def _ask(self, account: str, body: bytes) -> Receipt | Exception:
        if self._closed:
            raise ReaderLostError
        try:
            reader = self._reader or self._start()
            with _bounded(reader):
                _tell(reader, (account, body))
                answer: Receipt | Exception = pickle.load(cast(BinaryIO, reader.stdout))  # noqa: S301 - our own child's
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self._forget()
            raise ReaderLostError from error
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C ends us, and the end of its input ends the reader.
        self._reader = subprocess.Popen(
            [sys.executable, "-m", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        _tell(self._reader, self._parsers)
        return self._reader

    def _forget(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.kill()
            reader.communicate()


@contextmanager
def _bounded(reader: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends the reader if it takes too long: who waits for its answer then gets the end of its output."""
    overdue = Timer(LONGEST_READING.total_seconds(), reader.kill)
    overdue.start()
    try:
        yield
    finally:
        overdue.cancel()


def _tell(reader: subprocess.Popen[bytes], what: object) -> None:
    stdin = cast(BinaryIO, reader.stdin)
    pickle.dump(what, stdin)
    stdin.flush()
