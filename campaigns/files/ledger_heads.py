"""Heads of the ledger outside the database: one JSON object a line, the newest last.

{"seq": 1042, "link": "9f2c…", "sealed_at": "2026-12-01T14:03:11.250000+00:00"}
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from campaigns.calls.ledger import Head

HEADS_NAME = "ledger-heads.jsonl"
"""Below `RINGFENCE_HOME`: the heads of the ledger, one a minute while it grows."""
_LAST_LINES = 4096
"""Bytes at the end of the file that hold its last line for certain (one has some 150)."""
_LINK_BYTES = 32


class HeadsFileError(Exception):
    """A file of heads cannot be used. The message says which line and why."""

    def __init__(self, message: str, *, line: int | None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class ExportedHead:
    """A head and when its row was sealed."""

    head: Head
    sealed_at: datetime

    def as_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {"seq": self.head.seq, "link": self.head.link.hex(), "sealed_at": self.sealed_at.isoformat()}


class HeadsFile:
    """A file that heads are appended to; several processes may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append_if_due(self, newest: ExportedHead, *, every: timedelta) -> bool:
        """Append unless somebody did so less than `every` ago. Raises `OSError`."""
        if self._age() < every:
            return False
        return self.append(newest)

    def append(self, newest: ExportedHead) -> bool:
        """Append, unless it is what the last line says already; durable when this returns. Raises `OSError`."""
        line = json.dumps(newest.as_dict()).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            file.seek(max(0, file.tell() - _LAST_LINES))
            tail = file.read()
            if tail.endswith(line):
                return False
            # A line torn by a power cut stays a line of its own, which `read_heads` reports.
            file.write(line if not tail or tail.endswith(b"\n") else b"\n" + line)
            file.flush()
            os.fsync(file.fileno())
        return True

    def _age(self) -> timedelta:
        try:
            return timedelta(seconds=max(0.0, time.time() - self.path.stat().st_mtime))
        except FileNotFoundError:
            return timedelta.max


def read_heads(path: Path) -> list[ExportedHead]:
    """Every head in a file. Raises `HeadsFileError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise HeadsFileError(
            f"there is no file {path}; give the file that `ringfence audit head --to FILE` wrote", line=None
        ) from None
    except OSError as error:
        raise HeadsFileError(
            f"{path} cannot be read: {error.strerror}; give a file of heads that you may read", line=None
        ) from None
    except UnicodeDecodeError:
        raise HeadsFileError(
            f"{path} is no text in UTF-8; give the file that `ringfence audit head --to FILE` wrote", line=None
        ) from None
    heads = [_read(line, path=path, number=number) for number, line in enumerate(lines, start=1) if line.strip()]
    if not heads:
        raise HeadsFileError(f"{path} holds no head; `ringfence audit head --to FILE` writes one", line=None)
    return heads


def _read(line: str, *, path: Path, number: int) -> ExportedHead:
    try:
        record = json.loads(line)
        head = Head(seq=int(record["seq"]), link=bytes.fromhex(record["link"]))
        sealed_at = datetime.fromisoformat(record["sealed_at"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        head = None
    if head is None or head.seq < 1 or len(head.link) != _LINK_BYTES:
        message = (
            f'{path}, line {number}: this is no head; one is {{"seq": 12, "link": "64 hex digits", "sealed_at": …}}'
        )
        raise HeadsFileError(message, line=number)
    return ExportedHead(head, sealed_at)
