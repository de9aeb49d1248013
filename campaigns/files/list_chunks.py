"""A list's bytes in chunks of whole lines, zipped or not: never more than a few megabytes at once."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from campaigns.files.list_problems import ListFileError

CHUNK_BYTES = 2 << 20
"""Some 170,000 numbers: read as Python objects they take 15 MB, and a larger chunk is not read faster."""
MAX_LINE_BYTES = 100_000
"""A longer line is no list of numbers, and must not fill the memory."""

_ZIP = b"PK\x03\x04"
_NO_LISTS = "__MACOSX/"
"""What the Mac's own archiver adds beside each file."""


class Readable(Protocol):
    """A binary file, or a member of a zip archive."""

    def read(self, size: int, /) -> bytes: ...


@contextmanager
def open_list(path: Path) -> Iterator[BufferedReader]:
    """Open a file. Raises `ListFileError` that says what stands in the way."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise ListFileError("there is no such file; check the path", file=path.name) from None
    except IsADirectoryError:
        raise ListFileError("this is a folder; name the files in it", file=path.name) from None
    except OSError as error:
        raise ListFileError(f"this file cannot be read ({error.strerror}); allow it to us", file=path.name) from None
    with file:
        yield file


def sha256_of(file: BufferedReader) -> str:
    """Of the file as it was obtained, zipped or not; the file is then at its beginning again."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def list_members(file: BufferedReader, *, name: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each list in a file by its name: the file itself, or all members of a zip archive, one after the other.

    Raises `ListFileError`, here and while the chunks are read, for an archive that is not whole.
    """
    if file.peek(len(_ZIP))[: len(_ZIP)] != _ZIP:
        yield name, whole_lines(file, name=name)
        return
    with _unpacking(name), zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir() and not member.filename.startswith(_NO_LISTS):
                label = f"{name}/{member.filename}"
                with archive.open(member) as opened:
                    yield label, _unpacked(opened, name=label)


def _unpacked(member: Readable, *, name: str) -> Iterator[bytes]:
    with _unpacking(name):
        yield from whole_lines(member, name=name)


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    """An archive that was cut short, is damaged, or wants a password."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ListFileError(f"the archive cannot be unpacked ({error}); download it again", file=name) from None


def whole_lines(file: Readable, *, name: str) -> Iterator[bytes]:
    """Chunks that end with a line's end. Raises `ListFileError` for an empty file and for lines without end."""
    rest, is_empty = b"", True
    while block := file.read(CHUNK_BYTES):
        is_empty = False
        whole, end, tail = block.rpartition(b"\n")
        if end:
            yield rest + whole + end
            rest = tail
        else:
            rest += tail
        if len(rest) > MAX_LINE_BYTES:
            message = f"a line is longer than {MAX_LINE_BYTES:,} bytes; a list has one number a line"
            raise ListFileError(message, file=name)
    if is_empty:
        raise ListFileError("this file is empty; a list of no numbers is not taken for one", file=name)
    if rest:
        yield rest + b"\n"
