"""The lines of a UTF-8 file, one at a time: where the bytes are no text, the error says which byte."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from campaigns.files.customer_problems import CustomerFileError

MAX_LINE_BYTES = 1_000_000
"""A customer's row is some hundred bytes. A longer line is no list, and must not fill the memory."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Digest(Protocol):
    """A hash under way, such as `hashlib.sha256()`."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


def read_lines(path: Path, *, seen: Digest) -> Iterator[str]:
    """Every line with its end, decoded; `seen` takes in exactly the bytes that were read.

    Raises `CustomerFileError` for a file that is missing, no file, empty or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            yield from _decoded(iter(lambda: file.readline(MAX_LINE_BYTES + 1), b""), path=path, seen=seen)
    except FileNotFoundError:
        raise CustomerFileError("there is no such file; check the path", file=path.name) from None
    except IsADirectoryError:
        raise CustomerFileError("this is a folder; name a .csv or .jsonl file in it", file=path.name) from None
    except PermissionError:
        raise CustomerFileError(
            "this file may not be read; allow it to the user who runs this", file=path.name
        ) from None


def _decoded(lines: Iterator[bytes], *, path: Path, seen: Digest) -> Iterator[str]:
    offset = 0
    for number, line in enumerate(lines, start=1):
        seen.update(line)
        yield _decode(line, path=path, number=number, offset=offset)
        offset += len(line)
    if offset == 0:
        raise CustomerFileError("this file is empty; it needs a header and at least one row", file=path.name)


def _decode(line: bytes, *, path: Path, number: int, offset: int) -> str:
    if len(line) > MAX_LINE_BYTES:
        message = f"this line is longer than {MAX_LINE_BYTES:,} bytes; is it a list with one customer a line?"
        raise CustomerFileError(message, file=path.name, line=number)
    text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        position = offset + len(line) - len(text) + error.start
        found = "it looks like UTF-16" if number == 1 and line.startswith(_UTF16_MARKS) else "it is no UTF-8"
        message = f"byte {position} is 0x{text[error.start]:02x}: {found}; save the file as UTF-8"
        raise CustomerFileError(message, file=path.name, line=number) from None
